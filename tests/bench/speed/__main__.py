"""How fast this code is beside others that do the same, on this machine, in ratios of one run.

    make bench                        # a quarter of an hour: a table, and results/bench/bench.json
    make bench SHORT=1                # a minute, as CI does: fails where a ratio has fallen
    make bench BENCH_ARGS="--code CHECKOUT"     # another version of this code, in the same run
    make bench RECORD=1               # into tests/bench/recorded.json and docs/performance.md

Training by format and evaluation, against HF Trainer at its default (rows padded to the longest
that is allowed, as its example scripts do) and at its best (batches of like length, fused AdamW);
encoding against transformers' tokenizer; mining against a bare matrix product and a faiss index;
start-up against importing torch and loading the weights; planning. On the real encoder and rows of
../shared/data, if they are there; the shortened form, and where they are not, on random ones.

One thread each, in turns, the median of three; a ratio above 1: ours is faster. A ratio that is
below 0.9 of the recorded one is measured again with as many turns more before it counts.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import groups, recorded, rows


def main() -> int:
    """Measure, print the table, compare with what is recorded; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a minute; on random rows")
    parser.add_argument("--code", type=Path, help="another checkout, measured beside this one")
    parser.add_argument("--out", type=Path, default=Path("results/bench"))
    parser.add_argument("--record", action="store_true", help="keep the ratios and the table")
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--rounds", type=int, default=groups.ROUNDS)
    args = parser.parse_args()
    real = not args.short and (rows.SHARED / rows.ENCODER).is_dir()
    form = "short" if args.short else "full"
    known = recorded.read().get(form, {}).get("rows", {})
    found: dict[str, dict] = {}
    bad: dict[str, str] = {}
    failed: list[str] = []
    code = args.code.resolve() if args.code else None
    with tempfile.TemporaryDirectory() as folder:
        rows.make(Path(folder), real, args.short)
        for group in groups.groups(Path(folder), args.short, code, args.only):
            try:
                own = measured(group, args.rounds, known)
            except Exception as error:  # costs its own group alone
                failed.append(f"{group.name}: {error}")
                print(f"error: {failed[-1]}", file=sys.stderr, flush=True)
                continue
            bad |= recorded.fallen(own, known)
            found |= own
            for name, row in own.items():
                print(f"{name}: {row['ratio']:.2f}", file=sys.stderr, flush=True)
    encoder = "a real encoder and rows" if real else "a random encoder, rows of random words"
    kept = known if args.only and args.record else {}  # what was not measured anew stays
    measurement = {"about": recorded.about(encoder, code), "rows": kept | found}
    print(recorded.table(measurement))
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"bench{'-short' if args.short else ''}.json").write_text(
        json.dumps(measurement, indent=1) + "\n"
    )
    if args.record:
        recorded.record(form, measurement)
        return bool(failed)
    for line in bad.values():
        print(f"error: slower than recorded: {line}", file=sys.stderr)
    return bool(bad or failed)


def measured(group: groups.Group, rounds: int, known: Mapping[str, Any]) -> dict[str, dict]:
    """Return the ratios of a group; one that has fallen is measured once more."""
    taken = groups.measured(group, rounds)
    own = groups.compared(group, taken)
    if recorded.fallen(own, known):
        again = groups.measured(group, rounds)
        own = groups.compared(group, {side: t + again[side] for side, t in taken.items()})
    return own


if __name__ == "__main__":
    sys.exit(main())
