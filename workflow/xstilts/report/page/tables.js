
// The tables of the overview: results (sorted, filtered), heatmap, a language.
const SORT = { column: null, down: true };

function cellLink(row, target) {
  return `#cell/${row}/${target}`;
}

function marks({ marked, overlaps }) {
  return (marked ? "*" : "") + (overlaps ? "†" : "");
}

function sortValue(row, column) {
  if (column === "model" || column === "intermediate") return ROWS[row][column];
  return DATA.main[row][column].value;
}

function sortedRows() {
  const rows = ROWS.map((row) => row.index);
  if (SORT.column === null) return rows;
  const sign = SORT.down ? -1 : 1;
  return rows.sort((a, b) => {
    const x = sortValue(a, SORT.column), y = sortValue(b, SORT.column);
    if (x === null || y === null) return (x === null) - (y === null); // missing values last
    return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
  });
}

function sortHead(column, name, under) {
  const isText = typeof column === "string";
  const sorted = SORT.column === column ? (SORT.down ? "descending" : "ascending") : "none";
  const sort = () => {
    // Names ascending first, numbers descending: the best row on top.
    SORT.down = SORT.column === column ? !SORT.down : !isText;
    SORT.column = column;
    drawMain();
    byId("main-table").querySelector(`[data-column="${column}"]`).focus();
  };
  return el("th", { scope: "col", "aria-sort": sorted, class: column === "intermediate" ? "name" : null },
    el("button", { type: "button", onclick: sort, "data-column": column }, name), under ? el("small", null, under) : null);
}

function drawMain() {
  const query = byId("filter").value.trim().toLowerCase();
  const models = new Set(ROWS.map((row) => row.model)).size > 1;
  const head = [
    sortHead("intermediate", "intermediate"), models ? sortHead("model", "model") : null,
    DATA.targets.map((target, i) => sortHead(i, target.name, target.chance.mean ? `${target.metric}, chance ${target.chance.mean}` : target.metric)), sortHead(DATA.targets.length, "average", " "),
  ];
  const body = sortedRows().filter((row) => `${ROWS[row].model} ${ROWS[row].intermediate}`.toLowerCase().includes(query))
    .map((row) => el("tr", null,
      el("th", { scope: "row", class: "name" }, ROWS[row].intermediate), models ? el("td", { class: "model" }, ROWS[row].model) : null,
      DATA.main[row].map(({ text, delta, best, ...of }) => el("td", null,
        el("span", { class: text === DASH ? "none" : best ? "best" : null }, text),
        " ", el("span", { class: `delta ${tone(delta || "")}` }, delta, marks(of))))));
  show("main-table", body.length ? table(head, body) : el("p", { class: "note" }, "No row of that name."));
}

function heatmapCell(row, target) {
  const cells = cellsAt(row, target);
  if (!cells.length) return el("td", null, "");
  const { text, delta, paint: painted, ...of } = DATA.main[row][target], state = worst(cells);
  const label = `${ROWS[row].label}, ${DATA.targets[target].name}: ${state === "done" ? text : state}`;
  const link = el("a", { href: cellLink(row, target), "aria-label": delta === undefined ? label : `${label}, ${delta}` });
  if (delta !== undefined) paint(link, painted).append(delta, marks(of));
  else if (state !== "done") fill(link, { class: "not-done" }, [state]);
  else fill(link, { class: "plain" }, [text]);
  return el("td", null, link);
}

// Rows and targets by their indices.
function heatmap(rows, targets) {
  const head = [el("th", { class: "name" }, ""), targets.map((target) => el("th", { scope: "col" }, DATA.targets[target].name))];
  const body = rows.map((row) => el("tr", null, el("th", { scope: "row", class: "name" }, ROWS[row].label),
    targets.map((target) => heatmapCell(row, target))));
  return table(head, body, "heat");
}

function drawHeatmap() {
  show("heatmap-table", heatmap(ROWS.map((row) => row.index), DATA.targets.map((_, target) => target)));
  show("legend", el("span", null, `≤ ${DATA.scale.low}`), el("span", { class: "scale" }, DATA.scale.steps.map((step) => paint(el("i"), step))),
    el("span", null, `≥ ${DATA.scale.high}`), el("span", null, "points; unpainted: the score itself"));
}

function languageTable(code) {
  const targets = DATA.targets.map((t, index) => ({ index, name: t.name, at: t.languages.indexOf(code) })).filter((t) => t.at >= 0);
  const head = [el("th", { class: "name" }, "intermediate"), targets.map((t) => el("th", { scope: "col" }, t.name))];
  const body = ROWS.map((row) => el("tr", null, el("th", { scope: "row", class: "name" }, row.label), targets.map((t) => {
    const [score, gain] = DATA.languages[row.index][t.index][t.at];
    return el("td", null, score === DASH ? el("span", { class: "none" }, DASH) : el("a", { href: cellLink(row.index, t.index) }, score),
      " ", el("span", { class: `delta ${tone(gain)}` }, gain));
  })));
  return [el("h3", { lang: "en" }, `${NAMES(code)} (${code})`), el("div", { class: "scroll" }, table(head, body))];
}

function drawLanguages() {
  const query = byId("language").value.trim().toLowerCase();
  const codes = [...new Set(DATA.targets.flatMap((t) => t.languages))].sort((a, b) => (b === "en") - (a === "en") || (a < b ? -1 : 1));
  const exact = codes.filter((code) => code.toLowerCase() === query);
  const matches = exact.length ? exact : codes.filter((code) => `${code} ${NAMES(code)}`.toLowerCase().includes(query));
  const choose = (code) => () => { byId("language").value = code; drawLanguages(); };
  if (!matches.length) show("language-table", el("p", { class: "note" }, `No language of the grid is called so; it has ${codes.join(", ")}.`));
  else if (matches.length > 3) show("language-table", el("ul", { class: "keys" },
    matches.map((code) => el("li", null, el("a", { href: "#languages", onclick: choose(code) }, `${NAMES(code)} (${code})`)))));
  else show("language-table", matches.flatMap(languageTable));
}
