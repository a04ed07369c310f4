"""Step: train rows in English -> a shard of them in another language, under the same ids.

What is killed goes on after the last block of segments that was translated, and comes to the same
bytes. The record is written last.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xstilts.data import prepare
from xstilts.running import lock
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import arguments, process
from xstilts.translation import blocks, counts, engines, rows, shards
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
    english = shards.read(args.rows, page.texts, *spec["shard"])
    texts = [text for row in english for text in page.texts(row)]
    start, place = time.monotonic(), engines.Place(args.model, args.device, args.timeout)
    into = blocks.Blocks(
        Path(args.state) / blocks.FOLDER,
        digest([spec["translator"], spec.get("model"), spec["longest"]]),
        spec["block"],
        spec["longest"],
        spec["lang"] in UNSPACED,
    )
    translated = blocks.translate(texts, into, lambda: engines.engine(spec["translator"], place))
    seconds = time.monotonic() - start
    kept, dropped = _rebuilt(page, english, translated)
    pins = prepare.pins(made) | _pins(args, spec)
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
        "kept": counts.kept(translated.items()),
    }
    write_json(args.record, record)
    blocks.clear(into.folder)
    said = "".join(f", dropped {n} ({reason})" for reason, n in dropped.items())
    print(f"{len(kept)} of {len(english)} rows in {spec['lang']}{said}")


def _rebuilt(
    page: Any, english: list[rows.Row], translated: Mapping[str, str]
) -> tuple[list[rows.Row], Counter[str]]:
    kept, dropped = [], Counter[str]()
    for row in english:
        found = page.rebuilt(row, [translated[text] for text in page.texts(row)])
        if isinstance(found, str):
            dropped[found] += 1
        else:
            kept.append({key: value for key, value in found.items() if key != "strata"})
    return kept, dropped


def _pins(args: argparse.Namespace, spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the pins of the translator, whose checkpoint has to be the one that is asked for."""
    if not args.model:
        return {}
    node = read_json(Path(args.model) / "node.json")
    same_spec(args.model, node["spec"], spec["model"])
    return node["pins"]


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="by whom, into what, as JSON")
    p.add_argument("--rows", required=True, help="prepared train rows in English")
    p.add_argument("--model", default="", help="folder of a converted checkpoint")
    p.add_argument(
        "--device", choices=["cpu", "gpu"], default="cpu", help="gpu: where there is one"
    )
    p.add_argument("--timeout", type=float, default=600, help="seconds that a block may take")
    p.add_argument("--state", required=True, help="folder of finished blocks")
    arguments.add_lock_wait(p)
    p.add_argument("--out", required=True, help="parquet: rows of the same ids")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
