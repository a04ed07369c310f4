"""Step: translated rows that pass -> what is compared to them (`translation/controls.py`)."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow.parquet as pq

from xstilts.data import prepare
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import process
from xstilts.translation import controls, rows

Rows = dict[str, rows.Row]  # by id, in the order of a file
SWITCHED = "code_switched"
DRAWN = 5_000  # words of which noise draws


def main(args: argparse.Namespace) -> None:
    """Write the rows of a control and, last, the record."""
    spec = json.loads(args.spec)
    source, pins = _read([args.rows], [spec["data"]])
    passed = {}
    for path, (lang, expected) in zip(args.passed, spec["passed"].items(), strict=True):
        passed[lang], more = _read([path], [expected])
        pins |= more
    made: dict[str, Any] = {}
    paths, read = iter(args.made), _lexicon if spec["control"]["kind"] == SWITCHED else _read
    for lang, expected in spec.get("made", {}).items():
        made[lang], more = read([next(paths) for _ in expected], expected)
        pins |= more
    found = list(_controlled(spec, source, passed, made))
    if not found:
        raise UserError(f"{spec['control']['kind']} of {spec['task']}: no row is left")
    about = {"rows_total": len(source), "rows_kept": len(found), "dropped": {}}
    prepare.write(args.out, found, spec["format"], {"spec": spec, "pins": pins, **about})
    write_json(args.record, {"spec": spec, "pins": pins, "sha256": sha256(args.out), **about})
    print(f"{len(found)} of {len(source)} rows")


def _controlled(
    spec: Mapping[str, Any], source: Rows, passed: Mapping[str, Rows], made: Mapping[str, Any]
) -> Iterator[rows.Row]:
    """Yield the rows of a control, in the order of the English ones."""
    control, format, lang = spec["control"], spec["format"], spec["lang"]
    kind, home = control["kind"], control["from"]
    name = f"{kind}/{spec['task']}"
    if kind == "noise":
        words = controls.vocabulary(_texts(passed[lang], format), DRAWN, small=False)
        change = controls.noise(control["rate"], words)
        for row in passed[lang].values():
            yield controls.changed(row, format, change, f"{name}/{lang}")
        return
    for one, row in source.items():
        there = [code for code in passed if one in passed[code]]
        if kind == "shuffled":
            others = [code for code in there if code != lang]
            if lang in there and others:
                second = passed[controls.dealt(one, others)][one]
                yield controls.shuffled(passed[lang][one], second)
            continue
        if control.get("keep_english"):
            there.append(home)
        if not there:
            continue
        dealt = controls.dealt(one, there)
        if kind == "english" or dealt == home:
            yield row
        elif kind == "round_trip" and one in made[dealt]:
            yield made[dealt][one]
        elif kind == SWITCHED:
            change = controls.switch(control["rate"], made)
            yield controls.changed(row, format, change, name, answers=True)


def _texts(found: Rows, format: str) -> Iterator[str]:
    page = rows.page(format)
    return (text for row in found.values() for text in page.texts(row))


def _read(paths: list[str], specs: list[str]) -> tuple[Rows, dict[str, str]]:
    """Return the rows of files and their pins; each has to be made by its spec."""
    found, pins = {}, dict[str, str]()
    for path, expected in zip(paths, specs, strict=True):
        about = prepare.metadata(path)
        same_spec(path, about["spec"], expected)
        pins |= prepare.pins(about)
        for row in prepare.read(path).to_pylist():
            row.pop("strata", None)
            found[row["id"]] = row
    return found, pins


def _lexicon(paths: list[str], specs: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return word -> translation of a lexicon, by its record, and its pins."""
    [path], [expected] = paths, specs
    record = read_json(path)
    same_spec(path, record["spec"], expected)
    with pq.ParquetFile(path.removesuffix(".json") + ".parquet") as file:
        table = file.read().to_pydict()
    return dict(zip(table["word"], table["translation"], strict=True)), record["pins"]


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="which control, as JSON")
    p.add_argument("--rows", required=True, help="prepared train rows in English")
    p.add_argument("--passed", required=True, nargs="+", help="rows that pass, a file a language")
    p.add_argument("--made", nargs="*", default=[], help="rows in English again, or lexicons")
    p.add_argument("--out", required=True, help="parquet: the rows")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
