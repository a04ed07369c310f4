
"use strict";
// Every text is added as text (`append`), never as HTML: names, logs and predictions are untrusted.
const DATA = JSON.parse(document.getElementById("data").textContent);
const DASH = "–";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function byId(id) {
  return document.getElementById(id);
}

// Replace the children of an element.
function show(id, ...children) {
  const node = byId(id);
  node.replaceChildren();
  fill(node, null, children);
}

function table(head, body, name) {
  return el("table", { class: name || "wide" }, el("thead", null, el("tr", null, head)), el("tbody", null, body));
}

// Numbers come as text from Python, which rounds them as in the tables; here they are only drawn.
// The number in a text, null for a dash.
function amount(text) {
  return text === DASH ? null : Number(text.replace("−", "-"));
}

// The class of a difference by its text: a zero has no sign.
function tone(text) {
  return text.startsWith("+") ? "up" : text.startsWith("−") ? "down" : "";
}

// The grid, for all parts of the page.
const ROWS = DATA.rows.map((row, index) => ({
  ...row,
  index,
  label: new Set(DATA.rows.map((r) => r.model)).size > 1 ? `${row.intermediate} (${row.model})` : row.intermediate,
  base: DATA.rows.findIndex((other) => other.model === row.model && other.intermediate === "none"),
}));
const CELLS = new Map();
for (const cell of DATA.cells) {
  const key = `${cell.row}/${cell.target}`;
  if (!CELLS.has(key)) CELLS.set(key, []);
  CELLS.get(key).push(cell);
}

// The cells of a row and target, one a seed.
function cellsAt(row, target) {
  return CELLS.get(`${row}/${target}`) || [];
}

const NAMES = (() => {
  try {
    const names = new Intl.DisplayNames(["en"], { type: "language" });
    return (code) => {
      try {
        return names.of(code);
      } catch {
        return code; // no code of a language, such as a task's own name for one
      }
    };
  } catch {
    return (code) => code;
  }
})();

// The worst state of some cells, by what the reader should see first.
const STATES = ["failed", "running", "stale", "partial", "missing", "done"];
function worst(cells) {
  return STATES.find((state) => cells.some((cell) => cell.state === state));
}
