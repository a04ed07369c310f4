
// Any two rows side by side.

function compareRow(name, a, b, kind) {
  const gain = minus(b, a);
  const mark = el("td", null, signed(gain));
  if (gain !== null) mark.classList.add(...[tone(gain)].filter(Boolean));
  return el("tr", { class: kind === "target" ? "target" : null },
    el("th", { scope: "row", class: kind === "language" ? "name inner" : "name" }, name),
    el("td", null, fixed(a)), el("td", null, fixed(b)), mark);
}

function drawCompare() {
  const a = Number(byId("left").value), b = Number(byId("right").value), deep = byId("by-language").checked;
  const head = [el("th", { class: "name" }, "target"), el("th", null, `A: ${ROWS[a].label}`), el("th", null, `B: ${ROWS[b].label}`), el("th", null, "B − A")];
  const body = DATA.targets.map((target, i) => [
    compareRow(target.name, DATA.main[a][i][0], DATA.main[b][i][0], deep ? "target" : null),
    deep ? target.languages.map((code, at) => compareRow(`${code} ${NAMES(code)}`, languageScore(a, i, at), languageScore(b, i, at), "language")) : null,
  ]);
  const last = DATA.targets.length;
  const average = compareRow("average", DATA.main[a][last][0], DATA.main[b][last][0], "target");
  show("compare-table", table(head, [body, average], null));
}

function setUpCompare() {
  for (const [id, chosen] of [["left", 0], ["right", Math.min(1, ROWS.length - 1)]]) {
    show(id, ROWS.map((row) => el("option", { value: row.index, selected: row.index === chosen }, row.label)));
    byId(id).addEventListener("change", drawCompare);
  }
  byId("by-language").addEventListener("change", drawCompare);
  drawCompare();
}
