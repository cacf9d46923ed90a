// Draws the lineage that the table on the page tells: a node for each row, an edge for each link in "Comes from".
// Over each node lies a link, so that keyboard, screen reader and touch work as they do everywhere.
"use strict";

(() => {
  const figure = document.getElementById("graph");
  const table = document.getElementById("lineage-table");
  if (!figure || !table || typeof cytoscape !== "function") return;
  const view = figure.querySelector(".graph-view");
  const canvas = figure.querySelector(".graph-canvas");
  const links = figure.querySelector(".graph-links");

  const SHAPES = {
    dataset: "barrel",
    step: "rectangle",
    data: "round-rectangle",
    model: "hexagon",
    result: "ellipse",
  };
  // How wide and how much higher than its lines each is: there is less room in the corners of some shapes.
  const WIDTHS = { dataset: 230, step: 150, data: 230, model: 280, result: 270 };
  const ROOM = { dataset: 1.2, step: 1, data: 1, model: 1.35, result: 1.35 };
  const COLUMN = 300;
  const LINE = 17;
  const GAP = 40;
  const LEAST_ZOOM = 0.6;
  const MARGIN = 24;

  const rows = [...table.tBodies[0].rows];
  const sources = new Map(
    rows.map((row) => [row.id, [...row.querySelectorAll("[data-from]")].map((link) => link.dataset.from)]),
  );
  const targets = new Map(rows.map((row) => [row.id, []]));
  sources.forEach((from, id) => from.forEach((source) => targets.get(source).push(id)));

  const heightOf = (row) => (row.dataset.label.split("\n").length + 1) * LINE * ROOM[row.dataset.kind];
  const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

  // Each node below all that it comes from, and near it. The rows come in that order.
  function layers() {
    const depths = new Map();
    const found = [];
    rows.forEach((row) => {
      const depth = Math.max(-1, ...sources.get(row.id).map((source) => depths.get(source))) + 1;
      depths.set(row.id, depth);
      (found[depth] = found[depth] || []).push(row);
    });
    return found;
  }

  function places(found) {
    const placed = new Map();
    let top = 0;
    found.forEach((layer) => {
      const height = Math.max(...layer.map(heightOf));
      const wish = (row) => mean(sources.get(row.id).map((source) => placed.get(source).x)) || 0;
      const order = layer.map((row) => [wish(row), row]).sort((one, other) => one[0] - other[0]);
      const middle = mean(order.map(([x]) => x));
      order.forEach(([, row], index) => {
        const x = middle + (index - (order.length - 1) / 2) * COLUMN;
        placed.set(row.id, { x, y: top + height / 2 });
      });
      top += height + GAP;
    });
    return placed;
  }

  function styles() {
    const theme = getComputedStyle(document.documentElement);
    const colour = (name) => theme.getPropertyValue(`--${name}`).trim();
    const tones = ["permit", "review", "deny"].map((tone) => ({
      selector: `node[tone = "${tone}"]`,
      style: { "border-color": colour(tone), "background-color": colour(`${tone}-soft`) },
    }));
    return [
      {
        selector: "node",
        style: {
          shape: (node) => SHAPES[node.data("kind")],
          width: (node) => WIDTHS[node.data("kind")],
          height: "data(height)",
          label: "data(label)",
          color: colour("text"),
          "font-family": getComputedStyle(document.body).fontFamily,
          "font-size": 13,
          "line-height": 1.25,
          "text-wrap": "wrap",
          "text-max-width": 220,
          "text-valign": "center",
          "background-color": colour("background"),
          "border-width": 2,
          "border-color": colour("muted"),
        },
      },
      ...tones,
      { selector: 'node[tone = "review"]', style: { "border-style": "dashed" } },
      { selector: 'node[tone = "deny"]', style: { "border-style": "double", "border-width": 5 } },
      { selector: 'node[kind = "step"]', style: { "background-color": colour("accent-soft") } },
      { selector: "node[?subject]", style: { "border-width": 5 } },
      {
        selector: "edge",
        style: {
          width: 2,
          "line-color": colour("muted"),
          "target-arrow-color": colour("muted"),
          "target-arrow-shape": "triangle",
          "curve-style": "bezier",
        },
      },
    ];
  }

  const found = layers();
  const position = places(found);
  figure.hidden = false;
  const lowest = Math.max(...rows.map((row) => position.get(row.id).y + heightOf(row) / 2));
  view.style.height = `${Math.min(lowest + 2 * MARGIN, 640)}px`;

  const graph = cytoscape({
    container: canvas,
    elements: {
      nodes: rows.map((row) => ({
        data: {
          id: row.id,
          kind: row.dataset.kind,
          label: row.dataset.label,
          tone: row.dataset.tone,
          subject: row.hasAttribute("aria-current"),
          height: heightOf(row),
        },
        position: position.get(row.id),
      })),
      edges: rows.flatMap((row) =>
        sources
          .get(row.id)
          .map((source) => ({ data: { id: `${source} ${row.id}`, source, target: row.id } })),
      ),
    },
    layout: { name: "preset" },
    style: styles(),
    autoungrabify: true,
    autounselectify: true,
    boxSelectionEnabled: false,
    userZoomingEnabled: false,
    minZoom: LEAST_ZOOM / 4,
    maxZoom: 2,
  });

  const overlay = new Map();
  rows.forEach((row) => {
    const link = document.createElement("a");
    link.href = row.dataset.link;
    link.setAttribute("aria-label", row.dataset.label.replaceAll("\n", ", "));
    link.dataset.node = row.id;
    link.tabIndex = -1;
    if (row.hasAttribute("aria-current")) link.setAttribute("aria-current", "true");
    links.append(link);
    overlay.set(row.id, link);
  });

  function follow() {
    overlay.forEach((link, id) => {
      const box = graph.getElementById(id).renderedBoundingBox({ includeLabels: false });
      link.style.width = `${box.w}px`;
      link.style.height = `${box.h}px`;
      link.style.transform = `translate(${box.x1}px, ${box.y1}px)`;
    });
  }

  function reveal(id) {
    const node = graph.getElementById(id);
    const box = node.renderedBoundingBox({ includeLabels: false });
    const outside = box.x1 < 0 || box.y1 < 0 || box.x2 > graph.width() || box.y2 > graph.height();
    if (outside) graph.center(node);
  }

  // One node is in the order of Tab; the arrows go on from there, along the edges and within a line.
  function enter(id) {
    overlay.forEach((link, name) => {
      link.tabIndex = name === id ? 0 : -1;
    });
  }

  function neighbour(id, key) {
    const line = found.find((layer) => layer.some((row) => row.id === id));
    const order = line.map((row) => row.id).sort((one, other) => position.get(one).x - position.get(other).x);
    const ends = { Home: rows[0].id, End: rows[rows.length - 1].id };
    return {
      ArrowUp: sources.get(id)[0],
      ArrowDown: targets.get(id)[0],
      ArrowLeft: order[order.indexOf(id) - 1],
      ArrowRight: order[order.indexOf(id) + 1],
      ...ends,
    }[key];
  }

  links.addEventListener("focusin", (event) => {
    enter(event.target.dataset.node);
    reveal(event.target.dataset.node);
  });
  links.addEventListener("keydown", (event) => {
    const next = neighbour(event.target.dataset.node, event.key);
    if (next) overlay.get(next).focus({ preventScroll: true });
    if (next || event.key.startsWith("Arrow")) event.preventDefault();
  });

  // The whole, if it can be read; else as much around what the page is about as fits.
  function show() {
    graph.fit(undefined, MARGIN);
    const readable = graph.zoom() >= LEAST_ZOOM;
    graph.zoom(Math.min(Math.max(graph.zoom(), LEAST_ZOOM), 1));
    graph.center(readable ? undefined : graph.nodes("[?subject]"));
    if (readable) return;
    // No more room above the first line, or below the last, than there must be.
    const box = graph.elements().renderedBoundingBox();
    if (box.h < graph.height()) graph.panBy({ x: 0, y: (graph.height() - box.y1 - box.y2) / 2 });
    else if (box.y1 > MARGIN) graph.panBy({ x: 0, y: MARGIN - box.y1 });
    else if (box.y2 < graph.height() - MARGIN) graph.panBy({ x: 0, y: graph.height() - MARGIN - box.y2 });
  }

  function zoomBy(factor) {
    graph.zoom({
      level: graph.zoom() * factor,
      renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 },
    });
  }

  figure.querySelector("[data-zoom=closer]").addEventListener("click", () => zoomBy(1.25));
  figure.querySelector("[data-zoom=farther]").addEventListener("click", () => zoomBy(0.8));
  figure.querySelector("[data-zoom=whole]").addEventListener("click", () => graph.fit(undefined, MARGIN));
  graph.on("viewport resize", follow);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => graph.style(styles()));

  const subject = rows.find((row) => row.hasAttribute("aria-current")) || rows[0];
  show();
  follow();
  enter(subject.id);
})();
