"""What a user can ask of the toy world: a checked JSON object with a default for every key."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from xstilts.running import files
from xstilts.running.errors import UserError
from xstilts.toy.lexicon import LANGUAGES


@dataclass(frozen=True)
class Sizes:
    """Rows of the splits that are trained on, chosen by, and scored."""

    train: int = 3000
    dev: int = 300
    test: int = 300


@dataclass(frozen=True)
class Pretrain:
    """Shape and training of the toy encoder."""

    layers: int = 3
    width: int = 128
    heads: int = 4
    steps: int = 900
    batch_size: int = 16
    learning_rate: float = 2e-3
    mask: float = 0.3
    contrast: float = 0.3
    dictionary: float = 0.6
    dropout: float = 0.0


@dataclass(frozen=True)
class Spec:
    """The whole of it."""

    seed: int = 1
    languages: tuple[str, ...] = LANGUAGES
    sizes: Sizes = field(default_factory=Sizes)
    pretrain: Pretrain = field(default_factory=Pretrain)

    def as_dict(self) -> dict[str, Any]:
        """The spec as JSON holds it."""
        return {**asdict(self), "languages": list(self.languages)}


def _checked(kind: type, given: Any, name: str) -> Any:
    """Make a dataclass of `given`, or say which key of `name` is wrong."""
    known = {f.name for f in fields(kind)}
    if not isinstance(given, dict):
        raise UserError(f"toy spec: {name} must be an object")
    if unknown := sorted(set(given) - known):
        raise UserError(f"toy spec: unknown key {unknown[0]!r} in {name}; known: {sorted(known)}")
    return kind(**given)


def parse(given: Any) -> Spec:
    """Check a spec that was read from JSON."""
    spec = _checked(Spec, given, "spec")
    languages = tuple(spec.languages)
    if unknown := [code for code in languages if code not in LANGUAGES]:
        known = ", ".join(LANGUAGES)
        raise UserError(f"toy spec: the toy world has no language {unknown[0]!r}; it has {known}")
    if "en" not in languages:
        raise UserError("toy spec: languages must hold 'en', which is trained on")
    sizes = _checked(Sizes, given.get("sizes", {}), "sizes")
    if min(sizes.train, sizes.dev, sizes.test) < 1:
        raise UserError("toy spec: sizes must be at least 1")
    return Spec(
        spec.seed, languages, sizes, _checked(Pretrain, given.get("pretrain", {}), "pretrain")
    )


def recorded(text: str) -> tuple[dict[str, Any], Spec]:
    """Return the record of what is made, and its spec: as JSON, or in a file.

    The record says besides of what kind it is, by which version of the generator, and which columns
    the data set has for strata.
    """
    record = json.loads(text) if text.startswith("{") else files.read_json(text)
    about = ("kind", "version", "strata")
    return record, parse({k: v for k, v in record.items() if k not in about})


def read(path: str | Path) -> Spec:
    """Read and check a spec file."""
    text = str(path)
    return parse(json.loads(text) if text.startswith("{") else files.read_json(path))
