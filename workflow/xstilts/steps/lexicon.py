"""Step: the words of a task's train rows -> what the translator makes of each by itself."""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data import prepare
from xstilts.running import lock
from xstilts.running.files import atomic, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import arguments, process, translate
from xstilts.translation import blocks, controls, engines, rows
from xstilts.translation.segments import UNSPACED


def main(args: argparse.Namespace) -> None:
    """Write the lexicon and, last, its record."""
    spec, made = json.loads(args.spec), prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    with lock.held(args.state, args.lock_wait):
        words = controls.vocabulary(_texts(args.rows, spec["format"]), spec["words"])
        place = engines.Place(args.model, args.device, args.timeout)
        pins = prepare.pins(made) | translate.pins_of(args.model, spec)
        into = blocks.Blocks(
            Path(args.state) / blocks.FOLDER,
            blocks.key(spec, pins),
            spec["block"],
            longest=10**6,
            unspaced=spec["lang"] in UNSPACED,
            most_empty=1.0,  # a word by itself may be none in another language
        )
        start = time.monotonic()
        found, resumed = blocks.translate(
            words, into, lambda: engines.engine(spec["translator"], place)
        )
        about: dict[str, Any] = {"characters": sum(map(len, words))}
        about |= {"seconds": time.monotonic() - start} | ({"resumed": resumed} if resumed else {})
        lexicon = controls.lexicon((word, found[word]) for word in words)
        table = {"word": list(lexicon), "translation": list(lexicon.values())}
        with atomic(args.out) as temporary:
            schema = pa.schema([(name, pa.string()) for name in table])
            pq.write_table(pa.table(table, schema=schema), temporary, compression="zstd")
        record = {"spec": spec, "pins": pins, "sha256": sha256(args.out), **about}
        write_json(args.record, {**record, "words": len(words), "translated": len(lexicon)})
        blocks.clear(into.folder)
    print(f"{len(lexicon)} of {len(words)} words in {spec['lang']}")


def _texts(path: str, format: str) -> Iterator[str]:
    page = rows.page(format)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(10_000):
            for row in batch.to_pylist():
                yield from page.texts(row)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    arguments.add_translator(p)
    p.add_argument("--rows", required=True, help="prepared train rows in English")
    p.add_argument("--out", required=True, help="parquet: word, translation")
    return p


if __name__ == "__main__":
    process.run(main, parser())
