"""Alignment of an encoder on a set of parallel sentences: a file a language.

One pass of the encoder gives the means of all layers. They are kept layer by layer, so that one
layer of two sides is looked at at a time, and go to a file where they would take more than
`resources.STATES`: the memory does not grow with layers times sentences.
"""

import io
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xstilts import formats
from xstilts.data import parallel, prepare
from xstilts.data.parallel import Pair
from xstilts.encoding import encoded
from xstilts.encoding.encode import longest
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.tokenizer import Tokenizer, load_tokenizer
from xstilts.experiment.alignment_check import enough
from xstilts.experiment.architecture import Architecture
from xstilts.metrics import alignment
from xstilts.models import adapters, checkpoint
from xstilts.models.footprint import Footprint
from xstilts.running import device, resources
from xstilts.running.errors import Absent, NotFinite, UserError
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.running.record import versions
from xstilts.scoring import predict

CHUNK = 2**26  # bytes of the means of the sentences that are run before they are kept
# Tokens of a batch on a CPU at most. With plain attention, which is the faster where sentences are
# short, batches of 2,048 instead of 4,096 are a tenth faster.
CPU_TOKENS = 2048
PIVOT_FIRST = "tatoeba"  # the row function whose sources are the pivot's sentences


class Means(NamedTuple):
    """The mean states of sentences.

    `file`: float32 [layers, sentences, H] in the order of `order`, int64 [sentences], the sentences
    from the shortest; `tokens`: of all; `cut`: sentences that were cut; `known`: of a pivot, layer
    and sentences -> what was found of it with the languages before.
    """

    file: Any
    width: int
    order: np.ndarray
    tokens: int
    cut: int
    known: dict[tuple[int, bytes], alignment.Known]

    def layer(self, at: int, rows: np.ndarray) -> np.ndarray:
        """Return those of some sentences at the layer of this position, float32 [rows, H]."""
        n = len(self.order)
        self.file.seek(4 * at * n * self.width)
        stored = np.frombuffer(self.file.read(4 * n * self.width), np.float32)
        return stored.reshape(n, self.width)[np.argsort(self.order)[rows]]


class Aligner:
    """An encoder that is measured on the languages of a set, loaded when one is to be measured."""

    def __init__(
        self, folder: str, node: dict[str, Any], layers: Sequence[int], budget: int, out: str
    ) -> None:
        """Load nothing yet.

        Args:
            folder: of the checkpoint.
            node: its record.
            layers: that are measured; () for all.
            budget: tokens of a batch, with padding.
            out: folder of the files of the set.
        """
        self.folder, self.node, self.asked, self.budget = folder, node, layers, budget
        self.out = out
        self.loaded: tuple[Any, Any, Any, Tokenizer] | None = None

    def load(self) -> tuple[Any, Any, Any, Tokenizer]:
        """Return encoder, what pools its layers, device and tokenizer."""
        if self.loaded is None:
            from xstilts.models.layer_means import LayerMeans

            base = str(adapters.backbone(self.folder))
            need = Footprint(base, self.out, self.budget, trained=False, searched=True)
            where = device.choose(need)
            encoder = checkpoint.load_encoder(self.folder).to(where)
            if where.type == "cpu":
                encoder.set_attn_implementation("eager")
                self.budget = min(self.budget, CPU_TOKENS)
            means = LayerMeans(encoder, self.asked)
            tokenizer = load_tokenizer(Path(self.folder) / "tokenizer.json")
            self.loaded = encoder, means, where, tokenizer
        return self.loaded

    def means(self, texts: Sequence[str], max_length: int) -> Means:
        """Return the mean states of sentences, which are read once, the shortest first."""
        encoder, pool, where, tokenizer = self.load()
        length = min(max_length, longest(max_length, Path(self.folder)))
        encodings = tokenizer.encode(texts, length)
        sizes = np.array([len(one.ids) for one in encodings])
        order, page, n = np.argsort(sizes, kind="stable"), formats.page("retrieval"), len(texts)
        layers, width = len(pool.layers), Architecture.of(encoder.config).width
        file = self._file(4 * layers * n * width)
        size = max(1, CHUNK // (4 * layers * width))
        for start in range(0, n, size):
            chunk = [encodings[at].ids for at in order[start : start + size]]
            about = {"pad": tokenizer.pad_token_id, "rows": len(chunk), "cut": 0}
            data = Encoded(encoded.pack(chunk), about)
            with _autocast(where):
                found = np.stack(predict.reduced(page, encoder, pool, data, where, self.budget))
            if not np.isfinite(found).all():
                raise NotFinite(f"{self.folder}: its hidden states are not finite numbers")
            for at in range(layers):
                file.seek(4 * width * (at * n + start))
                file.write(np.ascontiguousarray(found[:, at]).data)
        cut = sum(bool(one.overflowing) for one in encodings)
        return Means(file, width, order, int(sizes.sum()), cut, {})

    def _file(self, size: int) -> Any:
        """Return a file of the size in memory or, above the budget, one without a name."""
        if size <= resources.STATES:
            return io.BytesIO()
        Path(self.out).mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=self.out)


def precision(where: Any) -> str:
    """Return in what an encoder is run for its alignment: in bf16 also on a CPU that computes in
    it, which is twice as fast; measures agree to the third decimal, but for `spectral`."""
    import torch

    if where.type == "cpu":
        return "bf16" if torch.cpu._is_avx512_bf16_supported() else "fp32"
    return device.precision()


def _autocast(where: Any) -> Any:
    import torch

    half = where.type == "cpu" and precision(where) == "bf16"  # a GPU has it from `predict`
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=half)


def measured(
    aligner: Aligner,
    key: str,
    specs: Mapping[str, dict[str, Any]],
    about: Mapping[str, str],
    rows: Mapping[str, str],
) -> Iterator[tuple[str, dict[str, Any] | UserError]]:
    """Yield language -> what is measured of it, which is then in its file, or why it is not.

    What is there, made from the same files by the same spec, is taken. The pivot's sentences are
    run once where they are the same for all languages.

    Args:
        aligner: of the encoder.
        key: of the set in the config, for messages.
        specs: language -> spec.
        about: model, intermediate, seed and set, for the records.
        rows: language -> file of its unified rows; of the pivot too, unless the rows are pairs.
    """
    pivots: dict[tuple[str, ...], Means] = {}
    for lang, spec in specs.items():
        try:
            yield lang, _language(aligner, key, lang, spec, about, sides(lang, spec, rows), pivots)
        except UserError as error:
            if error.kind != UserError.kind:  # of the device or the encoder, so of no language
                raise
            yield lang, error


def sides(lang: str, spec: Mapping[str, Any], rows: Mapping[str, str]) -> list[str]:
    """Return the files of `rows` that a language is measured on: its own and, unless the rows are
    pairs, that of the pivot."""
    return [rows[lang], *([rows[spec["pivot"]]] if len(spec["data"]) == 2 else [])]


def pins(files: Sequence[str]) -> dict[str, str]:
    """Return what the rows in some files were made from."""
    return prepare.pins(*map(prepare.metadata, files))


def _language(
    aligner: Aligner,
    key: str,
    lang: str,
    spec: dict[str, Any],
    about: Mapping[str, str],
    files: Sequence[str],
    pivots: dict[tuple[str, ...], Means],
) -> dict[str, Any]:
    """Return the record of a language; UserError if it cannot be measured."""
    out, node = Path(aligner.out) / f"{lang}.json", aligner.node
    made_from = node["pins"] | pins(files)
    fingerprint = digest([spec, node["weights"], *map(sha256, files)])
    if record := _there(out, spec, fingerprint):
        print(f"{lang}: already measured")
        if record.get("pins") != made_from:  # another version of what it was trained on
            record["pins"] = made_from
            write_json(out, record)
        return record
    start, where = time.monotonic(), f"{key}: `{spec['task']}`"
    try:
        pairs = _pairs(files, spec, lang)
    except UserError as error:
        raise type(error)(f"{where}: {error}") from None
    of_pivot, of_lang, left_out = parallel.chosen(pairs, spec["rows"])
    enough(f"{where} ({lang})", len(of_lang), spec["measures"])
    texts = tuple(pairs[at].pivot for at in of_pivot)
    tokens = 0
    if texts not in pivots:
        pivots.clear()  # the next languages have the same, or each its own
        pivots[texts] = aligner.means(texts, spec["max_length"])
        tokens += pivots[texts].tokens
    y, x = pivots[texts], aligner.means([pairs[at].text for at in of_lang], spec["max_length"])
    tokens += x.tokens
    _, pool, on, _ = aligner.load()
    place = {at: row for row, at in enumerate(of_pivot)}
    rows = np.array([place[at] for at in of_lang])
    layers = _layers(x, y, rows, pool.layers, spec["measures"], on)
    seconds = time.monotonic() - start
    record = {
        **about,
        "language": lang,
        "pivot": spec["pivot"],
        "sentences": len(of_lang),
        "left_out": left_out,
        "cut": x.cut + y.cut,
        "layers": layers,
        "spec": spec,
        "checkpoint": node["spec"],
        "pins": made_from,
        "weights": node["weights"],
        "seconds": round(seconds, 3),
        "tokens": tokens,
        "tokens_per_second": round(tokens / max(seconds, 1e-9), 1),
        **device.describe(on),
        "precision": precision(on),
        "versions": versions(),
        "fingerprint": fingerprint,
    }
    write_json(out, record)
    print(f"{lang}: {len(of_lang)} sentences", flush=True)
    return record


def _pairs(files: Sequence[str], spec: dict[str, Any], lang: str) -> list[Pair]:
    about = [prepare.metadata(path) for path in files]
    if reason := next((of["absent"] for of in about if "absent" in of), ""):
        raise Absent(reason)
    read = [prepare.read(path).to_pylist() for path in files]
    if len(files) == 1:
        return parallel.of_pairs(read[0], about[0]["spec"].get("rows") == PIVOT_FIRST)
    column, pivot = spec["column"], spec["pivot"]
    pairs = parallel.of_rows(read[0], read[1], column, lang, pivot)
    if not any(pair.text for pair in pairs):
        raise UserError(f"its rows in {lang} have nothing in `{column}`")
    return pairs


def _layers(
    x: Means,
    y: Means,
    rows: np.ndarray,
    layers: Sequence[int],
    measures: Sequence[str],
    where: Any,
) -> dict[str, dict[str, float]]:
    """Return layer -> its measures; `rows` of the pivot are those of the language."""
    import torch

    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")  # TF32 has three digits
    every, found = np.arange(len(x.order)), {}
    try:
        for at, layer in enumerate(layers):
            of_x = torch.from_numpy(x.layer(at, every)).to(where)
            of_y = torch.from_numpy(y.layer(at, rows)).to(where)
            key = at, rows.tobytes()
            if key not in y.known:
                y.known[key] = alignment.known(of_y, measures)
            found[str(layer)] = alignment.measured(of_x, of_y, measures, y.known[key])
        return found
    finally:
        torch.set_float32_matmul_precision(precision)


def _there(path: Path, spec: dict[str, Any], fingerprint: str) -> dict[str, Any] | None:
    try:
        found = read_json(path)
    except UserError:
        return None
    same = isinstance(found, dict) and found.get("spec") == spec
    return found if same and found.get("fingerprint") == fingerprint else None
