"""Step: English train rows of a task, and a decoder -> new rows of the task in one language.

What is answered is kept block by block: a job that is killed goes on from there, and comes to the
same bytes on a CPU.
"""

import argparse
import dataclasses
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xstilts.data import prepare
from xstilts.generation import answers, blocks, rounds, shapes, template, toy
from xstilts.generation.examples import LOOKED_AT, Examples
from xstilts.generation.rounds import Answer, Request
from xstilts.models import writer
from xstilts.running import lock
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import arguments, process

BLOCKS = "blocks"  # in the state folder
TOY = "toy"
Write = Callable[[list[Request], list[list[dict[str, Any]]], list[str], str], list[list[Any]]]


def main(args: argparse.Namespace) -> None:
    """Write the rows and the record, last; one process a language at a time."""
    with lock.held(args.state, args.lock_wait):
        generate(args)


def generate(args: argparse.Namespace) -> None:
    """Ask until the rows are there."""
    spec, made = json.loads(args.spec), prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    pins = prepare.pins(made)
    if args.generator:
        node = read_json(Path(args.generator) / "node.json")
        same_spec(args.generator, node["spec"], spec["generator"])
        pins |= node["pins"]
    where = f"generated: {args.name}: {spec['task']} ({spec['lang']})"
    said, start = Said(), time.monotonic()
    try:
        result = rows_of(spec, pins, args, said)
    except UserError as error:
        error.args = (f"{where}: {error}",)
        raise
    counts = {"rows_total": result.asked, "rows_kept": len(result.rows), "dropped": result.unused}
    about = {"spec": spec, "pins": pins, **counts}
    prepare.write(args.out, result.rows, spec["format"], {**about, "repaired": 0})
    seconds = {"seconds": time.monotonic() - start, **({"resumed": True} if said.there else {})}
    told = {"by_label": result.by_label, "sha256": sha256(args.out), "characters": said.characters}
    write_json(args.record, {**about, **told, **seconds})
    shutil.rmtree(Path(args.state) / BLOCKS, ignore_errors=True)
    if len(result.rows) < spec["rows"]:
        process.note(
            f"{where}: {len(result.rows)} of {spec['rows']} rows, after {result.asked} answers"
        )
    unused = ", ".join(f"{n} ({reason})" for reason, n in result.unused.items()) or "none"
    print(f"{len(result.rows)} rows of {result.asked} answers; no rows: {unused}")


@dataclasses.dataclass
class Said:
    """What was answered: characters, of the estimate; whether some of it was there already."""

    characters: int = 0
    there: bool = False


def rows_of(
    spec: dict[str, Any], pins: dict[str, str], args: argparse.Namespace, said: Said
) -> rounds.Result:
    """Return what was made, and count what was `said`. Answers that are kept follow from the spec,
    with the version of this step in it, and from the pins."""
    table = prepare.read(args.rows)
    first = table.slice(0, LOOKED_AT).to_pylist()
    labels = spec["labels"]
    if spec["format"] == "classification" and not labels:
        labels = sorted(set(table["label"].to_pylist()))
    prompt = template.parse(spec["prompt"], "prompt", spec["format"], labels, spec["shots"])
    shape = shapes.of(spec["format"], first, labels, prompt.names)
    examples, key = Examples(table, shape, spec["seed"]), digest([spec, pins])
    write = _writer(spec, shape, args)

    def answer(block: int, requests: list[Request]) -> list[Answer]:
        drawn = [examples.draw(one.number, one.label, spec["shots"]) for one in requests]
        shown = [[shapes.shown(row, shape) for row in rows] for rows in drawn]
        about = (spec["language"], spec["lang"])
        prompts = [
            prompt.prompt(*about, one.label, shape.names, shape.choices, rows)
            for one, rows in zip(requests, shown, strict=True)
        ]
        asked = digest([key, prompts])
        texts, there = blocks.kept(
            Path(args.state) / BLOCKS, block, asked,
            lambda: write(requests, shown, prompts, f"{spec['seed']}/{spec['lang']}/{block}"),
        )  # fmt: skip
        said.characters += sum(len(text) for text, _ in texts)
        said.there |= there
        print(
            f"block {block + 1}: {len(texts)} answers{' were there' if there else ''}", flush=True
        )
        seen = [{answers.key(shapes.values(row, shape)) for row in rows} for rows in drawn]
        return [
            Answer(answers.parse(text, ended, shape, one.label, those), text)
            for (text, ended), one, those in zip(texts, requests, seen, strict=True)
        ]

    return rounds.generate(spec["rows"], shape.labels, spec["tries"], answer)


def _writer(spec: dict[str, Any], shape: shapes.Shape, args: argparse.Namespace) -> Write:
    """Return what answers a block: the grammar of the toy world, or a decoder, which is loaded when
    it is asked first."""
    if spec["engine"] == TOY:
        return lambda requests, shown, prompts, seed: [
            [text, True]
            for text in toy.answers(requests, shown, shape, spec["lang"], seed, spec["mistakes"])
        ]
    settings = writer.Settings(
        **{field: spec[field] for field in ("temperature", "top_p", "max_tokens")},
        budget=args.budget,
    )
    loaded: list[writer.Writer] = []

    def write(_: Any, __: Any, prompts: list[str], seed: str) -> list[list[Any]]:
        if not loaded:
            loaded.append(writer.opened(spec["engine"], args.generator, settings))
        number = int(digest(seed)[:8], 16)
        return [list(dataclasses.astuple(one)) for one in loaded[0](prompts, number)]

    return write


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="what is asked for, as JSON")
    p.add_argument("--rows", required=True, help="prepared English train rows")
    p.add_argument("--generator", default="", help="folder of the decoder; none of the toy world")
    p.add_argument("--name", required=True, help="of the generator, for messages")
    p.add_argument("--state", required=True, help="folder of the lock, and of finished blocks")
    arguments.add_lock_wait(p)
    p.add_argument("--budget", type=int, default=65536, help="tokens of a batch, with padding")
    p.add_argument("--out", required=True, help="the parquet file to write")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
