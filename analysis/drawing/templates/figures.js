// Draws the figures of the page when they come near the screen, with Vega-Lite; hides and shows groups; saves pictures.
"use strict";
(() => {
  const themes = JSON.parse(document.getElementById("themes").textContent);
  const phone = matchMedia("(max-width: 40rem)");
  const drawn = new Map(); // what vegaEmbed gave, by the box it is in
  const figures = new Map(); // { claim, caption, views, off }, by element

  const figureOf = (box) => {
    const element = box.closest("figure");
    if (!figures.has(element)) {
      figures.set(element, { ...JSON.parse(element.querySelector("script").textContent), off: [] });
    }
    return figures.get(element);
  };
  const rows = (columns) => {
    const names = Object.keys(columns);
    const lists = names.map((name) => {
      const { of, at, times } = columns[name];
      return !of ? columns[name] : times ? times.flatMap((n, i) => Array(n).fill(of[i])) : at.map((i) => of[i]);
    });
    return lists[0].map((_, i) => Object.fromEntries(names.map((name, k) => [name, lists[k][i]])));
  };
  const whole = (view, width, keep) => ({
    ...view.spec, width, height: view.height, data: { values: rows(view.columns) }, layer: view.spec.layer.filter(keep),
  });
  const embed = (target, spec, config) => vegaEmbed(target, spec, {
    mode: "vega-lite", ast: true, actions: false, renderer: "svg", defaultStyle: false, config,
    tooltip: { disableDefaultStyle: true },
  });

  async function draw(box) {
    const figure = figureOf(box), target = box.querySelector(".drawn");
    const spec = whole(figure.views[box.dataset.place], "container", (layer) => !(phone.matches && layer.name.startsWith("wide")));
    drawn.get(box)?.finalize();
    spec.params = spec.params?.map((param) => ({ ...param, value: figure.off }));
    drawn.set(box, await embed(target, { ...spec, autosize: { type: "fit", contains: "padding" } }, themes[theme.isDark ? "dark" : "light"]));
    box.classList.add("is-drawn");
  }

  async function save(element, kind) {
    const figure = figureOf(element);
    const views = figure.views.map((view, i) => {
      const { params, ...spec } = whole(view, 640, (layer) => layer.name !== "hover");
      return { ...spec, title: view.title, layer: spec.layer.map((layer) => ({ ...layer, name: `${layer.name}-${i}` })) };
    });
    const said = [figure.claim, figure.caption].filter(Boolean);
    const made = await embed(document.createElement("div"), {
      params: [{ name: "off", value: figure.off }], vconcat: views,
      resolve: { scale: { color: "shared", shape: "shared" } },
      title: { text: said.slice(0, 1), subtitle: said.slice(1), anchor: "start" },
    }, themes.file);
    const link = document.createElement("a");
    link.href = await made.view.toImageURL(kind, 2);
    link.download = `${element.dataset.name}.${kind}`;
    link.click();
    made.finalize();
  }

  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) { near.unobserve(target); draw(target); }
    }
  }, { rootMargin: "300px" });
  for (const box of document.querySelectorAll(".view")) near.observe(box);
  const again = () => { for (const box of drawn.keys()) draw(box); };
  phone.addEventListener("change", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  // On paper the picture that the page came with is shown; a figure that has none is drawn.
  addEventListener("beforeprint", () => {
    for (const box of document.querySelectorAll(".view:not(.is-drawn)")) if (!box.querySelector(".still")) draw(box);
  });

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if (button.id === "theme") {
      theme.choose(theme.isDark ? "light" : "dark");
      again();
    } else if (button.dataset.group !== undefined) {
      const figure = figureOf(button), group = button.dataset.group, hide = button.ariaPressed === "true";
      figure.off = hide ? [...figure.off, group] : figure.off.filter((name) => name !== group);
      button.ariaPressed = String(!hide);
      for (const box of button.closest("figure").querySelectorAll(".is-drawn")) drawn.get(box).view.signal("off", figure.off).runAsync();
    } else if (button.dataset.save) {
      save(button.closest("figure"), button.dataset.save);
    }
  });
})();
