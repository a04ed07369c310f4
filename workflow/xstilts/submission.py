"""Step: predictions of chosen cells -> a folder that can be submitted to XTREME; or a check of one.

    python -m xstilts.submission --data results/data --out submission \\
        --cell xnli=results/scores/xlmr/mnli/seed1/xnli --cell xquad=…
    python -m xstilts.submission --data results/data --check submission

The folder has `<task>/test-<language>.tsv`, `.json` for questions, as XTREME's README and
`mock_test_data` show them.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts import prepare, step, validator, xtreme
from xstilts.errors import UserError, nearest
from xstilts.files import atomic

Rows = Sequence[dict[str, Any]]
Predictions = Mapping[str, str]  # id of a row -> what `evaluate` wrote


def _labels(rows: Rows, predicted: Predictions) -> str:
    return "".join(f"{predicted[row['id']]}\n" for row in rows)


def _tags(rows: Rows, predicted: Predictions) -> str:
    """A tag a line, and an empty line after each sentence."""
    return "".join(predicted[row["id"]].replace(" ", "\n") + "\n\n" for row in rows)


def _answers(rows: Rows, predicted: Predictions) -> str:
    """Id -> answer; in ASCII, as XTREME's script reads it in the encoding of its machine."""
    return json.dumps({row["id"]: predicted[row["id"]] for row in rows}, indent=1) + "\n"


def _pairs(rows: Rows, predicted: Predictions) -> str:
    """The pairs that were mined; a sentence without translation is predicted as ""."""
    sources = [row["id"] for row in rows if row["side"] == "source"]
    return "".join(f"{key}\t{predicted[key]}\n" for key in sources if predicted[key])


def _indices(rows: Rows, predicted: Predictions) -> str:
    """For each English sentence the place of the foreign one, from 0 on, in the published order.

    The English ones are sorted, as `tatoeba_preprocess` of XTREME's `utils_preprocess.py` leaves
    them; equal ones in the published order.
    """
    place = {row["id"]: i for i, row in enumerate(r for r in rows if r["side"] == "target")}
    queries = sorted((row for row in rows if row["side"] == "source"), key=lambda row: row["text"])
    return "".join(f"{place[predicted[row['id']]]}\n" for row in queries)


WRITERS: dict[str, Callable[[Rows, Predictions], str]] = {
    "labels": _labels,
    "tags": _tags,
    "answers": _answers,
    "pairs": _pairs,
    "indices": _indices,
}


def text(target: str, rows: Rows, predicted: Predictions) -> str:
    """Return the file of one language, from its prepared rows and the predictions of them.

    Raises:
        UserError: if the predictions are not of just these rows.
    """
    asked = [row["id"] for row in rows if row.get("side") != "target"]
    if asked != list(predicted):
        differ = sorted(set(asked) ^ set(predicted))
        what = f", for instance `{differ[0]}`" if differ else ", in another order"
        raise UserError(
            f"{len(predicted)} predictions are not those of the {len(asked)} prepared rows{what}"
        )
    return WRITERS[xtreme.TASKS[target].kind](rows, predicted)


def export(target: str, folder: Path, data: Path, out: Path) -> list[str]:
    """Write the files of one target; return of which languages.

    Args:
        folder: of the cell's `{language}.parquet`, as `evaluate` writes them.
        data: of the prepared rows, `{target}/{language}.{split}.parquet`.
        out: of the submission.
    """
    task = xtreme.TASKS[target]
    found = [lang for lang in task.languages if (folder / f"{lang}.parquet").exists()]
    if not found:
        raise UserError(f"--cell {target}: {folder} has no predictions in a language of XTREME")
    for lang in found:
        table = prepare.read(folder / f"{lang}.parquet")
        predicted = dict(zip(table["id"].to_pylist(), table["prediction"].to_pylist(), strict=True))
        rows = validator.rows_file(data, target, lang)
        try:
            content = text(target, prepare.read(rows).to_pylist(), predicted)
        except UserError as error:
            raise UserError(f"{folder}/{lang}.parquet and {rows}: {error}") from None
        with atomic(out / task.file(lang)) as path:
            path.write_text(content, encoding="utf-8")
    return found


def main(args: argparse.Namespace) -> None:
    """Check a submission, or export one."""
    if args.check:
        data = Path(args.data)
        asked = validator.prepared(data) if args.rehearsal else validator.everything()
        faults = validator.check(Path(args.check), data, asked, args.rehearsal)
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
        if target not in xtreme.TASKS:
            raise UserError(
                f"--cell {cell}: XTREME has no target `{target}`{nearest(target, xtreme.TASKS)}"
                f" (valid: {', '.join(xtreme.TASKS)})"
            )
        exported[target] = export(target, Path(folder), data, out)
        have, all_of_them = len(exported[target]), len(xtreme.TASKS[target].languages)
        print(f"{target}: {have} of {all_of_them} languages")
    if args.faults:
        _report(out, data, exported, Path(args.faults))


def _report(out: Path, data: Path, exported: dict[str, list[str]], path: Path) -> None:
    """Write what a submission lacks; UserError if something is wrong with what is there."""
    if wrong := validator.check(out, data, exported, rehearsal=True):
        raise UserError(f"{out}: {wrong[0]}")
    faults = validator.check(out, data, validator.everything(), rehearsal=False)
    with atomic(path) as temporary:
        temporary.write_text("".join(f"{fault}\n" for fault in faults) or "nothing wrong\n")
    print(f"{out}: {len(faults)} thing(s) missing, see {path}" if faults else f"{out}: whole")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder of the prepared rows")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", help="folder to write the submission to")
    what.add_argument("--check", help="folder of a submission to check")
    parser.add_argument(
        "--cell",
        action="append",
        default=[],
        metavar="TARGET=FOLDER",
        help="with --out: a target, and the folder of its predictions; as often as needed",
    )
    parser.add_argument("--faults", help="with --out: file for what is wrong with the submission")
    parser.add_argument(
        "--rehearsal",
        action="store_true",
        help="with --check: ask only for what has prepared rows, and let these be a sample",
    )
    step.run(main, parser)
