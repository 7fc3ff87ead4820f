// Fills the pages from the server's answers, and keeps them fresh. Texts of runs are only ever written as texts.
"use strict";
const EVERY_MS = 3000;
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7b5ea7", "#999999", "#c44e52"];
const $ = (id) => document.getElementById(id);
const page = document.body.dataset.page;
let lastRead = null;

const number = (value, digits = 3) => value === null || value === undefined ? "" : Number(value).toPrecision(digits);
const hours = (value) => value === null || value === undefined ? "" : value.toFixed(2);
function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  return s < 86400 ? `${Math.floor(s / 3600)}h${two(Math.floor(s % 3600 / 60))}m` : `${Math.floor(s / 86400)}d${two(Math.floor(s % 86400 / 3600))}h`;
}
// An element with attributes and children; texts become text nodes, never markup.
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function fill(table, head, lines) {
  const row = (cells, tag) => el("tr", {}, ...cells.map((cell) => el(tag, {}, cell instanceof Node ? cell : String(cell ?? ""))));
  table.replaceChildren(el("thead", {}, row(head, "th")), el("tbody", {}, ...lines.map((line) => row(line, "td"))));
}
function options(select, values) { // [value, text] pairs after the first option, which stays; what is chosen stays
  if (select.dataset.has === JSON.stringify(values)) return;
  select.dataset.has = JSON.stringify(values);
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...values.map(([value, text]) => el("option", { value }, text)));
  if (values.some(([value]) => value === chosen)) select.value = chosen;
}
const tiles = (list, items) => list.replaceChildren(...items.map(([name, value, more]) => el("li", {}, name, el("b", {}, value || "–"), more || "")));

async function get(path, parameters = []) {
  const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  if (answer.status === 403) throw new Error("this server was started anew: open the address that it printed");
  const data = await answer.json();
  lastRead = Date.now();
  return data;
}
function say(problem) {
  $("problem").hidden = !problem;
  if ($("problem").textContent !== problem) $("problem").textContent = problem;
}
// Reads again and again; a page in the background waits.
function keepFresh(read) {
  const again = async () => {
    if (!document.hidden) {
      try {
        say((await read()) || "");
        document.body.classList.remove("is-gone");
      } catch (error) {
        document.body.classList.add("is-gone");
        const why = error instanceof TypeError ? "The dashboard does not answer: it has ended, or the way to it (ssh -L) is cut. What you see is old; it goes on by itself when the same server is back." : `Nothing new: ${error.message}`;
        say(why);
      }
    }
    setTimeout(again, EVERY_MS);
  };
  setInterval(() => {
    $("health").textContent = lastRead === null ? "nothing read yet" : `last read ${duration((Date.now() - lastRead) / 1000)} ago`;
  }, 1000);
  document.addEventListener("keydown", (event) => {
    const box = $("text");
    if (event.key === "/" && box && !["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName)) {
      event.preventDefault();
      box.focus();
    }
  });
  again();
}
const problems = (data) => [data.problem, ...(data.damaged || []).slice(0, 3), data.slurm && `SLURM does not answer: ${data.slurm}`].filter(Boolean).join("\n");
const nameOf = (run) => Object.values(run.axes).join(", ") || run.id;
// Labels in the order in which the runs have them, which is that of the grid's axis; a colour each.
function coloursBy(runs, axis) {
  const labels = [...new Set(runs.map((run) => axis ? run.axes[axis] ?? "none" : nameOf(run)))];
  return new Map(labels.map((label, i) => [label, COLOURS[i % COLOURS.length]]));
}
const axesOf = (runs) => [...new Set(runs.flatMap((run) => Object.keys(run.axes)))];
const fits = (run, text) => [run.id, run.state, run.why, run.phase, ...Object.entries(run.axes).map((pair) => pair.join(" "))]
  .join(" ").toLowerCase().includes(text.toLowerCase());

const OPTIONAL = ["reward", "pass@1", "left", "device-h", "planned"]; // columns that say nothing where no run has them
function gridPage() {
  const view = new URLSearchParams(location.hash.slice(1)); // filter, order and colour survive a reload
  const chosen = new Set(), rows = new Map();
  let data = null, heads = "";
  const controls = ["text", "state", "grid", "by"];
  const remember = () => {
    for (const id of controls) $(id).value ? view.set(id, $(id).value) : view.delete(id);
    history.replaceState(null, "", `${location.pathname}#${view}`);
  };
  $("text").value = view.get("text") || "";
  const columns = (axes, places) => [
    ["run", (run) => run.id, null], ...axes.map((axis) => [axis, (run) => places.get(axis).get(run.axes[axis]) ?? -1, (run) => run.axes[axis] ?? ""]),
    ["state", (run) => run.state, null], ["progress", (run) => run.state === "done" ? 2 : (run.step || 0) / (run.steps || 1), null],
    ["reward", (run) => run.reward, (run) => number(run.reward)], ["pass@1", (run) => run.pass1, (run) => number(run.pass1)],
    ["left", (run) => run.left, (run) => duration(run.left)], ["device-h", (run) => run.spent, (run) => hours(run.spent)],
    ["planned", (run) => run.planned, (run) => hours(run.planned)], ["", (run) => run.why, null],
  ];
  const newRow = (run) => {
    const box = el("input", { type: "checkbox", "aria-label": `choose ${run.id} to compare` });
    box.addEventListener("change", () => { box.checked ? chosen.add(run.id) : chosen.delete(run.id); draw(); });
    const tr = el("tr", {}, el("td", {}, box));
    rows.set(run.id, tr);
    return tr;
  };
  const text = (cell, value) => { if (cell.textContent !== value) cell.textContent = value; };
  function fillRow(tr, run, cols, colours) {
    while (tr.children.length < cols.length + 1) tr.append(el("td"));
    cols.forEach(([name, , show], i) => {
      const cell = tr.children[i + 1];
      if (show) {
        cell.dataset.name = name;
        text(cell, show(run));
      } else if (name === "run") {
        if (!cell.firstChild) cell.append(el("span"), el("a", { href: `/run/${encodeURIComponent(run.id)}`, title: run.id }));
        const colour = $("by").value && colours.get(run.axes[$("by").value] ?? "none");
        cell.firstChild.className = colour ? "swatch" : "";
        cell.firstChild.style.background = colour || "";
        text(cell.lastChild, Object.keys(run.axes).length ? run.id.split("-").pop() : run.id);
      } else if (name === "state") {
        if (!cell.firstChild) cell.append(el("span"));
        cell.firstChild.className = `state ${run.state}`;
        text(cell.firstChild, run.state);
      } else if (name === "progress") {
        if (!cell.firstChild) cell.append(el("progress", { max: "1", "aria-label": "progress" }), el("span", { class: "soft" }));
        cell.firstChild.value = run.state === "done" ? 1 : run.step && run.steps ? run.step / run.steps : 0;
        text(cell.lastChild, run.state === "done" ? " " : run.step !== null ? ` ${run.step}/${run.steps}` : ` ${run.phase ?? ""}`);
      } else {
        cell.className = "why";
        text(cell, [run.class && run.class !== "unknown" ? `[${run.class}]` : "", run.why, run.slurm, run.tries > 1 ? `${run.tries} attempts` : ""].filter(Boolean).join(" "));
      }
    });
  }
  function draw() {
    if (!data) return;
    const inGrid = data.runs.filter((run) => !$("grid").value || run.grids.includes($("grid").value));
    const axes = axesOf(inGrid), colours = coloursBy(inGrid, $("by").value);
    options($("state"), [...new Set(data.runs.map((run) => run.state))].sort().map((name) => [name, name]));
    options($("by"), axes.map((name) => [name, name]));
    const places = new Map(axes.map((axis) => [axis, new Map([...coloursBy(inGrid, axis).keys()].map((label, i) => [label, i]))]));
    const cols = columns(axes, places).filter(([name, value]) => ![...OPTIONAL, ""].includes(name) || inGrid.some((run) => (value(run) ?? run.slurm) !== null));
    const [sortBy, falling] = [view.get("sort"), view.get("falling") === "1"];
    const names = cols.map(([name]) => name).join("\n"), head = JSON.stringify([names, sortBy, falling]);
    if (heads !== head) {
      if (heads && JSON.parse(heads)[0] !== names) rows.clear();
      heads = head;
      const focused = document.activeElement.closest?.("th")?.textContent;
      $("runs").tHead.rows[0].replaceChildren(el("th", { "aria-label": "chosen" }), ...cols.map(([name]) => {
        const button = el("button", { type: "button" }, name || "why");
        button.addEventListener("click", () => {
          view.set("falling", sortBy === name && !falling ? "1" : "0");
          view.set("sort", name);
          remember();
          draw();
        });
        return el("th", { scope: "col", "aria-sort": sortBy === name ? falling ? "descending" : "ascending" : null }, button);
      }));
      if (focused) [...$("runs").tHead.querySelectorAll("button")].find((button) => button.textContent === focused)?.focus();
    }
    let shown = inGrid.filter((run) => (!$("state").value || run.state === $("state").value) && fits(run, $("text").value));
    const column = cols.find(([name]) => name === sortBy);
    if (sortBy !== null && column) { // what was not measured comes last, either way
      const value = column[1], known = (run) => value(run) !== null && value(run) !== undefined;
      const order = (a, b) => known(a) !== known(b) ? known(b) - known(a) : !known(a) ? 0
        : (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (falling ? -1 : 1);
      shown = shown.map((run, i) => [run, i]).sort((a, b) => order(a[0], b[0]) || a[1] - b[1]).map(([run]) => run);
    }
    const wanted = shown.map((run) => { const tr = rows.get(run.id) || newRow(run); fillRow(tr, run, cols, colours); return tr; });
    const body = $("runs").tBodies[0], keep = document.activeElement;
    if (wanted.length !== body.rows.length || wanted.some((tr, i) => body.rows[i] !== tr)) { // only then, for focus and scroll
      body.replaceChildren(...wanted);
      if (body.contains(keep)) keep.focus({ preventScroll: true });
    }
    $("count").textContent = `${shown.length} of ${data.runs.length} runs${chosen.size ? `, ${chosen.size} chosen` : ""}`;
    const ids = chosen.size ? [...chosen] : shown.length < data.runs.length ? shown.map((run) => run.id) : [];
    $("compare").textContent = chosen.size ? `Compare ${chosen.size} chosen` : `Compare these ${shown.length}`;
    $("compare").href = `/compare#${new URLSearchParams([...ids.map((id) => ["run", id]), ...($("by").value ? [["by", $("by").value]] : [])])}`;
  }
  const first = () => {
    for (const id of ["state", "grid", "by"]) {
      const wanted = view.get(id) ?? (id === "grid" ? $("grid").dataset.first : "");
      if ([...$(id).options].some((option) => option.value === wanted)) $(id).value = wanted;
    }
  };
  for (const id of controls) $(id).addEventListener("input", () => { remember(); draw(); });
  keepFresh(async () => {
    const before = data, answer = await get("/data/runs");
    if (answer.problem) return problems(answer);
    data = answer;
    options($("grid"), Object.keys(data.grids).map((name) => [name, name]));
    draw();
    if (!before) { first(); draw(); first(); draw(); }
    $("folder").textContent = data.folder;
    const all = data.totals, states = all.states;
    tiles($("totals"), [["done", `${states.done || 0} of ${data.runs.length}`], ["running", String(states.running || 0), states.queued ? ` ${states.queued} queued` : ""],
      ["failed", String((states.failed || 0) + (states.damaged || 0)), states.interrupted ? ` ${states.interrupted} interrupted` : ""],
      ["device-hours spent", hours(all.spent), all.planned === null ? " not all was planned" : ` of ${hours(all.planned)} planned`],
      ["until the last run ends", duration(all.left), ` ${all.basis}`]]);
    return problems(data);
  });
}
if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname + location.hash);
if (page === "grid") gridPage();
if (page === "reports") keepFresh(async () => problems(await get("/data/runs")));
