
// The colour scale: centred on zero, shared by all fields, blue for a gain and orange for a loss. Its
// ends are dark in grey too; the sign is in the figure and in the hatching.
const PALE = [247, 247, 245], GAIN = [24, 90, 150], LOSS = [170, 84, 12];

// The end of the scale: the 90th percentile of the deltas without sign, so that one outlier does not
// make the rest pale.
const MAX_DELTA = (() => {
  const sizes = DATA.main.flatMap((row) => row.slice(0, -1).map((pair) => pair[1])).filter((d) => d !== null).map(Math.abs);
  sizes.sort((a, b) => a - b);
  return sizes.length ? Math.max(sizes[Math.min(sizes.length - 1, Math.floor(0.9 * sizes.length))], 0.1) : 1;
})();

function shade(delta) {
  const part = Math.min(1, Math.abs(delta) / MAX_DELTA);
  const end = delta < 0 ? LOSS : GAIN;
  const mixed = PALE.map((from, i) => Math.round(from + (end[i] - from) * part));
  // Relative luminance (WCAG 2); below 0.2 white text has more contrast than dark text.
  const [r, g, b] = mixed.map((c) => (c / 255) ** 2.2);
  return { css: `rgb(${mixed.join(",")})`, dark: 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.2 };
}

function paint(node, delta) {
  const { css, dark } = shade(delta);
  node.style.backgroundColor = css;
  node.classList.toggle("dark", dark);
  node.classList.toggle("loss", delta < 0);
  return node;
}
