// The page of one run: where it stands, its curves, attempts and log.
"use strict";
const ONE_RUN = ["reward", "val_pass1", "entropy", "kl", "response_length", "tokens_per_s"];
function runPage() {
  const id = $("run").dataset.run, when = (seconds) => seconds ? `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC` : "";
  groups = { labelOf: () => "run", colours: new Map([["run", COLOURS[0]]]), nameOf: () => id };
  async function log() {
    const answer = await get("/data/log", [["run", id], ["attempt", $("attempt").value]]), box = $("log");
    const text = answer.problem || (answer.lines.length ? answer.lines.join("\n") : "it has printed nothing here");
    if (box.textContent === text) return;
    box.textContent = text;
    if ($("follow").checked) box.scrollTop = box.scrollHeight;
  }
  $("attempt").addEventListener("change", log);
  const read = async () => {
    const data = await get("/data/run", [["run", id]]);
    if (!data.status) return data.problem;
    const run = data.status;
    tiles($("facts"), [["state", run.state, run.phase || ""], ["step", run.step === null ? "" : `${run.step} of ${run.steps}`, run.left === null ? "" : `${duration(run.left)} left`],
      ["reward", number(run.reward)], ["pass@1", number(run.pass1)], ["device-hours", hours(run.spent), run.planned === null ? "" : ` of ${hours(run.planned)} planned`],
      ...Object.entries(run.axes), ...(run.why ? [["why", run.class || "", run.why]] : []), ...(run.slurm ? [["SLURM", run.slurm]] : [])]);
    fill($("attempts"), ["attempt", "became", "began", "took", "on", "log"], data.attempts.map((item) => [item.number, item.became, when(item.began), duration(item.seconds), item.where, item.log]));
    options($("attempt"), data.attempts.map((item) => [String(item.number), String(item.number)]));
    $("slurm").hidden = !data.slurm_log;
    $("slurm").textContent = data.slurm_log;
    fill($("scores"), ["k", "base", "trained"], data.scores.map(([k, base, trained]) => [k, number(base), number(trained)]));
    fill($("settings"), ["setting", "value"], data.settings);
    options($("metric"), await get("/data/metrics", [["run", id]]));
    await log();
    const damaged = await Promise.all([...ONE_RUN, ...more].map((metric) => show(metric, [["run", id]])));
    return [...data.damaged, ...new Set(damaged.flat())].join("\n");
  };
  refreshNow = read;
  keepFresh(read);
}
runPage();
