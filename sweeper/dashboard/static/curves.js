// Curves, drawn with Vega-Lite.
"use strict";
const MANY = 60; // curves, of which hovering names none, only what is smoothed is drawn, and only the first metric at once
const MOST_DRAWN = 15000; // points of many curves
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
const isMany = (answer) => Object.keys(answer.curves).length > MANY;
// Of many curves every so many-th point, and the last: smoothing is of all points, only fewer are drawn.
function everyOf(answer) {
  const n = Object.values(answer.curves).reduce((sum, [steps]) => sum + steps.length, 0);
  return isMany(answer) ? Math.max(1, Math.ceil(n / MOST_DRAWN)) : 1;
}
function pointsOf(answer) {
  const weight = Number($("smooth").value), every = everyOf(answer), points = [];
  for (const [id, [steps, values]] of Object.entries(answer.curves)) {
    const smooth = smoothed(values, weight), run = groups.nameOf(id), group = groups.labelOf(id), last = steps.length - 1, colour = groups.colours.get(group);
    for (let i = 0; i <= last; i++) {
      if (i % every === 0 || i === last) points.push({ step: steps[i], value: values[i], smooth: smooth[i], run, id, group, colour });
    }
    // Many curves are one line a colour, which breaks between runs: Vega takes far longer over a line a run.
    if (isMany(answer)) points.push({ step: steps[last], value: null, smooth: null, run: null, id: null, group, colour });
  }
  return points;
}
function spec(answer, points) {
  const many = isMany(answer), axis = (field) => ({ field, type: "quantitative", title: null, scale: { zero: false } });
  const told = [["run", "run", "nominal"], ["step", "step", "quantitative"], ["value", "value", "quantitative"], ["smooth", "smoothed", "quantitative"]]
    .map(([field, title, type]) => ({ field, title, type, ...(field === "value" || field === "smooth" ? { format: ".4g" } : {}) }));
  const hover = { params: [{ name: "near", select: { type: "point", nearest: true, on: "pointermove", clear: "pointerout" } }],
    mark: { type: "point", filled: true, size: 60 },
    encoding: { y: axis("smooth"), tooltip: told, opacity: { condition: { param: "near", empty: false, value: 1 }, value: 0 } } };
  return {
    data: { name: "points", values: points }, width: "container", height: 210, autosize: { type: "fit", contains: "padding", resize: true },
    encoding: {
      x: { field: "step", type: "quantitative", title: "step", axis: { tickMinStep: 1, format: "~s" }, scale: { nice: false } },
      color: { field: "colour", type: "nominal", scale: null },
      ...(many ? { order: { value: null } } : { detail: { field: "id" } }),
    },
    layer: [
      ...(many ? [] : [{ mark: { type: "line", strokeWidth: 1, opacity: 0.28 }, encoding: { y: axis("value") } }]),
      { mark: { type: "line", strokeWidth: many ? 1 : 2, opacity: many ? 0.6 : 1, point: points.length < 3 }, encoding: { y: axis("smooth") } },
      ...(many ? [] : [hover]),
    ],
  };
}
function theme() {
  const of = getComputedStyle(document.body), soft = getComputedStyle($("health")).color;
  const line = getComputedStyle(document.querySelector("header")).borderBottomColor;
  return { background: "transparent", font: of.fontFamily, view: { stroke: null },
    axis: { labelColor: soft, titleColor: soft, gridColor: line, domainColor: line, tickColor: line, gridOpacity: 0.6 } };
}
async function drawChart(chart) {
  const points = pointsOf(chart.answer), shape = JSON.stringify([[...groups.colours], isMany(chart.answer)]);
  chart.figure.querySelector(".none").hidden = points.length > 0;
  chart.figure.querySelector(".drawn").hidden = !points.length;
  chart.figure.querySelector(".drawn").ariaLabel = `curves of ${chart.answer.title}`;
  const every = chart.answer.every * everyOf(chart.answer);
  chart.figure.querySelector("figcaption").textContent = chart.answer.title + (every > 1 ? ` (drawn: one of ${every} steps)` : "");
  chart.figure.dataset.points = points.filter(({ id }) => id !== null).length;
  if (!points.length) return null;
  if (chart.view && chart.shape === shape) return chart.view.data("points", points).runAsync();
  chart.view?.finalize();
  chart.shape = shape;
  const made = await vegaEmbed(chart.figure.querySelector(".drawn"), spec(chart.answer, points), {
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
