"""Seconds and memory of `prepare` on HotpotQA's train split.

    PYTHONPATH=workflow:. python tests/bench/paragraphs.py ../shared/data [--context 1]

multiplies the real rows of the mirror (hotpotqa/hotpot_qa, distractor, validation), each copy under
ids of its own, until there are as many as HotpotQA has to train on (`--rows`); writes them as one
parquet file; and runs the step on it in a process of its own. Prints its time, its peak of memory,
and rows by why they were dropped.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xstilts.data import pin, prepare

HUB, CONFIG = "hotpotqa/hotpot_qa", "distractor"
CARD = """---
configs:
- config_name: distractor
  data_files:
  - split: train
    path: rows.parquet
---
"""


def multiplied(table: pa.Table, rows: int) -> pa.Table:
    """Return a table of so many rows, copies of the given ones, each with an id of its own."""
    copies = []
    for number in range(-(-rows // len(table))):
        ids = pc.binary_join_element_wise(table["id"], pa.scalar(str(number)), "-")
        copies.append(table.set_column(table.column_names.index("id"), "id", ids))
    return pa.concat_tables(copies).slice(0, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mirror", type=Path, help="with datasets/hotpotqa/hotpot_qa")
    parser.add_argument("--rows", type=int, default=90_447)
    parser.add_argument("--context", default="1")
    args = parser.parse_args()
    (real,) = sorted(args.mirror.glob(f"datasets/{HUB}/{CONFIG}/validation-*.parquet"))
    spec = {
        "kind": "data", "task": "hotpotqa", "format": "span", "hub": HUB, "config": CONFIG,
        "split": "train", "lang": "en", "rows": "hotpot", "columns": {}, "max_rows": None,
        "context": int(args.context) if args.context.isdecimal() else args.context,
        "strata": {"type": "type", "answer": "answer"},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        folder = root / "datasets" / HUB
        folder.mkdir(parents=True)
        (folder / "README.md").write_text(CARD)
        pq.write_table(multiplied(pq.read_table(real), args.rows), folder / "rows.parquet")
        pinned = pin.resolve("datasets", str(root), root, HUB, "main")
        (root / "pin.json").write_text(json.dumps(pinned))
        step = [
            sys.executable, "-m", "xstilts.steps.prepare", "--spec", json.dumps(spec), "--source",
            str(root), "--root", str(root), "--pin", str(root / "pin.json"), "--out",
            str(root / "out.parquet"),
        ]  # fmt: skip
        begin = time.perf_counter()
        process = subprocess.Popen(step)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        if status:
            sys.exit("the step failed")
        record = prepare.metadata(root / "out.parquet")
    print(
        f"{record['rows_total']} rows, {record['rows_kept']} kept, dropped: {record['dropped']}\n"
        f"{seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} CPU s, peak"
        f" {used.ru_maxrss * 1024 / 1e9:.2f} GB"
    )


if __name__ == "__main__":
    main()
