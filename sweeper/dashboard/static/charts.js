// Curves with Vega-Lite, and the pages that show them: one run, several compared.
"use strict";
const ONE_RUN = ["reward", "val_pass1", "entropy", "kl", "response_length", "tokens_per_s"];
const COMPARED = ["reward", "val_pass1", "entropy", "response_length"];
const MANY = 60; // curves, of which hovering names none, only what is smoothed is drawn, and only the first metric at once
const charts = new Map(); // { figure, answer, view, shape }, by metric
let groups = { labelOf: (id) => id, colours: new Map(), nameOf: (id) => id };

// Exponential moving average, started without a bias towards zero.
function smoothed(values, weight) {
  let sum = 0, seen = 0;
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    seen = weight * seen + (1 - weight);
    return sum / seen;
  });
}
function pointsOf(answer) {
  const weight = Number($("smooth").value);
  return Object.entries(answer.curves).flatMap(([id, [steps, values]]) => {
    const smooth = smoothed(values, weight), of = { run: groups.nameOf(id), id, group: groups.labelOf(id) };
    return steps.map((step, i) => ({ step, value: values[i], smooth: smooth[i], ...of }));
  });
}
function spec(answer, points, colours) {
  const many = Object.keys(answer.curves).length > MANY, axis = (field) => ({ field, type: "quantitative", title: null, scale: { zero: false } });
  const told = [["run", "run", "nominal"], ["step", "step", "quantitative"], ["value", "value", "quantitative"], ["smooth", "smoothed", "quantitative"]]
    .map(([field, title, type]) => ({ field, title, type, ...(field === "value" || field === "smooth" ? { format: ".4g" } : {}) }));
  const hover = { params: [{ name: "near", select: { type: "point", nearest: true, on: "pointermove", clear: "pointerout" } }],
    mark: { type: "point", filled: true, size: 60 },
    encoding: { y: axis("smooth"), tooltip: told, opacity: { condition: { param: "near", empty: false, value: 1 }, value: 0 } } };
  return {
    data: { name: "points", values: points }, width: "container", height: 210, autosize: { type: "fit", contains: "padding", resize: true },
    encoding: {
      x: { field: "step", type: "quantitative", title: "step", axis: { tickMinStep: 1, format: "~s" }, scale: { nice: false } },
      color: { field: "group", type: "nominal", title: null, scale: { domain: [...colours.keys()], range: [...colours.values()] },
        legend: colours.size > 1 && colours.size <= 12 ? { orient: "bottom", columns: 4, labelLimit: 160, symbolType: "stroke", symbolOpacity: 1, symbolStrokeWidth: 3 } : null },
      detail: { field: "id" },
    },
    layer: [
      ...(many ? [] : [{ mark: { type: "line", strokeWidth: 1, opacity: 0.28 }, encoding: { y: axis("value") } }]),
      { mark: { type: "line", strokeWidth: many ? 1 : 2, opacity: many ? 0.6 : 1, point: points.length < 3 }, encoding: { y: axis("smooth") } },
      ...(many ? [] : [hover]),
    ],
  };
}
function theme() {
  const of = getComputedStyle(document.body), ink = of.color, soft = getComputedStyle($("health")).color;
  const line = getComputedStyle(document.querySelector("header")).borderBottomColor;
  return { background: "transparent", font: of.fontFamily, view: { stroke: null }, legend: { labelColor: ink },
    axis: { labelColor: soft, titleColor: soft, gridColor: line, domainColor: line, tickColor: line, gridOpacity: 0.6 } };
}
async function drawChart(chart) {
  const points = pointsOf(chart.answer), shape = JSON.stringify([[...groups.colours], Object.keys(chart.answer.curves).length > MANY]);
  chart.figure.querySelector(".none").hidden = points.length > 0;
  chart.figure.querySelector(".drawn").hidden = !points.length;
  chart.figure.querySelector(".drawn").ariaLabel = `curves of ${chart.answer.title}`;
  chart.figure.querySelector("figcaption").textContent = chart.answer.title + (chart.answer.every > 1 ? ` (one of ${chart.answer.every} steps)` : "");
  chart.figure.dataset.points = points.length;
  if (!points.length) return null;
  if (chart.view && chart.shape === shape) return chart.view.data("points", points).runAsync();
  chart.view?.finalize();
  chart.shape = shape;
  const made = await vegaEmbed(chart.figure.querySelector(".drawn"), spec(chart.answer, points, groups.colours), {
    mode: "vega-lite", ast: true, actions: false, renderer: "canvas", defaultStyle: false, tooltip: { disableDefaultStyle: true }, config: theme() });
  chart.view = made.view;
  return chart.view;
}
async function show(metric, parameters, known) {
  if (!charts.has(metric)) {
    const figure = el("figure", { "data-metric": metric }, el("figcaption"), el("p", { class: "none soft", hidden: "" }, "not logged"), el("div", { class: "drawn", role: "img" }));
    $("charts").append(figure);
    charts.set(metric, { figure });
  }
  const answer = await get("/data/curves", [["metric", metric], ...parameters]);
  if (!answer.curves) throw new Error(answer.problem);
  if (known) answer.curves = Object.fromEntries(Object.entries(answer.curves).filter(([id]) => known.has(id)));
  const chart = charts.get(metric), changed = JSON.stringify(answer) !== JSON.stringify(chart.answer) || chart.groups !== groups;
  Object.assign(chart, { answer, groups });
  if (changed) await drawChart(chart);
  return answer.damaged;
}
const redraw = () => { for (const chart of charts.values()) if (chart.answer) drawChart(chart); };
const afresh = () => { for (const chart of charts.values()) chart.shape = null; redraw(); };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", afresh);
$("smooth").addEventListener("input", () => { $("smoothed").textContent = $("smooth").value; redraw(); });
const more = []; // metrics that were asked for beside the usual ones
$("metric").addEventListener("change", () => {
  if ($("metric").value && !more.includes($("metric").value)) more.push($("metric").value);
  refreshNow();
});
let refreshNow = () => {};

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
function comparePage() {
  const view = new URLSearchParams(location.hash.slice(1));
  let runs = [], shown = "";
  $("by").addEventListener("change", () => { view.set("by", $("by").value); history.replaceState(null, "", `#${view}`); read(); });
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
if (page === "run") runPage();
if (page === "compare") comparePage();
