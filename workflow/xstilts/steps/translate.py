"""Step: train rows in English -> a shard of them in another language, under the same ids.

What is killed goes on after the last block of segments that was translated, and comes to the same
bytes. The record is written last.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.data import prepare
from xstilts.running import lock
from xstilts.running.files import read_json, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import arguments, process
from xstilts.translation import blocks, controls, counts, engines, projection, rows, shards
from xstilts.translation.segments import UNSPACED


def main(args: argparse.Namespace) -> None:
    """Translate, one process a shard at a time."""
    with lock.held(args.state, args.lock_wait):
        translate(args)


def translate(args: argparse.Namespace) -> None:
    """Write the rows that could be made, and the record: why others could not."""
    spec, made = json.loads(args.spec), prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    page = rows.page(spec["format"])
    english = shards.read(args.rows, *spec["shard"])
    if "dealt" in spec:
        english = _dealt(english, args.others, spec)
    texts = [text for row in english for text in page.texts(row)]
    start, place = time.monotonic(), engines.Place(args.model, args.device, args.timeout)
    pins = prepare.pins(made) | pins_of(args.model, spec)
    into = blocks.Blocks(
        Path(args.state) / blocks.FOLDER,
        blocks.key(spec, pins),
        spec["block"],
        spec["longest"],
        spec["lang"] in UNSPACED,
    )
    translated, resumed = blocks.translate(
        texts, into, lambda: engines.engine(spec["translator"], place)
    )
    seconds = time.monotonic() - start
    kept, dropped, projected = projection.rebuilt(
        page, english, translated, _aligner(args.aligner, spec), _truth(spec)
    )
    about = {"rows_total": len(english), "rows_kept": len(kept), "dropped": dict(dropped)}
    prepare.write(args.out, kept, spec["format"], {"spec": spec, "pins": pins, **about})
    record = {
        "spec": spec,
        "pins": pins,
        "sha256": sha256(args.out),
        **about,
        "texts": len(translated),
        "characters": blocks.characters(translated, spec["longest"]),
        "seconds": seconds,
        **({"resumed": resumed} if resumed else {}),
        "kept": counts.kept(translated.items()),
        **({"projected": projected} if projected else {}),
    }
    write_json(args.record, record)
    blocks.clear(into.folder)
    said = "".join(f", dropped {n} ({reason})" for reason, n in dropped.items())
    print(f"{len(kept)} of {len(english)} rows in {spec['lang']}{said}")


def _aligner(folder: str, spec: Mapping[str, Any]) -> Any:
    """Return what aligns words by the encoder in a folder, which has to be the one that is asked
    for; None without one."""
    if not folder:
        return None
    from xstilts.translation.aligner import WordAligner

    asked = spec["aligner"]
    same_spec(folder, read_json(Path(folder) / "node.json")["spec"], asked["model"])
    return WordAligner(folder, asked["layer"])


def _truth(spec: Mapping[str, Any]) -> Any:
    """Return what knows the right labels of a translation by the toy world; None of others."""
    if spec["translator"]["engine"] != "toy":
        return None
    from xstilts.translation.truth import ToyTruth

    return ToyTruth(spec["translator"], spec["longest"], spec["lang"] in UNSPACED)


def _dealt(found: list[rows.Row], paths: Sequence[str], spec: Mapping[str, Any]) -> list[rows.Row]:
    """Return the rows that fall to the language that they are translated back from: of those in
    which they are there (`controls.dealt`).

    Args:
        found: in that language.
        paths: the rows in each of the languages, in their order.
        spec: of the translation.
    """
    mine = {row["id"] for row in found}
    there: dict[str, set[str]] = {}
    for lang, path in zip(spec["dealt"], paths, strict=True):
        # Of this shard alone: those of all rows in all languages do not fit into memory.
        there[lang] = {one for one in shards.ids(path) if one in mine}
    home = [spec["lang"]] if spec.get("keep_english") else []
    source = spec["translator"]["from"]
    return [
        row
        for row in found
        if source
        == controls.dealt(row["id"], [*(k for k, ids in there.items() if row["id"] in ids), *home])
    ]


def pins_of(model: str, spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the pins of the checkpoint of a translator, "" for none, which has to be the one that
    is asked for."""
    if not model:
        return {}
    node = read_json(Path(model) / "node.json")
    same_spec(model, node["spec"], spec["model"])
    return node["pins"]


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    arguments.add_translator(p)
    p.add_argument("--rows", required=True, help="prepared train rows in English")
    p.add_argument(
        "--others", nargs="*", default=[], help="translated back: the rows in every language"
    )
    p.add_argument("--aligner", default="", help="folder of the encoder that aligns words")
    p.add_argument("--out", required=True, help="parquet: rows of the same ids")
    return p


if __name__ == "__main__":
    process.run(main, parser())
