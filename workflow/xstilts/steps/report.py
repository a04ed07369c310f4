"""Step: grid.csv, scores, records and logs -> `report.html`, one page that opens offline."""

import argparse
from pathlib import Path

from xstilts.report import contents, page
from xstilts.running import step
from xstilts.running.files import atomic


def main(args: argparse.Namespace) -> None:
    """Write the page; print the number of cells by state."""
    data = contents.read(Path(args.grid), Path(args.tables) if args.tables else None)
    with atomic(args.out) as path:
        path.write_text(page.render(data), encoding="utf-8")
    size = Path(args.out).stat().st_size / 2**20
    states = ", ".join(f"{count} {name}" for name, count in data["states"].items())
    print(f"{args.out}: {size:.1f} MB; cells: {states}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(prog="xstilts.report", description=__doc__)
    p.add_argument("--grid", required=True, help="grid.csv, with config.yaml beside it")
    p.add_argument("--tables", help="folder of the result tables, to mark significant differences")
    p.add_argument("--out", required=True, help="the HTML file to write")
    return p


if __name__ == "__main__":
    step.run(main, parser())
