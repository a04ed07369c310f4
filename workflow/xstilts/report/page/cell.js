
// The page of a cell: a row and a target, with all its seeds.

function scoreSummary(row, target) {
  const { text, delta } = DATA.main[row][target], { metric, chance } = DATA.targets[target];
  return el("div", { class: "figures" },
    el("div", null, el("b", null, text), `${metric}, percent`),
    delta === undefined ? null : el("div", null, el("b", { class: tone(delta) }, delta), "points over none"),
    chance.mean ? el("div", null, el("b", null, chance.mean), "by chance") : null);
}

function scoresByLanguage(row, target, cells) {
  const { languages, chance } = DATA.targets[target], base = ROWS[row].base, compared = base >= 0 && base !== row;
  // In classification it is the same in all languages, and stands above.
  const known = chance.languages.some(Boolean), guess = new Set(chance.languages).size > 1;
  const head = [el("th", { class: "name" }, "language"), el("th", { class: "hbar" }, ""),
    cells.length > 1 ? cells.map((cell) => el("th", null, cell.seed)) : null,
    el("th", null, cells.length > 1 ? "median" : "score"), compared ? [el("th", null, "none"), el("th", null, "gain")] : null,
    guess ? el("th", null, "chance") : null];
  const body = languages.map((code, at) => {
    const [score, gain] = DATA.languages[row][target][at];
    const none = compared ? DATA.languages[base][target][at][0] : DASH;
    return el("tr", null, el("th", { scope: "row", class: "name" }, code, " ", el("span", { class: "model" }, NAMES(code))),
      el("td", { class: "hbar" }, scoreBar(score, none, chance.languages[at])),
      cells.length > 1 ? cells.map((cell) => el("td", null, cell.scores[at])) : null, el("td", null, score),
      compared ? [el("td", null, none), el("td", { class: tone(gain) || null }, gain || DASH)] : null,
      guess ? el("td", { class: "model" }, chance.languages[at] || DASH) : null);
  });
  const ticks = [compared ? "black: none" : null, known ? "grey: chance" : null].filter(Boolean);
  return [el("div", { class: "scroll" }, table(head, body)),
    ticks.length ? el("p", { class: "note" }, `Ticks on the bars (0 to 100): ${ticks.join(", ")}.`) : null];
}

function pairs(list) {
  return el("dl", null, list.map(([name, text]) => [el("dt", null, name), el("dd", null, String(text))]));
}

function details(name, content) {
  return el("details", null, el("summary", null, name), content);
}

function trainingPart(index) {
  const training = DATA.trainings[index], recipe = training.spec.recipe || {};
  const settings = Object.entries(recipe).filter(([, value]) => value !== null).map(([name, value]) => [name.replaceAll("_", " "), value]);
  const stage = training.folder.startsWith("results/encoders/") ? "Intermediate training" : "Tuning";
  return el("div", null,
    el("h3", null, `${stage}: ${training.task}`),
    el("figure", null, training.curve.length > 1 ? learningCurve(training) : null, el("figcaption", null, `${training.folder}: `,
      training.curve.length > 1 ? `ring: the step that was kept (${training.best})` : `evaluated once, at step ${training.best}: dev score ${training.score}`)),
    training.warnings.map((text) => el("div", { class: "problem stale" }, el("p", null, text))),
    pairs(training.facts), details("Recipe", pairs(settings)), details("Spec", el("pre", null, JSON.stringify(training.spec, null, 1))));
}

function seedPart(cell) {
  return el("div", null,
    cell.reason ? el("div", { class: `problem ${cell.state}` }, el("p", { class: "badge" }, cell.state), el("p", null, cell.reason)) : null,
    cell.trainings.length ? el("div", { class: "two" }, cell.trainings.map(trainingPart)) : null,
    cell.spec ? details("Spec of the score", el("pre", null, JSON.stringify(cell.spec, null, 1))) : null,
    el("details", { open: cell.state !== "done" }, el("summary", null, "Log"),
      el("p", { class: "note" }, el("code", null, cell.log)), el("pre", null, cell.tail.join("\n") || "(no log)")));
}

function exampleBox(example, code) {
  const partly = !example.right && example.value > 0, off = "error" in example ? `off by ${example.error}` : null;
  return el("div", { class: example.right ? "example right" : "example" },
    el("span", { class: "badge" }, off ? off : example.right ? "✓ right" : partly ? `✗ partly right (${example.value})` : "✗ wrong"),
    el("dl", null, example.shown.map(([name, text]) => [el("dt", null, name), el("dd", { lang: code, dir: "auto" }, text)])));
}

function examplesPart(target, cells) {
  const cell = cells.find((candidate) => Object.keys(candidate.examples).length);
  if (!cell) return null;
  const codes = Object.keys(cell.examples), box = el("div", { class: "examples" });
  const select = el("select", { id: "example-language" }, codes.map((code) => el("option", { value: code }, `${NAMES(code)} (${code})`)));
  const draw = () => box.replaceChildren(...cell.examples[select.value].map((example) => exampleBox(example, select.value)));
  select.addEventListener("change", draw);
  draw();
  const without = DATA.targets[target].languages.filter((code) => !codes.includes(code));
  return el("section", null, el("h2", null, "Predictions"), el("div", { class: "tools" }, el("label", null, "Language ", select),
    without.length ? el("span", null, `none here for ${without.join(", ")}`) : null), box);
}

function drawCell(row, target) {
  const cells = cellsAt(row, target), several = cells.length > 1;
  const counts = cells.map((cell) => `${several ? `${cell.seed} ` : ""}${cell.state}, ${cell.have} of ${cell.asked} languages${cell.collapsed ? ", collapsed" : ""}`).join("; ");
  show("cell", 
    el("p", { class: "crumb" }, el("a", { href: "#heatmap" }, "← all results")),
    el("h2", null, `${ROWS[row].intermediate} → ${DATA.targets[target].name}`),
    el("p", { class: "note" }, `model ${ROWS[row].model}; ${counts}`),
    scoreSummary(row, target), scoresByLanguage(row, target, cells),
    saved([`tables/languages/${DATA.targets[target].name}.csv`, `tables/languages/${DATA.targets[target].name}.tex`,
      `figures/languages/${ROWS[row].model}/${DATA.targets[target].name}.pdf`]),
    el("section", null, el("h2", null, "Training and log"),
      cells.map((cell, at) => several ? el("details", { open: at === 0 }, el("summary", null, cell.seed), seedPart(cell)) : seedPart(cell))), examplesPart(target, cells));
}
