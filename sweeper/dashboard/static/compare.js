// The page of several runs: their curves, one colour per value of an axis, and what differs between them.
"use strict";
const MOST_NAMES = 40; // in the legend
const COMPARED = ["reward", "val_pass1", "entropy", "response_length"];
function comparePage() {
  const view = new URLSearchParams(location.hash.slice(1));
  let runs = [], shown = "";
  $("by").addEventListener("change", () => { view.set("by", $("by").value); history.replaceState(null, "", `#${view}`); read(); });
  function drawLegend(colours) { // once for all figures, as text that breaks where the page ends
    const told = colours.size > MOST_NAMES ? `${colours.size} colours are too many for a legend: each run's is in the table below` : "";
    $("legend").replaceChildren(...(told ? [told] : [...colours].map(([label, colour]) => {
      const dot = el("span", { class: "swatch" });
      dot.style.background = colour;
      return el("li", {}, dot, label);
    })));
  }
  async function read() {
    const data = await get("/data/runs");
    if (data.problem) return data.problem;
    const ids = new Set(view.getAll("run"));
    runs = data.runs;
    const chosen = runs.filter((run) => !ids.size || ids.has(run.id)), byId = new Map(chosen.map((run) => [run.id, run]));
    const asked = chosen.length > 100 ? [] : chosen.map((run) => ["run", run.id]); // an address has an end
    const key = JSON.stringify([[...byId.keys()], view.get("by")]);
    if (key !== shown) {
      const found = await get("/data/differences", asked), names = found.columns;
      for (const run of chosen) names.forEach((name, i) => { run.axes[name] ??= found.runs[run.id][i]; });
      const axes = axesOf(chosen);
      options($("by"), axes.map((name) => [name, name]));
      $("by").value = axes.includes(view.get("by")) ? view.get("by") : "";
      const axis = $("by").value, colours = coloursBy(chosen, axis);
      groups = { colours, nameOf: (id) => nameOf(byId.get(id)), labelOf: (id) => axis ? byId.get(id).axes[axis] ?? "none" : nameOf(byId.get(id)) };
      drawLegend(colours);
      fill($("differences"), ["run", "state", "pass@1", ...names], chosen.map((run) => {
        const colour = colours.get(groups.labelOf(run.id)), dot = el("span", { class: "swatch" });
        dot.style.background = colour;
        return [el("span", {}, dot, el("a", { href: `/run/${encodeURIComponent(run.id)}`, title: run.id }, run.id.split("-").pop())), run.state, number(run.pass1), ...found.runs[run.id]];
      }));
      $("count").textContent = `${chosen.length} runs${ids.size ? "" : ": all there are; choose some on the page Runs"}`;
      options($("metric"), await get("/data/metrics", asked.slice(0, 8)));
      shown = key;
    }
    const metrics = [...(chosen.length > MANY ? COMPARED.slice(0, 1) : COMPARED), ...more], damaged = [];
    for (const metric of metrics) damaged.push(...await show(metric, asked, byId));
    return [...data.damaged, ...new Set(damaged)].join("\n");
  }
  refreshNow = read;
  keepFresh(read);
}
comparePage();
