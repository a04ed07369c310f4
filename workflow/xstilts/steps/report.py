"""Step: grid.csv, scores, records, logs, tables, figures -> `report.html`, which opens offline."""

import argparse
from pathlib import Path

from xstilts.monitoring import cell_states, products
from xstilts.report import contents, page
from xstilts.running.files import atomic
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write the page; print the number of cells by state."""
    data = contents.read(Path(args.grid), Path(args.tables) if args.tables else None, args.lock)
    with atomic(args.out) as path:
        path.write_text(page.render(data), encoding="utf-8")
    size = Path(args.out).stat().st_size / 2**20
    states = ", ".join(f"{count} {name}" for name, count in data["states"].items())
    if args.record:
        folder, scores = Path(args.grid).parent, cell_states.read_grid(args.grid)["score"]
        parts = [products.record_of(str(folder), rule) for rule in ("tables", "figures")]
        inputs = [args.grid, folder / "config.yaml", *products.cells_of(scores), *parts]
        products.write(args.record, "report", inputs)
    print(f"{args.out}: {size:.1f} MB; cells: {states}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--grid", required=True, help="grid.csv, with config.yaml beside it")
    p.add_argument("--tables", help="folder of the result tables, to mark significant differences")
    p.add_argument("--out", required=True, help="the HTML file to write")
    p.add_argument("--lock", default="", help="lock file of the experiment")
    p.add_argument("--record", help="says that the report is whole, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
