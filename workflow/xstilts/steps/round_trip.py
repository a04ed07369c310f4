"""Step: rows of a translation -> how near they are to their sources when they are translated back.

The chrF of the source and of what comes back, in percent; of a row that of the text in which it is
lowest. Killed, it goes on after the last block of segments.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from xstilts.data import prepare
from xstilts.metrics.chrf import chrf
from xstilts.running import lock
from xstilts.running.files import read_json
from xstilts.running.record import same_spec
from xstilts.steps import arguments, process
from xstilts.translation import blocks, engines, measures, passing, values
from xstilts.translation.segments import UNSPACED


def main(args: argparse.Namespace) -> None:
    """Translate back, one process at a time; write the value of each row, and the record, last."""
    with lock.held(args.state, args.lock_wait):
        spec = json.loads(args.spec)
        made, source = prepare.metadata(args.rows), prepare.metadata(args.source)
        same_spec(args.rows, made["spec"], spec["rows"])
        same_spec(args.source, source["spec"], spec["data"])
        pins = prepare.pins(made, source)
        if args.model:
            node = read_json(Path(args.model) / "node.json")
            same_spec(args.model, node["spec"], spec["model"])
            pins |= node["pins"]
        about: dict[str, Any] = {"spec": spec, "pins": pins, "characters": 0, "resumed": 0}
        found = values.write(args.out, args.record, measured(args, spec, about), about)
        blocks.clear(Path(args.state) / blocks.FOLDER)
    print(f"{found['rows']} rows in {spec['lang']}, on average {found['mean']}")


def measured(
    args: argparse.Namespace, spec: Mapping[str, Any], about: dict[str, Any]
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield the ids and values of rows; add to `about` the characters that are translated, and the
    blocks that were before."""
    place = engines.Place(args.model, args.device, args.timeout)
    engine = cache(partial(engines.engine, spec["translator"], place))  # made once, if at all
    key = blocks.key(spec, about["pins"])
    files = passing.Files(args.source, [args.rows], {})
    for number, (sources, made) in enumerate(passing.blocks(files)):
        assert sources is not None
        folder = Path(args.state) / blocks.FOLDER / f"{number:06}"
        unspaced = spec["home"] in UNSPACED
        how = blocks.Blocks(folder, key, spec["block"], spec["longest"], unspaced)
        before, after = (
            [measures.texts(row, spec["format"]) for row in rows] for rows in (sources, made)
        )
        texts = [text for row in after for text in row if text.strip()]
        about["characters"] += blocks.characters(texts, spec["longest"])
        back, resumed = blocks.translate(texts, how, engine)
        about["resumed"] += resumed
        pairs = [
            (at, back[there], was)
            for at, row in enumerate(zip(after, before, strict=True))
            for there, was in zip(*row, strict=True)
            if there.strip() and was.strip()
        ]
        scores = chrf([one for _, one, _ in pairs], [was for *_, was in pairs])
        found = np.full(len(made), np.nan)
        rows_of = np.array([at for at, *_ in pairs], dtype=np.int64)
        found[rows_of] = np.inf
        np.minimum.at(found, rows_of, scores)
        yield [row["id"] for row in made], found


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="of which rows, by whom, as JSON")
    p.add_argument("--rows", required=True, help="translated rows")
    p.add_argument("--source", required=True, help="prepared train rows in English")
    p.add_argument("--model", default="", help="folder of a converted checkpoint")
    p.add_argument(
        "--device", choices=["cpu", "gpu"], default="cpu", help="gpu: where there is one"
    )
    p.add_argument("--timeout", type=float, default=600, help="seconds that a block may take")
    p.add_argument("--state", required=True, help="folder of finished blocks")
    arguments.add_lock_wait(p)
    p.add_argument("--out", required=True, help="parquet: id, value")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
