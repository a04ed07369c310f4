
// A difference is painted as in the figures: Python says how.
function paint(node, { colour, dark, loss }) {
  node.style.backgroundColor = colour;
  node.classList.toggle("dark", dark);
  node.classList.toggle("loss", loss);
  return node;
}
