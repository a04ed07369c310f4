"""A part of a training: one task, with its rows and its head."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from xstilts import formats
from xstilts.data import prepare
from xstilts.encoding import encoded
from xstilts.encoding.encoded import Encoded
from xstilts.models import shards
from xstilts.running import ranks


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """One task of a training.

    Attributes:
        task: its name.
        format: the name of its page.
        batch_size: its own examples an optimizer step.
        labels: the head's outputs; empty for a format without.
        train: language -> encoded train rows.
        dev: encoded dev rows, and `rows` the same as text; None where it has no say in which
            checkpoint is the best (mlm).
        lang, metric: of the dev rows.
        head: what sits on the encoder for it; tasks may share one.
    """

    task: str
    format: str
    batch_size: int
    labels: Sequence[str]
    train: Mapping[str, Encoded]
    head: Any = None
    dev: Encoded | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    lang: str = "en"
    metric: str = ""

    @property
    def page(self) -> ModuleType:
        """The page of its format."""
        return formats.page(self.format)

    @property
    def sizes(self) -> dict[str, int]:
        """Language -> train examples."""
        return {lang: len(data) for lang, data in self.train.items()}


def asked(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the spec of each task of a training; that on one English task is its own."""
    if "tasks" in spec:
        return spec["tasks"]
    one = {"train": {"en": spec["train"]}, "dev": {"en": spec["dev"]}}
    return [{**spec, **one, "batch_size": spec["recipe"]["batch_size"]}]


def read_parts(
    spec: Mapping[str, Any],
    tokenizer: str,
    train: Iterable[str],
    dev: Iterable[str],
    dev_rows: Iterable[str],
) -> list[Part]:
    """Return the tasks of a training, still without heads.

    Args:
        spec: of the training.
        tokenizer: digest of the tokenizer that all rows must be encoded with.
        train, dev, dev_rows: paths, in the order of the spec's tasks and their languages.

    Raises:
        UserError: a file is made by another spec, or encoded with another tokenizer.
    """
    trains, devs, texts = iter(train), iter(dev), iter(dev_rows)
    first = spec["recipe"]["eval_rows"]

    def data(path: str, expected: str) -> Encoded:
        return encoded.load_checked(path, expected, tokenizer, "the model")

    parts = []
    for one in asked(spec):
        rows = {lang: data(next(trains), expected) for lang, expected in one["train"].items()}
        labels = next(iter(rows.values())).labels  # the spec's, or those of an open tag set
        part = Part(one["task"], one["format"], one["batch_size"], labels, rows)
        for lang, expected in one["dev"].items():
            part = dataclasses.replace(
                part,
                dev=data(next(devs), expected).first_rows(first),
                rows=prepare.read(next(texts)).to_pylist()[:first],
                lang=lang,
                metric=one["metric"],
            )
        parts.append(part)
    return parts


def with_heads(parts: Iterable[Part], encoder) -> list[Part]:
    """Return the tasks with new heads, on the encoder's device.

    One for the tasks of equal format and equal labels (MNLI, SNLI, ANLI); tasks without labels
    (choice, span) have heads of their own, as in jiant.
    """
    made: dict[Any, Any] = {}
    found = []
    for part in parts:
        key = (part.format, *part.labels) if part.labels else part.task
        if key not in made:
            made[key] = part.page.head(encoder, list(part.labels)).to(encoder.device)
        found.append(dataclasses.replace(part, head=made[key]))
    return found


def named_heads(parts: Iterable[Part]) -> dict[str, Any]:
    """Return name -> head, each once, by the name of the first task that it serves."""
    first: dict[int, str] = {}
    return {first.setdefault(id(part.head), part.task): part.head for part in parts}


def snapshot(encoder, parts: Sequence[Part]) -> dict[str, dict]:
    """Return a copy of all weights: `encoder`, and `head`.

    In a mix of several tasks the weights of each head have its name before theirs.
    """
    heads = named_heads(parts)
    prefixes = {name: f"{name}." if len(parts) > 1 else "" for name in heads}
    states = {
        "encoder": encoder.state_dict(),
        "head": {prefixes[n] + k: v for n, h in heads.items() for k, v in h.state_dict().items()},
    }
    return {
        name: {key: _copy(value) for key, value in state.items()} for name, state in states.items()
    }


def _copy(value):
    """Return a whole tensor on the CPU; None but in the first rank, which saves it."""
    found = shards.whole(value.detach())
    return found.to("cpu", copy=True).contiguous() if ranks.rank() == 0 else None
