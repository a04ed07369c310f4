"""Make the pictures of the README from a finished experiment: docs/images/heatmap.png, report.png.

    python docs/pictures.py [--experiment results/experiments/default]

Needs Playwright and a Chromium, as the tests of the report do.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).parent / "images"
COLOURS = 256  # in a picture: text and flat colours need no more, and it is half the size
WIDTH, HEIGHT = 1100, 1180  # of the part of the page that is shown


def main(experiment: Path, out: Path) -> str | None:
    """Write the pictures; return what is missing for them."""
    figure, page = experiment / "figures/heatmap.png", experiment / "report.html"
    for path in (figure, page):
        if not path.exists():
            return f"{path}: there is no such file; `make run` makes it"
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        return "there is no Chromium (Debian: apt-get install chromium; or set CHROMIUM)"
    out.mkdir(exist_ok=True)
    _optimise(figure, out / "heatmap.png")
    _photograph(page, out / "report.png", program)
    _optimise(out / "report.png", out / "report.png")
    return None


def _photograph(page: Path, out: Path, program: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root, as in a container, has no sandbox.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        tab.goto(page.absolute().as_uri())
        tab.screenshot(path=out)
        browser.close()


def _optimise(picture: Path, out: Path) -> None:
    with Image.open(picture) as image:
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    flat.quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, default=Path("results/experiments/default"))
    parser.add_argument("--out", type=Path, default=IMAGES)
    args = parser.parse_args()
    sys.exit(main(args.experiment, args.out))
