"use strict";
const root = document.documentElement;
const table = document.getElementById("board");
const charts = JSON.parse(document.getElementById("charts").textContent);
const widths = [...new Set(Object.values(charts).flatMap((sizes) => Object.keys(sizes).map(Number)))];
const windows = widths.map((width) => matchMedia(`(min-width: ${width}px)`));
const dark = matchMedia("(prefers-color-scheme: dark)");

// Theme: the system's, until the reader says otherwise.
const stored = {
  get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
  set: (value) => { try { localStorage.setItem("theme", value); } catch { /* Files may have no storage. */ } },
};
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

function setUpTheme() {
  const button = document.getElementById("theme");
  const told = stored.get();
  if (told === "dark" || told === "light") root.dataset.theme = told;
  const show = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    stored.set(root.dataset.theme);
    show();
    drawAll();
  });
  dark.addEventListener("change", () => { show(); drawAll(); });
  show();
}

// Table: each group of rows is sorted by itself; rows without a value stay last.
function sortBy(column, order) {
  const sign = order === "ascending" ? 1 : -1;
  const value = (row) => row.cells[column].dataset.sort;
  const compare = (one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === "" || b === "") return (a === "") - (b === "");
    const [x, y] = [Number(a), Number(b)];
    return sign * (Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y);
  };
  for (const body of table.tBodies) {
    body.append(...[...body.rows].filter((row) => row.dataset.name !== undefined).sort(compare));
  }
}

function setUpSorting() {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const opposite = { ascending: "descending", descending: "ascending" };
    const order = opposite[head.getAttribute("aria-sort")] ?? head.dataset.first;
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    sortBy(column, order);
  }));
  heads.find((head) => head.classList.contains("ndcg"))?.setAttribute("aria-sort", "descending");
}

// Filter: of the rows of the table, and of what charts show.
const shownNames = new Set();

function applyFilter() {
  const words = document.getElementById("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const group = document.querySelector("[name=group]:checked")?.value ?? "";
  shownNames.clear();
  let all = 0;
  for (const body of table.tBodies) {
    for (const row of body.querySelectorAll("tr[data-name]")) {
      const text = row.dataset.text.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word)) || (group !== "" && body.dataset.group !== group);
      if (!row.hidden) shownNames.add(row.dataset.name);
      all += 1;
    }
    body.hidden = ![...body.querySelectorAll("tr[data-name]")].some((row) => !row.hidden);
  }
  document.getElementById("shown").textContent =
    shownNames.size === 0 ? "No row matches." : `${shownNames.size} of ${all} rows`;
}

function later(work, milliseconds) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(work, milliseconds); };
}

function setUpFilter() {
  const form = document.querySelector(".filter");
  const redraw = later(drawAll, 150);
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { applyFilter(); redraw(); });
  applyFilter();
}

// Charts: drawn in the size that the window has room for.
const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();

function config() {
  const [text, muted, line] = ["--text", "--muted", "--grid"].map(color);
  const font = getComputedStyle(document.body).fontFamily;
  const words = { labelColor: muted, titleColor: muted, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  return {
    background: null, font, view: { stroke: null }, text: { color: text }, rule: { color: muted },
    axis: { ...words, labelColor: text, titlePadding: 8, domainColor: line, tickColor: line, gridColor: line, gridOpacity: 0.3 },
    header: { labelColor: text, labelFontSize: 12 }, legend: { ...words, labelColor: text, labelLimit: 210 },
  };
}

const fitting = () => Math.max(...widths.filter((_, at) => windows[at].matches));

function filtered(spec) {
  const copy = structuredClone(spec);
  const known = (name) => name === undefined || shownNames.has(name);
  copy.data.values = copy.data.values.filter((value) => known(value.name) && known(value.other));
  const names = new Set(copy.data.values.map((value) => value.name));
  const listed = copy.encoding ? [copy.encoding.color, copy.encoding.strokeDash] : [];
  for (const { scale } of listed.filter((each) => each?.field === "name")) {
    scale.range = scale.range.filter((_, at) => names.has(scale.domain[at]));
    scale.domain = scale.domain.filter((name) => names.has(name));
  }
  return copy;
}

function tip(_, event, item, value) {
  const box = document.getElementById("tip");
  box.hidden = value === null || value === undefined || value === "";
  if (box.hidden) return;
  box.textContent = Object.entries(value).map(([name, told]) => `${name}: ${told}`).join("\n");
  const { offsetWidth, offsetHeight } = box;
  const left = Math.min(event.clientX + 14, innerWidth - offsetWidth - 8);
  const below = event.clientY + 16;
  box.style.left = `${Math.max(left, 8)}px`;
  box.style.top = `${below + offsetHeight > innerHeight ? event.clientY - offsetHeight - 12 : below}px`;
}

async function draw(id) {
  const place = document.getElementById(id);
  const spec = filtered(charts[id][fitting()]);
  if (spec.data.values.length === 0) {
    place.textContent = "No row with these figures matches the filter.";
    return;
  }
  // The interpreter evaluates no text as code, which the page's policy would not allow.
  const how = { ast: true, actions: false, defaultStyle: false, renderer: "svg", tooltip: tip, config: config() };
  const { finalize } = await bundle.vegaEmbed(place, spec, how);
  finalizers.get(id)?.();
  finalizers.set(id, finalize);
}

const finalizers = new Map();
let drawing = Promise.resolve();

function drawAll() {
  drawing = drawing.then(async () => {
    for (const id of Object.keys(charts)) await draw(id);
    root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  });
}

// Commands.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("the browser lets no page copy");
  }
}

function setUpCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const code = button.previousElementSibling;
    try {
      await copy(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1800);
  });
}

function openTarget() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

setUpTheme();
setUpSorting();
setUpFilter();
setUpCopying();
openTarget();
addEventListener("hashchange", openTarget);
windows.forEach((each) => each.addEventListener("change", drawAll));
drawAll();
