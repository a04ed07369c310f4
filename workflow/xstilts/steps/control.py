"""Step: translated rows that pass -> what is compared to them (`translation/controls.py`).

Rows are read and written one after another: of each file there is a batch in memory, and
lexicons are.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow.parquet as pq

from xstilts.data import prepare
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import process
from xstilts.translation import controls, rows, shards, streaming

SWITCHED, NOISE, SHUFFLED = "code_switched", "noise", "shuffled"
ROUND_TRIP, ENGLISH = "round_trip", "english"
DRAWN = 5_000  # words of which noise draws


def main(args: argparse.Namespace) -> None:
    """Write the rows of a control and, last, the record."""
    spec = json.loads(args.spec)
    kind = spec["control"]["kind"]
    passed = dict(zip(spec["passed"], args.passed, strict=True))
    pins = _pins([args.rows], [spec["data"]]) | _pins(args.passed, spec["passed"].values())
    made: dict[str, Any] = {}
    paths = iter(args.made)
    for lang, expected in spec.get("made", {}).items():
        files = [next(paths) for _ in expected]
        if kind == SWITCHED:
            made[lang], more = _lexicon(files, expected)
        else:
            made[lang], more = files, _pins(files, expected)
        pins |= more
    about = {"rows_total": streaming.count(args.rows), "dropped": {}}
    if kind == NOISE:
        found = _noisy(spec, passed[spec["lang"]])
    elif kind == SHUFFLED:
        found = _shuffled(spec, args.rows, passed)
    else:
        found = _in_english(spec, args.rows, passed, made)
    record = {"spec": spec, "pins": pins, **about}
    try:
        kept = streaming.write(args.out, found, spec["format"], record)
    except UserError as error:
        raise UserError(f"{kind} of {error}") from None
    write_json(args.record, {**record, "sha256": sha256(args.out), "rows_kept": kept})
    print(f"{kept} of {about['rows_total']} rows")


def _noisy(spec: Mapping[str, Any], passed: str) -> Iterator[rows.Row]:
    """Yield the rows of a language with noise, in their order."""
    control, format, page = spec["control"], spec["format"], rows.page(spec["format"])
    texts = (text for row in streaming.read(passed) for text in page.texts(row))
    change = controls.noise(control["rate"], controls.vocabulary(texts, DRAWN, small=False))
    for row in streaming.read(passed):
        yield controls.changed(row, format, change, f"{NOISE}/{spec['task']}/{spec['lang']}")


def _shuffled(
    spec: Mapping[str, Any], source: str, passed: Mapping[str, str]
) -> Iterator[rows.Row]:
    """Yield the rows of a language with the second text of another one, of those that pass in both,
    as the English rows are ordered."""
    lang = spec["lang"]
    streams = {code: streaming.Stream(path) for code, path in passed.items()}
    for one in shards.ids(source):
        others = [code for code, stream in streams.items() if stream.head == one and code != lang]
        first = streams[lang].take(one)
        second = None
        if first is not None and others:
            chosen = controls.dealt(one, others)
            second = streams[chosen].take(one)
            others.remove(chosen)
        for code in others:
            streams[code].step(one)
        if first is not None and second is not None:
            if second["text_pair"] is None:
                raise UserError(
                    f"shuffled: row {one} of `{spec['task']}` has one text, so there is no second"
                    " to be of another language"
                )
            yield controls.shuffled(first, second)
    streaming.check_read(streams.values(), source)


def _in_english(
    spec: Mapping[str, Any], source: str, passed: Mapping[str, str], made: Mapping[str, Any]
) -> Iterator[rows.Row]:
    """Yield the rows of a control that is in English, of those that pass in any language, as the
    English rows are ordered."""
    control, home = spec["control"], spec["control"]["from"]
    kind = control["kind"]
    streams = {code: streaming.Stream(path, whole=False) for code, path in passed.items()}
    back: dict[str, list[streaming.Stream]] = {}
    if kind == ROUND_TRIP:  # a shard has the rows that fall to its language alone
        back = {code: [streaming.Stream(path) for path in files] for code, files in made.items()}
    for row in streaming.read(source):
        one = row["id"]
        there = [code for code, stream in streams.items() if stream.step(one)]
        if not there:
            continue
        dealt = controls.dealt(one, [*there, *([home] if control.get("keep_english") else [])])
        if kind == ENGLISH or dealt == home:
            yield row
        elif kind == ROUND_TRIP:
            found = (stream.take(one) for stream in back[dealt])
            yield from [one for one in found if one is not None][:1]
        else:
            change = controls.switch(control["rate"], made)
            name = f"{kind}/{spec['task']}"
            yield controls.changed(row, spec["format"], change, name, answers=True)
    opened = [*streams.values(), *(stream for shards in back.values() for stream in shards)]
    streaming.check_read(opened, source)


def _pins(paths: Iterable[str], specs: Iterable[str]) -> dict[str, str]:
    """Return the pins of files of rows; each has to be made by its spec."""
    found = dict[str, str]()
    for path, expected in zip(paths, specs, strict=True):
        about = prepare.metadata(path)
        same_spec(path, about["spec"], expected)
        found |= prepare.pins(about)
    return found


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
