// Tables: a click on a head sorts, numbers as numbers, empty cells last; long ones have a box that filters.
"use strict";
(() => {
  const FEW = 8; // lines up to which nothing is filtered
  const MANY = 100; // lines up to which sorting is quick enough
  const { compare } = new Intl.Collator("en", { numeric: true });
  const isEmpty = (value) => value === "" || value === "\u2013" || Number.isNaN(value);

  const keyOf = (cell, number) => {
    const text = cell.dataset.v ?? cell.textContent.trim();
    return number ? Number.parseFloat(text.replace("\u2212", "-")) : text;
  };
  // Rows of a long table become grids as wide as its columns are now: only those on the screen are laid out.
  function quicken(table) {
    const widths = Array.from(table.tHead.rows[0].cells, (cell) => `${cell.getBoundingClientRect().width}px`);
    table.style.setProperty("--columns", widths.join(" "));
    table.style.setProperty("--height", `${Math.ceil(table.tBodies[0].rows[0].getBoundingClientRect().height)}px`);
    table.classList.add("quick");
  }
  function sort(head) {
    const table = head.closest("table"), body = table.tBodies[0], place = head.cellIndex;
    if (body.rows.length > MANY && !table.classList.contains("quick")) quicken(table);
    const down = head.ariaSort === "ascending", number = head.classList.contains("n");
    const lines = Array.from(body.rows, (line) => ({ line, key: keyOf(line.cells[place], number) }));
    lines.sort((one, other) => {
      const empty = isEmpty(one.key) - isEmpty(other.key);
      if (empty || isEmpty(one.key)) return empty;
      const order = number ? one.key - other.key : compare(one.key, other.key);
      return down ? -order : order;
    });
    body.append(...lines.map(({ line }) => line));
    for (const other of head.parentNode.cells) other.ariaSort = null;
    head.ariaSort = down ? "descending" : "ascending";
  }
  function filter(table, words, count) {
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const line of table.tBodies[0].rows) {
      const text = line.textContent.toLowerCase();
      line.hidden = !parts.every((part) => text.includes(part));
      shown += !line.hidden;
    }
    count.textContent = parts.length ? `${shown} of ${table.tBodies[0].rows.length}` : "";
  }

  for (const table of document.querySelectorAll("table.data")) {
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(head));
      head.append(button);
    }
    if (table.tBodies[0].rows.length <= FEW) continue;
    const box = document.createElement("p"), input = document.createElement("input"), count = document.createElement("span");
    box.className = "filter";
    input.type = "search";
    input.placeholder = "Filter lines";
    input.ariaLabel = `Filter: ${table.ariaLabel}`;
    count.setAttribute("role", "status");
    input.addEventListener("input", () => filter(table, input.value, count));
    box.append(input, " ", count);
    table.parentNode.before(box);
  }
})();
