// The grid of runs: what is filtered, sorted, coloured and chosen.
"use strict";
const fits = (run, text) => [run.id, run.state, run.why, run.phase, ...Object.entries(run.axes).map((pair) => pair.join(" "))]
  .join(" ").toLowerCase().includes(text.toLowerCase());

// ---- the grid of runs; a column: name, what it is sorted by, its text or how its cell is filled
const plain = (name, by, show) => ({ name, by, fill: (cell, run) => { cell.dataset.name = name; write(cell, show(by(run), run)); } });
const write = (cell, text) => { if (cell.textContent !== text) cell.textContent = text; };
const part = (cell, ...made) => cell.firstChild ? [...cell.children] : (cell.append(...made.map((one) => one())), [...cell.children]);
function columnsOf(runs, colour) {
  const axes = axesOf(runs), named = axes.length > 0;
  const columns = [{ name: "run", by: (run) => run.id, fill: (cell, run) => {
    const [dot, link] = part(cell, () => el("span"), () => el("a", { href: `/run/${encodeURIComponent(run.id)}`, title: run.id }));
    dot.className = colour(run) ? "swatch" : "";
    dot.style.background = colour(run) ?? "";
    write(link, named && Object.keys(run.axes).length ? run.id.split("-").pop() : run.id);
  } }, ...axes.map((axis) => {
    const place = [...coloursBy(runs, axis).keys()];
    return plain(axis, (run) => place.indexOf(run.axes[axis] ?? "none"), (_, run) => run.axes[axis] ?? "");
  }), { name: "state", by: (run) => run.state, fill: (cell, run) => {
    const [chip] = part(cell, () => el("span"));
    chip.className = `state ${run.state}`;
    write(chip, run.state);
  } }, { name: "progress", by: (run) => run.state === "done" ? 2 : run.share ?? 0, fill: (cell, run) => {
    const [bar, words] = part(cell, () => el("progress", { max: "1", "aria-label": "progress" }), () => el("span", { class: "soft" }));
    bar.value = run.state === "done" ? 1 : run.share ?? 0;
    write(words, run.state === "done" ? " " : ` ${run.step === null ? run.phase ?? "" : `${run.step}/${run.steps}`}`);
  } }];
  // What no run has says nothing.
  const more = [plain("reward", (run) => run.reward, number), plain("pass@1", (run) => run.pass1, number), plain("left", (run) => run.left, duration),
    plain("device-h", (run) => run.spent, hours), plain("planned", (run) => run.planned, hours), plain("why", (run) => run.why ?? run.slurm, (_, run) =>
      [run.class && run.class !== "unknown" ? `[${run.class}]` : "", run.why, run.slurm, run.tries > 1 ? `${run.tries} attempts` : ""].filter(Boolean).join(" "))];
  return [...columns, ...more.filter(({ by }) => runs.some((run) => by(run) !== null))];
}
function sorted(runs, column, falling) { // what was not measured comes last, either way
  const order = (a, b) => a === null || b === null ? (a === null) - (b === null) : (a < b ? -1 : a > b ? 1 : 0) * (falling ? -1 : 1);
  return column ? runs.map((run) => [column.by(run), run]).sort((a, b) => order(a[0], b[0])).map(([, run]) => run) : runs;
}
function gridPage() {
  const view = new URLSearchParams(location.hash.slice(1)); // filter, order and colour survive a reload
  const chosen = new Set(), rows = new Map(), controls = ["text", "state", "grid", "by"];
  let data = null, heads = "";
  const remember = () => {
    for (const id of controls) view.set(id, $(id).value);
    history.replaceState(null, "", `${location.pathname}#${view}`);
    draw();
  };
  function rowOf(run) {
    if (!rows.has(run.id)) {
      const box = el("input", { type: "checkbox", "aria-label": `choose ${run.id} to compare` });
      box.addEventListener("change", () => { chosen[box.checked ? "add" : "delete"](run.id); draw(); });
      rows.set(run.id, el("tr", {}, el("td", {}, box)));
    }
    return rows.get(run.id);
  }
  function drawHead(columns) {
    const head = JSON.stringify([columns.map(({ name }) => name), view.get("sort"), view.get("falling")]);
    if (head === heads) return;
    if (heads && JSON.stringify(JSON.parse(heads)[0]) !== JSON.stringify(JSON.parse(head)[0])) rows.clear(); // other columns
    heads = head;
    const focused = document.activeElement.dataset?.sort;
    $("runs").tHead.rows[0].replaceChildren(el("th", { "aria-label": "chosen" }), ...columns.map(({ name }) => {
      const isOrder = view.get("sort") === name, falling = view.get("falling") === "1", button = el("button", { type: "button", "data-sort": name }, name);
      button.addEventListener("click", () => { view.set("falling", isOrder && !falling ? "1" : "0"); view.set("sort", name); remember(); });
      return el("th", { scope: "col", "aria-sort": isOrder ? falling ? "descending" : "ascending" : null }, button);
    }));
    if (focused) $("runs").tHead.querySelector(`[data-sort="${CSS.escape(focused)}"]`)?.focus();
  }
  function draw() {
    if (!data) return;
    const by = $("by").value, runs = data.runs.filter((run) => !$("grid").value || run.grids.includes($("grid").value)), colours = coloursBy(runs, by);
    options($("state"), [...new Set(data.runs.map((run) => run.state))].sort().map((name) => [name, name]));
    options($("by"), axesOf(runs).map((name) => [name, name]));
    const columns = columnsOf(runs, (run) => by && colours.get(run.axes[by] ?? "none"));
    drawHead(columns);
    const fitting = runs.filter((run) => (!$("state").value || run.state === $("state").value) && fits(run, $("text").value));
    const shown = sorted(fitting, columns.find(({ name }) => name === view.get("sort")), view.get("falling") === "1");
    const wanted = shown.map((run) => {
      const tr = rowOf(run);
      while (tr.children.length <= columns.length) tr.append(el("td"));
      columns.forEach((column, i) => { tr.children[i + 1].className = column.name === "why" ? "why" : ""; column.fill(tr.children[i + 1], run); });
      tr.firstChild.firstChild.checked = chosen.has(run.id);
      return tr;
    });
    const body = $("runs").tBodies[0], focused = document.activeElement;
    if (wanted.length !== body.rows.length || wanted.some((tr, i) => body.rows[i] !== tr)) { // only then, for focus and scroll
      body.replaceChildren(...wanted);
      if (body.contains(focused)) focused.focus({ preventScroll: true });
    }
    $("count").textContent = `${shown.length} of ${data.runs.length} runs${chosen.size ? `, ${chosen.size} chosen` : ""}`;
    const ids = chosen.size ? [...chosen] : shown.length < data.runs.length ? shown.map((run) => run.id) : [];
    $("compare").textContent = chosen.size ? `Compare ${chosen.size} chosen` : `Compare these ${shown.length}`;
    $("compare").href = `/compare#${new URLSearchParams([...ids.map((id) => ["run", id]), ...(by ? [["by", by]] : [])])}`;
  }
  $("text").value = view.get("text") ?? "";
  for (const id of controls) $(id).addEventListener("input", remember);
  keepFresh(async () => {
    const answer = await get("/data/runs"), isFirst = !data;
    if (answer.problem) return problems(answer);
    data = answer;
    options($("grid"), Object.keys(data.grids).map((name) => [name, name]));
    draw();
    for (const id of isFirst ? ["state", "grid", "by"] : []) {
      const wanted = view.get(id) ?? $(id).dataset.first;
      if ([...$(id).options].some((option) => option.value === wanted)) $(id).value = wanted;
    }
    if (isFirst) draw();
    const { states, spent, planned, cost, left, basis } = data.totals, of = (...names) => names.reduce((sum, name) => sum + (states[name] ?? 0), 0);
    $("folder").textContent = data.folder;
    tiles($("totals"), [["done", `${of("done")} of ${data.runs.length}`], ["running", String(of("running")), of("queued") && ` ${of("queued")} queued`],
      ["failed", String(of("failed", "damaged")), of("interrupted") && ` ${of("interrupted")} interrupted`],
      ["device-hours spent", hours(spent), `${planned === null ? "not all was planned" : `of ${hours(planned)} planned`}${cost && `, ${cost}`}`], ["until the last run ends", duration(left), ` ${basis}`]]);
    return problems(data);
  });
}
gridPage();
