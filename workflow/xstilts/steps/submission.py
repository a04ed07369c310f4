"""Step: predictions of chosen cells -> a submission to XTREME or XTREME-R; or the check of one.

    python -m xstilts.steps.submission --data results/data --out submission \\
        --cell xnli=results/scores/xlmr/mnli/seed1/xnli --cell xquad=…
    python -m xstilts.steps.submission --data results/data --check submission
"""

import argparse
from pathlib import Path

from xstilts.benchmarks import validator
from xstilts.benchmarks.benchmark import Benchmark
from xstilts.benchmarks.known import BENCHMARKS
from xstilts.benchmarks.submission import export
from xstilts.monitoring import products
from xstilts.running.errors import UserError, nearest
from xstilts.running.files import atomic
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Check a submission, or export one."""
    to = BENCHMARKS[args.suite]
    if args.check:
        data = Path(args.data)
        full, there = validator.full_submission, validator.prepared_languages
        expected = there(data, to) if args.rehearsal else full(to)
        faults = validator.check(Path(args.check), data, expected, args.rehearsal, to)
        for fault in faults:
            print(fault)
        if faults:
            raise UserError(f"{args.check}: {len(faults)} thing(s) wrong, the first: {faults[0]}")
        print(f"{args.check}: nothing wrong")
        return
    if not args.cell:
        raise UserError("--cell is missing: TARGET=FOLDER of the predictions to export")
    out, data = Path(args.out), Path(args.data)
    exported = {}
    for cell in args.cell:
        target, _, folder = cell.partition("=")
        if target not in to.files:
            raise UserError(
                f"--cell {cell}: a submission to {to.title} has no target"
                f" `{target}`{nearest(target, to.files)} (valid: {', '.join(to.files)})"
            )
        exported[target] = export(target, Path(folder), data, out, to)
        total = len(to.tasks[target].languages)
        print(f"{target}: {len(exported[target])} of {total} languages")
    if args.faults:
        _write_faults(out, data, exported, Path(args.faults), to)
    if args.record:
        cells = [f"{cell.partition('=')[2]}/cell.json" for cell in args.cell]
        products.write(args.record, f"{to.submission}/{out.name}", [args.grid, *cells])


def _write_faults(
    out: Path, data: Path, exported: dict[str, list[str]], path: Path, to: Benchmark
) -> None:
    """Write what a submission lacks; UserError if an exported file has a fault."""
    if export_faults := validator.check(out, data, exported, True, to):
        raise UserError(f"{out}: {export_faults[0]}")
    faults = validator.check(out, data, validator.full_submission(to), False, to)
    with atomic(path) as temporary:
        temporary.write_text("".join(f"{fault}\n" for fault in faults) or "nothing wrong\n")
    print(f"{out}: {len(faults)} thing(s) missing, see {path}" if faults else f"{out}: whole")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--data", required=True, help="folder of the prepared rows")
    p.add_argument("--suite", choices=list(BENCHMARKS), default="xtreme", help="the benchmark")
    mode = p.add_mutually_exclusive_group(required=True)
    mode.add_argument("--out", help="folder to write the submission to")
    mode.add_argument("--check", help="folder of a submission to check")
    p.add_argument(
        "--cell",
        action="append",
        default=[],
        metavar="TARGET=FOLDER",
        help="with --out: a target, and the folder of its predictions; as often as needed",
    )
    p.add_argument("--faults", help="with --out: file for what is wrong with the submission")
    p.add_argument(
        "--rehearsal",
        action="store_true",
        help="with --check: ask only for what has prepared rows, and let these be a sample",
    )
    p.add_argument("--record", help="with --out: says that it is whole, written last")
    p.add_argument("--grid", help="with --record: the test grid, which names the cells")
    return p


if __name__ == "__main__":
    process.run(main, parser())
