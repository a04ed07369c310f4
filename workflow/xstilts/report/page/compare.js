
// Any two rows side by side.

function compareRow(name, a, b, gain, kind) {
  return el("tr", { class: kind === "target" ? "target" : null },
    el("th", { scope: "row", class: kind === "language" ? "name inner" : "name" }, name),
    el("td", null, a), el("td", null, b), el("td", { class: tone(gain) || null }, gain));
}

// The difference of two rows: there is one for each pair, its sign is that of the later row.
function differences(a, b) {
  if (a === b) return (texts) => texts.map((text) => (text === DASH ? DASH : "0.0"));
  const turned = { "+": "−", "−": "+" };
  return (texts) => a < b ? texts : texts.map((text) => (turned[text[0]] || text[0]) + text.slice(1));
}

function drawCompare() {
  const a = Number(byId("left").value), b = Number(byId("right").value), deep = byId("by-language").checked;
  const [overall, byLanguage] = DATA.differences[a < b ? `${a}/${b}` : `${b}/${a}`] || [DATA.main[a].map((field) => field.text), DATA.languages[a].map((all) => all.map(([score]) => score))];
  const gains = differences(a, b)(overall);
  const head = [el("th", { class: "name" }, "target"), el("th", null, `A: ${ROWS[a].label}`), el("th", null, `B: ${ROWS[b].label}`), el("th", null, "B − A")];
  const body = DATA.targets.map((target, i) => [
    compareRow(target.name, DATA.main[a][i].text, DATA.main[b][i].text, gains[i], deep ? "target" : null),
    deep ? target.languages.map((code, at) => compareRow(`${code} ${NAMES(code)}`, DATA.languages[a][i][at][0], DATA.languages[b][i][at][0],
      differences(a, b)(byLanguage[i])[at], "language")) : null,
  ]);
  const last = DATA.targets.length;
  const average = compareRow("average", DATA.main[a][last].text, DATA.main[b][last].text, gains[last], "target");
  show("compare-table", table(head, [body, average], null));
}

function setUpCompare() {
  if (DATA.differences === null) {
    show("compare-tools", "There are too many rows to hold the differences of all pairs; tables/main.csv has the scores.");
    return;
  }
  const first = Object.values(DATA.differences)[0];
  byId("by-language").disabled = Boolean(first) && first[1] === null;
  for (const [id, chosen] of [["left", 0], ["right", Math.min(1, ROWS.length - 1)]]) {
    show(id, ROWS.map((row) => el("option", { value: row.index, selected: row.index === chosen }, row.label)));
    byId(id).addEventListener("change", drawCompare);
  }
  byId("by-language").addEventListener("change", drawCompare);
  drawCompare();
}
