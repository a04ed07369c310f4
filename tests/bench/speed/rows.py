"""What is measured on: an encoder and encoded rows, in a folder.

The real encoder and rows of ../shared/data where they are; else a random encoder of the same shape,
and rows of generated words of about the same lengths.
"""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

from tests.gpu import assets
from tests.gpu.sizes import TOY, Shape

from xstilts.data import prepare
from xstilts.encoding.tokenizer import load_tokenizer

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared/data"
ENCODER = "models/local/me5-small-xlmr-32k-6l"
SHAPE = Shape(layers=6, hidden=384, heads=12, intermediate=1536, vocabulary=32_002, positions=514)
TAGS = [
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """What a format is measured on.

    Attributes:
        name: of the asset; its format is `tests.gpu.assets.FORMATS`'.
        file: of the real rows, in ../shared/data/datasets.
        length: longest sequence, to which HF Trainer pads by default in its example scripts.
        batch: examples a step. `steps`, in one repeat; of the shortened form, `short`.
        evaluated: rows of an evaluation; 0 for none.
    """

    name: str
    file: str
    length: int
    batch: int
    steps: int
    short: int
    evaluated: int


CASES = (
    Case("mnli", "nyu-mll/glue/mnli/train", 128, 32, 6, 2, 192),
    Case("span", "rajpurkar/squad/plain_text/train", 256, 8, 4, 0, 32),
    Case("tagging", "google/xtreme/udpos.English/train", 128, 32, 4, 0, 192),
    Case("choice", "Rowan/hellaswag/default/train", 128, 8, 3, 0, 0),
)


def make(folder: Path, real: bool, short: bool) -> None:
    """Write the encoder, and the encoded rows of every case that is measured."""
    from tests.gpu import models

    folder.mkdir(parents=True, exist_ok=True)
    size = dataclasses.replace(
        TOY, words=30_000, mean_words=(33.0, 18.0), length=256, context=(150, 260)
    )
    if real:
        for path in (SHARED / ENCODER).iterdir():
            shutil.copyfile(path, folder / path.name)
        tokenizer = load_tokenizer(folder / "tokenizer.json")
    else:
        import torch

        tokenizer = assets.write_tokenizer(folder, size.words)
        models.build(SHAPE, torch.device("cpu")).save_pretrained(folder)
    for case in CASES:
        steps = case.short if short else case.steps
        examples = steps * case.batch
        evaluated = case.evaluated // (3 if short else 1)
        for split, count in (("train", examples), ("dev", evaluated or 4)):
            if not count or not steps:
                continue
            own = _real(case, split, count) if real else None
            rows = own or assets.make_rows(case.name, count, split, size)
            labels = TAGS if real and case.name == "tagging" else None
            format = assets.FORMATS[case.name]
            data = assets.encode(tokenizer, format, rows, case.length, labels)
            data.meta["measured"] = examples  # in a repeat; questions have more windows
            path = folder / f"{case.name}-{split}"
            data.save(f"{path}.safetensors")
            about = {"spec": {"hub": "made/rows"}, "pin": {"revision": "1"}}
            prepare.write(f"{path}.parquet", rows, format, about)


def _real(case: Case, split: str, count: int) -> list[dict[str, Any]]:
    """Return so many real rows; those of the two splits are of the two ends of the file."""
    import pyarrow.parquet as pq

    table = pq.read_table(SHARED / "datasets" / f"{case.file}-00000-of-00001.parquet")
    start = 0 if split == "train" else table.num_rows - count
    unify = {"mnli": _nli, "span": _span, "tagging": _tagging, "choice": _choice}[case.name]
    rows = table.slice(start, count).to_pylist()
    return [{"id": str(number), **unify(row)} for number, row in enumerate(rows)]


def _nli(row: dict[str, Any]) -> dict[str, Any]:
    label = assets.LABELS["classification"][row["label"]]
    return {"text": row["premise"], "text_pair": row["hypothesis"], "label": label}


def _span(row: dict[str, Any]) -> dict[str, Any]:
    answers = {"text": row["answers"]["text"], "start": row["answers"]["answer_start"]}
    return {"question": row["question"], "context": row["context"], "answers": answers}


def _tagging(row: dict[str, Any]) -> dict[str, Any]:
    return {"tokens": row["tokens"], "tags": [TAGS[tag] for tag in row["pos_tags"]]}


def _choice(row: dict[str, Any]) -> dict[str, Any]:
    return {"context": row["ctx"], "choices": row["endings"], "label": int(row["label"])}
