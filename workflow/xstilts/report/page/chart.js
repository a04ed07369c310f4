
// Charts, drawn as SVG without a library.

// The ticks of an axis: round numbers, about four of them.
function ticks(low, high) {
  const rough = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= rough);
  const values = [];
  for (let x = Math.ceil(low / step) * step; x <= high + step / 1e6; x += step) values.push(Number(x.toPrecision(12)));
  return values;
}

// A learning curve: the dev score as a line with points, the loss dashed, each on its own axis.
function learningCurve(training) {
  const width = 480, height = 220, left = 42, right = 46, top = 24, bottom = 34;
  const { curve: points, chance } = training;
  const last = Math.max(...points.map((p) => p[0]), 1);
  const x = (step) => left + (step / last) * (width - left - right);
  const axis = (values, smallest) => {
    const low = Math.min(...values), high = Math.max(...values), room = Math.max((high - low) * 0.1, (smallest - high + low) / 2);
    const from = low - room, to = high + room;
    return { y: (v) => top + (1 - (v - from) / (to - from)) * (height - top - bottom), ticks: ticks(from, to) };
  };
  // Tenths of a point do not fill the height.
  const score = axis([...points.map((p) => p[2]), ...(chance === null ? [] : [chance])], 5), loss = axis(points.map((p) => p[1]), 0.1);
  const path = (y, column) => points.map((p, i) => `${i ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[column]).toFixed(1)}`).join("");
  const text = (at, y, anchor, label) => svg("text", { x: at, y, "text-anchor": anchor }, String(label));
  const best = points.find((p) => p[0] === training.best);
  const label = `dev score and loss over ${last} steps, best at step ${training.best}`;
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "curve" },
    score.ticks.map((v) => [
      svg("line", { x1: left, x2: width - right, y1: score.y(v), y2: score.y(v), stroke: "#e6e8ea" }),
      text(left - 6, score.y(v) + 4, "end", v),
    ]),
    loss.ticks.map((v) => text(width - right + 11, loss.y(v) + 4, "start", v)),
    ticks(0, last).map((v) => text(x(v), height - bottom + 16, "middle", v)),
    text((left + width - right) / 2, height - 4, "middle", "step"),
    text(left - 36, 10, "start", "dev score, %"), text(width - 2, 10, "end", "loss (dashed)"),
    chance === null ? null : [
      svg("line", { x1: left, x2: width - right, y1: score.y(chance), y2: score.y(chance), stroke: "#59626b", "stroke-dasharray": "2 3" }),
      text(left + 4, score.y(chance) - 4, "start", "chance"),
    ],
    svg("path", { d: path(score.y, 2), fill: "none", stroke: "#1d4f7c", "stroke-width": 2 }),
    svg("path", { d: path(loss.y, 1), fill: "none", stroke: "#8b939b", "stroke-width": 1.5, "stroke-dasharray": "5 4" }),
    points.map((p) => svg("circle", { cx: x(p[0]), cy: score.y(p[2]), r: 3, fill: "#1d4f7c" })),
    best ? svg("circle", { cx: x(best[0]), cy: score.y(best[2]), r: 6, fill: "none", stroke: "#1d4f7c", "stroke-width": 1.5 }) : null);
}

// A bar for a score of 0 to 100, with a tick at the score of the row `none`, a thin one at chance; a
// correlation below 0 has no bar.
function scoreBar(text, base, chance) {
  const at = (x) => Math.min(100, Math.max(0, x));
  const tick = (name, width, fill) => name === "" || amount(name) === null ? null :
    svg("rect", { x: at(amount(name)) - width / 2, y: 0, width, height: 10, fill });
  const value = amount(text);
  return svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { x: 0, y: 2, width: 100, height: 6, fill: "#eef0ef" }),
    value === null ? null : svg("rect", { x: 0, y: 2, width: at(value), height: 6, fill: "#7f9fbb" }),
    tick(chance, 0.5, "#8b939b"), tick(base, 0.8, "#1c2126"));
}
