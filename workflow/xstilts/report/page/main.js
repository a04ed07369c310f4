
// The overview and the address: `#cell/ROW/TARGET` is the page of a cell,
// `#class/QUESTION/CLASS` that of the cells behind an answer, anything else a section.

function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

function drawLead() {
  const models = new Set(ROWS.map((row) => row.model)).size, tasks = new Set(ROWS.map((row) => row.intermediate));
  tasks.delete("none");
  const languages = new Set(DATA.targets.flatMap((target) => target.languages)).size, { done = 0 } = DATA.states;
  show("lead", 
    `${count(models, "model", "models")}, first trained on ${tasks.size ? `each of ${count(tasks.size, "intermediate task", "intermediate tasks")}` : "no intermediate task"}, ` +
    `then scored zero-shot on ${count(DATA.targets.length, "target", "targets")} in ${count(languages, "language", "languages")}. `,
    done === DATA.cells.length ? `All ${DATA.cells.length} cells are done.` : el("a", { href: "#state" }, `${done} of ${DATA.cells.length} cells are done.`));
}

function drawState() {
  const order = ["done", "running", "partial", "stale", "failed", "missing"].filter((state) => DATA.states[state]);
  const bar = order.map((state) => {
    const part = el("i", { class: `s-${state}` });
    part.style.flexGrow = DATA.states[state];
    return part;
  });
  show("state-bar", el("div", { class: "bar", role: "img", "aria-label": order.map((s) => `${DATA.states[s]} ${s}`).join(", ") }, bar),
    el("ul", { class: "keys" }, order.map((state) => el("li", null, el("i", { class: `s-${state}` }), `${DATA.states[state]} ${state}`))));
  const problems = new Map(); // each reason once, with its first cell
  for (const cell of DATA.cells) {
    if (!cell.reason) continue;
    const key = `${cell.state} ${cell.reason} ${cell.log}`;
    const known = problems.get(key);
    problems.set(key, { more: known ? known.more + 1 : 0, first: known ? known.first : cell });
  }
  show("problems", [...problems.values()].slice(0, 50).map(({ first, more }) => el("div", { class: `problem ${first.state}` },
    el("p", null, el("span", { class: "badge" }, first.state), ": ", el("a", { href: cellLink(first.row, first.target) },
      `${ROWS[first.row].label} → ${DATA.targets[first.target].name}, ${first.seed}`), more ? ` and ${more} more` : ""),
    el("p", null, first.reason), el("p", null, el("code", null, first.log)))));
}

// The page of a part of the overview, by the address; false for an address of none.
const PAGES = {
  cell: (row, target) => Boolean(cellsAt(row, target).length) && (drawCell(row, target), true),
  class: (question, which) => Boolean(classAt(question, which)) && (drawClass(question, which), true),
};

function route() {
  const [, kind, a, b] = /^#(cell|class)\/(\d+)\/(\d+)$/.exec(location.hash) || [];
  const inside = kind && PAGES[kind](Number(a), Number(b)) ? kind : null;
  byId("overview").hidden = Boolean(inside);
  for (const name of Object.keys(PAGES)) {
    byId(name).hidden = name !== inside;
    if (name !== inside) show(name);
  }
  if (inside) {
    window.scrollTo(0, 0);
  } else {
    const section = location.hash.length > 1 && byId(location.hash.slice(1));
    if (section) section.scrollIntoView();
  }
}

drawLead();
drawQuestions();
drawMain();
show("notes", DATA.notes.map((note) => el("p", { class: "note" }, note)));
drawHeatmap();
drawLanguages();
setUpCompare();
drawState();
drawDownloads();
show("facts", pairs(DATA.facts), details("Revisions of data and models",
  el("pre", null, Object.entries(DATA.pins).map(([name, which]) => `${name}  ${which.join(" ")}`).join("\n") || "(none)")));
byId("filter").addEventListener("input", drawMain);
byId("language").addEventListener("input", drawLanguages);
window.addEventListener("hashchange", route);
route();
