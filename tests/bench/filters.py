"""How long filters take, and how many rows of human translations they drop.

    PYTHONPATH=workflow:. python tests/bench/filters.py --data /work/shared/data [--rows 20000]

Premise and hypothesis of XNLI's dev and test rows in English and in the languages of `--data`,
again and again (with a number at the end, so that no row is a duplicate) until there are so many;
each language is filtered by `strict` as the step does it, files and all. Printed are seconds
of the processor a row, what that makes of 400,000 rows in 15 languages on two cores, the peak of
the memory at so many rows and at a quarter of them, and the share that `basic` and `strict` drop of
the rows as they are: these are translations by people, so what is dropped of them is too much.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from xstilts.data import prepare
from xstilts.experiment.filters import PRESETS
from xstilts.translation import passing

XNLI, HOME = "datasets/facebook/xnli", "en"
ROWS, LANGUAGES, CORES = 400_000, 15, 2  # of the goal


def pairs(data: Path, lang: str) -> list[tuple[str, str]]:
    """Return premises and hypotheses."""
    found = []
    for split in ("validation", "test"):
        rows = pq.read_table(data / XNLI / lang / f"{split}-00000-of-00001.parquet").to_pylist()
        found += [(row["premise"], row["hypothesis"]) for row in rows]
    return found


def write(path: Path, texts: list[tuple[str, str]], lang: str, count: int) -> None:
    """Write so many prepared rows."""
    rows = []
    for number in range(count):
        again, at = divmod(number, len(texts))
        one, other = texts[at]
        rows.append(
            {
                "id": str(number),
                "text": one,
                "text_pair": f"{other} {again}" if again else other,
                "label": "neutral",
            }
        )
    about = {"spec": {"hub": XNLI, "lang": lang}, "pin": {"revision": "1"}}
    prepare.write(path, rows, "classification", about)


def filtered(folder: Path, lang: str, by: str) -> dict[str, Any]:
    """Filter the rows of a language."""
    files = passing.Files(str(folder / "en.parquet"), [str(folder / f"{lang}.parquet")], {})
    rows = passing.Rows("classification", lang, HOME)
    record = {"rows_total": 0, "dropped": {}}
    out, measured = folder / "out.parquet", folder / "measures.parquet"
    return passing.passed(files, rows, PRESETS[by], out, measured, record)


def one(folder: Path, lang: str) -> None:
    """Filter once, print the seconds of the processor and the peak of the memory."""
    start = time.process_time()
    filtered(folder, lang, "strict")
    status = Path("/proc/self/status").read_text()  # of this program alone, not of its parent
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    print(json.dumps({"seconds": time.process_time() - start, "megabytes": peak}))


def measured(folder: Path, lang: str) -> dict[str, float]:
    """Return the same of a process of its own."""
    command = [sys.executable, __file__, "--one", str(folder), lang]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--one", nargs=2)
    args = parser.parse_args()
    if args.one:
        one(Path(args.one[0]), args.one[1])
        return
    known = sorted(path.name for path in (args.data / XNLI).iterdir() if path.is_dir())
    texts = {lang: pairs(args.data, lang) for lang in known}
    known.remove(HOME)
    with tempfile.TemporaryDirectory() as name:
        folder, seconds = Path(name), []
        for lang in known:
            found = {}
            for count in (args.rows // 4, args.rows):
                write(folder / "en.parquet", texts[HOME], HOME, count)
                write(folder / f"{lang}.parquet", texts[lang], lang, count)
                found[count] = measured(folder, lang)
            each = found[args.rows]["seconds"] / args.rows
            seconds.append(each)
            print(
                f"{lang}: {1e6 * each:.0f} µs a row, peak {found[args.rows // 4]['megabytes']:.0f}"
                f" MB at {args.rows // 4} rows, {found[args.rows]['megabytes']:.0f} at {args.rows}",
                flush=True,
            )
            write(folder / "en.parquet", texts[HOME], HOME, len(texts[HOME]))
            write(folder / f"{lang}.parquet", texts[lang], lang, len(texts[HOME]))
            for by in ("basic", "strict"):
                counts = filtered(folder, lang, by)
                lost = 1 - counts["rows_kept"] / len(texts[HOME])
                why = ", ".join(f"{reason} {n}" for reason, n in counts["dropped"].items())
                print(f"    {by} drops {100 * lost:.1f}% of {len(texts[HOME])}: {why}", flush=True)
    all_of_them = sum(seconds) / len(seconds) * ROWS * LANGUAGES / CORES / 60
    print(f"{ROWS} rows in {LANGUAGES} languages on {CORES} cores: {all_of_them:.1f} minutes")


if __name__ == "__main__":
    main()
