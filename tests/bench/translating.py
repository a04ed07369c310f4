"""How fast rows are translated, beside what the translator does by itself.

    PYTHONPATH=workflow:. python tests/bench/translating.py [--data ../shared/data] [--lines 2000]

CTranslate2: a checkpoint of M2M100's kind, of 6 + 6 layers of 512, untrained, translates premises;
`bare` is a loop over its own `translate_batch` on batches of the same number of tokens, of lines
that are sorted by length and made tokens before the clock starts. A command: Apertium, if it is
here; `bare` is one call of it on a file of the same lines. `blocks` is all that the step does
between texts and texts. Each is the best of three; printed are characters a second and the share
of `bare`.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.translation.checkpoints import m2m100

from xstilts.toy.corpus import texts as toy_texts
from xstilts.translation import blocks, ctranslate
from xstilts.translation.command import Command
from xstilts.translation.engines import Place

TIMES, TOKENS, BEAM, GROWTH = 3, 4096, 4, 32
SPEC = {"engine": "ctranslate2", "codes": ["en", "de"], "batch_tokens": TOKENS, "beam": BEAM}
RUN = "apertium -u eng-spa"


def main() -> None:
    """Print a line an engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="a mirror with nyu-mll/glue")
    parser.add_argument("--lines", type=int, default=2000)
    args = parser.parse_args()
    lines = premises(args.data, args.lines)
    letters = sum(map(len, lines))
    print(f"{len(lines)} different lines of {letters / len(lines):.0f} characters on average")
    with tempfile.TemporaryDirectory() as folder:
        checkpoint(lines[: max(100, len(lines) // 10)], Path(folder))
        if shutil.which("apertium"):
            apertium(lines, Path(folder))


def premises(data: str, count: int) -> list[str]:
    """Return different premises of MNLI, or sentences of the toy world."""
    if not data:
        return list(dict.fromkeys(toy_texts(1, ("en",), 3 * count)))[:count]
    import pyarrow.parquet as pq

    [path, *_] = sorted(Path(data, "datasets/nyu-mll/glue/mnli").glob("train*.parquet"))
    found = pq.read_table(path, columns=["premise"])["premise"].to_pylist()
    return [" ".join(line.split()) for line in dict.fromkeys(found) if line.strip()][:count]


def best(run: Callable[[], object]) -> float:
    """Return the seconds of the fastest of some runs."""
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def checkpoint(lines: list[str], folder: Path) -> None:
    """Time a checkpoint, which writes as many tokens as it may, since it is untrained."""
    size = {"d_model": 512, "encoder_layers": 6, "decoder_layers": 6, "encoder_ffn_dim": 2048,
            "decoder_ffn_dim": 2048, "encoder_attention_heads": 8,
            "decoder_attention_heads": 8, "max_position_embeddings": 1024}  # fmt: skip
    ctranslate.convert(m2m100(folder / "source", **size), "m2m100", "int8", folder / "made")
    engine = ctranslate.Ctranslate(SPEC, Place(str(folder / "made")))
    engine.longest = GROWTH
    tokens = sorted(engine.tokens(lines), key=len, reverse=True)

    def bare() -> None:
        batch: list[list[str]] = []
        for line in [*tokens, None]:
            if batch and (line is None or (len(batch) + 1) * len(batch[0]) > TOKENS):
                engine.model.translate_batch(
                    batch, target_prefix=[[engine.prefix]] * len(batch), beam_size=BEAM,
                    max_decoding_length=GROWTH,
                )  # fmt: skip
                batch = []
            if line is not None:
                batch.append(line)

    report("ctranslate2", lines, best(bare), best(lambda: whole(lines, engine, folder)))


def apertium(lines: list[str], folder: Path) -> None:
    """Time Apertium."""
    (folder / "lines.txt").write_text("".join(f"{line}\n\n" for line in lines))

    def bare() -> None:
        with open(folder / "lines.txt") as file:
            subprocess.run(RUN.split(), stdin=file, stdout=subprocess.DEVNULL, check=True)

    engine = Command(RUN, 600, blank_lines=True)
    report(RUN, lines, best(bare), best(lambda: whole(lines, engine, folder)))


def whole(lines: list[str], engine, folder: Path) -> None:
    """Translate lines as the step does, blocks written."""
    into = blocks.Blocks(folder / "blocks", "k", 1000, 300)
    blocks.clear(into.folder)
    blocks.translate(lines, into, lambda: engine, lambda _: None)


def report(name: str, lines: list[str], bare: float, ours: float) -> None:
    """Print both speeds."""
    letters = sum(map(len, lines))
    print(
        f"{name}: bare {letters / bare:,.0f} characters a second, blocks {letters / ours:,.0f}:"
        f" {bare / ours:.2f} of it ({len(lines) / ours:.0f} lines a second)"
    )


if __name__ == "__main__":
    main()
