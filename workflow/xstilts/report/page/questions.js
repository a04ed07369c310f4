
// The questions that are asked of the grid: sentence, figure, table; and the cells behind a class.

function classAt(question, which) {
  return DATA.questions[question] && DATA.questions[question].classes[which];
}

function answerRow(question, { class: which, name, cells, marked }) {
  const label = which === null ? name : el("a", { href: `#class/${question}/${which}` }, name);
  return el("tr", null, el("th", { scope: "row", class: "name", dir: "auto" }, label),
    cells.map((text, at) => el("td", { class: text === DASH ? "none" : null }, text, marked && !at ? "*" : "")));
}

function answerTable({ columns, blocks }, question) {
  const head = [el("th", { class: "name" }, "class"), columns.map((name) => el("th", { scope: "col" }, name))];
  const body = blocks.map(({ heading, rows }) => [
    el("tr", { class: "block" }, el("th", { scope: "colgroup", colspan: columns.length + 1 }, heading)),
    rows.map((row) => answerRow(question, row)),
  ]);
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The answer as a table" }, table(head, body, "wide"));
}

function missingCells({ cells, more }) {
  return details("Missing cells", el("ul", { class: "missing" },
    cells.map(({ name, at }) => el("li", null, at ? el("a", { href: cellLink(...at) }, name) : name)),
    more ? el("li", null, `and ${more} more`) : null));
}

// A figure wider than a column of print is not shrunk: on a phone it scrolls.
function answerFigure({ src, width, height }, alt) {
  const enlarged = 1.15;
  return el("figure", null, el("img", { src, alt, width: width * enlarged, height: height * enlarged, class: width < 400 ? "narrow" : null }));
}

function questionPart(question, index) {
  const { name, ask, sentence, answered, figure, notes } = question;
  return el("article", { class: answered ? "question" : "question open", id: `question-${index}` },
    el("h3", { dir: "auto" }, ask), el("p", { class: "sentence" }, sentence),
    answered ? el("div", { class: "answer" }, figure ? answerFigure(figure, sentence) : null, answerTable(question, index)) : null,
    question.missing.cells.length ? missingCells(question.missing) : null,
    notes.length ? el("p", { class: "note" }, notes.join(" ")) : null,
    answered ? saved([`tables/questions/${name}.csv`, `tables/questions/${name}.tex`, `figures/questions/${name}.pdf`]) : null);
}

function drawQuestions() {
  byId("questions").hidden = byId("to-questions").hidden = !DATA.questions.length;
  show("answers", DATA.questions.map(questionPart));
}

function drawClass(question, which) {
  const { ask } = DATA.questions[question], { name, rows, targets, languages } = classAt(question, which);
  show("class",
    el("p", { class: "crumb" }, el("a", { href: `#question-${question}` }, "← the question")),
    el("h2", { dir: "auto" }, name), el("p", { class: "note", dir: "auto" }, ask),
    el("p", { class: "note" }, `The class is over ${count(languages.length, "language", "languages")}: ${languages.join(", ")}. Here are the cells behind it, each as in the main table: over all of its languages, median over seeds.`),
    rows.length && targets.length ? el("div", { class: "scroll" }, heatmap(rows, targets)) : el("p", { class: "note" }, "This grid has none of its cells any more."));
}
