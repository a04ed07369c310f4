"""What it takes to measure the alignment of an encoder: seconds of the clock and of the processor.

    PYTHONPATH=workflow:. python tests/bench/aligning.py --data /work/shared/data [--threads 2]

The hypotheses of XNLI's test rows from `datasets/facebook/xnli` of `--data`, in its languages and,
up to 14 beside English, in some of them again; every layer of `models/local/me5-small-xlmr-32k-6l`,
every measure. `--values FILE` keeps what is found, or says how far it is from what the file has.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from xstilts.data import prepare
from xstilts.metrics.alignment import BETTER
from xstilts.models import lean
from xstilts.running.files import write_json
from xstilts.scoring import alignment

MODEL = "models/local/me5-small-xlmr-32k-6l"
XNLI = "datasets/facebook/xnli"
PIVOT = "en"


def write(data: Path, folder: Path, count: int) -> dict[str, str]:
    """Write the rows of `count` languages and English; return language -> file."""
    known = sorted(path.name for path in (data / XNLI).iterdir() if path.is_dir())
    known.remove(PIVOT)
    files = {PIVOT: _rows(data, folder, PIVOT)}
    for at in range(count):
        again, of = divmod(at, len(known))
        name = known[of] + (str(again + 1) if again else "")
        files[name] = files[known[of]] if again else _rows(data, folder, known[of])
    return files


def _rows(data: Path, folder: Path, lang: str) -> str:
    table = pq.read_table(data / XNLI / lang / "test-00000-of-00001.parquet")
    texts = table["hypothesis"].to_pylist()
    out = folder / f"{lang}.parquet"
    about = {"spec": {"hub": XNLI, "lang": lang}, "pin": {"revision": "1"}}
    rows = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    prepare.write(out, rows, "mlm", about)
    return str(out)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--languages", type=int, default=14, help="beside English")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--values", type=Path)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    lean.allow()  # as the step does
    spec = {
        "task": "xnli", "column": "text", "pivot": PIVOT, "data": ["a", "b"], "rows": args.rows,
        "max_length": 512, "layers": "all", "measures": list(BETTER), "version": 1,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files = write(args.data, Path(folder), args.languages)
        specs = {lang: spec for lang in files if lang != PIVOT}
        clock, processor = time.monotonic(), time.process_time()
        node = {"weights": "", "pins": {}, "spec": {}}
        aligner = alignment.Aligner(str(args.data / MODEL), node, [], 65536, folder)
        found, tokens = {}, 0
        for lang, record in alignment.measured(aligner, "alignment: xnli", specs, {}, files):
            if isinstance(record, Exception):
                raise record
            found[lang] = record["layers"]
            tokens += record["tokens"]
        clock, processor = time.monotonic() - clock, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{len(found) + 1} languages, {record['sentences']} sentences each, {tokens} tokens,"
        f" {len(record['layers'])} layers, {record['precision']}, {args.threads} threads:"
        f" {clock:.1f} s, {processor:.1f} s of the processor, {peak:.2f} GB; load"
        f" {os.getloadavg()[0]:.1f}"
    )
    if args.values and args.values.exists():
        before = json.loads(args.values.read_text())
        for measure in BETTER:
            most = max(
                abs(value[measure] - before[lang][layer][measure])
                for lang, layers in found.items()
                for layer, value in layers.items()
            )
            print(f"{measure}: largest difference {most:.2g}")
    elif args.values:
        write_json(args.values, found)


if __name__ == "__main__":
    main()
