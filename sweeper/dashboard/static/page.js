// What all pages share: elements, numbers, asking the server and keeping fresh. Texts of runs are only ever written as texts.
"use strict";
const EVERY_MS = 3000;
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7b5ea7", "#999999", "#c44e52"];
const $ = (id) => document.getElementById(id);
const page = document.body.dataset.page;
let lastRead = null;

const number = (value) => value === null || value === undefined ? "" : Number(value).toPrecision(3);
const hours = (value) => value === null ? "" : value.toFixed(2);
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
// Labels in the order in which the runs have them, which is that of the grid's axis, with a colour each; of many numbers
// a scale of colours from the least to the largest.
function coloursBy(runs, axis) {
  const labels = [...new Set(runs.map((run) => axis ? run.axes[axis] ?? "none" : nameOf(run)))], n = labels.length;
  if (n < 5 || labels.some((label) => label === "" || isNaN(label))) return new Map(labels.map((label, i) => [label, COLOURS[i % COLOURS.length]]));
  return new Map(labels.sort((a, b) => a - b).map((label, i) => [label, `hsl(${Math.round(270 - 230 * i / (n - 1))}, 75%, 48%)`]));
}
const axesOf = (runs) => [...new Set(runs.flatMap((run) => Object.keys(run.axes)))];
if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname + location.hash);
if (page === "reports") keepFresh(async () => problems(await get("/data/runs")));
