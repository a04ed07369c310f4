
// The files that the page holds, to save: tables and figures.

async function save(name) {
  const bytes = Uint8Array.from(atob(DATA.files[name]), (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const link = el("a", { href: URL.createObjectURL(await new Response(unpacked).blob()), download: name.split("/").slice(1).join("-") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function saveButton(name) {
  return el("button", { type: "button", class: "save", "aria-label": `save ${name}`, onclick: () => save(name) }, name.split(".").at(-1));
}

// A line of buttons for those of some files that are here; null if none is.
function saved(names) {
  const here = names.filter((name) => name in DATA.files);
  return here.length ? el("p", { class: "note saves" }, "Save as ", here.map((name) => [saveButton(name), " "])) : null;
}

function drawDownloads() {
  const parts = new Map(); // table or figure -> its files
  for (const name of Object.keys(DATA.files)) {
    const stem = name.slice(0, name.lastIndexOf("."));
    parts.set(stem, [...(parts.get(stem) || []), name]);
  }
  const lines = [...parts].map(([stem, names]) => el("li", null, stem, " ", names.map((name) => [saveButton(name), " "])));
  show("files", lines.length ? el("ul", { class: "files" }, lines) : el("p", { class: "note" }, "No tables and figures lie beside the data of this page."),
    DATA.left_out.length ? el("p", { class: "note" }, `Too large for this page, in the folder of the experiment: ${DATA.left_out.join(", ")}.`) : null);
  for (const [id, names] of [["save-main", ["tables/main.csv", "tables/main.tex"]], ["save-heatmap", ["figures/heatmap.pdf"]]])
    show(id, saved(names));
}
