"""A checkpoint that is run on the rows of some languages at a time, without gradients."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from xstilts import formats
from xstilts.data.rows import Row
from xstilts.encoding import encoded
from xstilts.encoding.encoded import Encoded
from xstilts.models import adapters, checkpoint
from xstilts.models.footprint import Footprint
from xstilts.running import device
from xstilts.running.energy import Meter
from xstilts.running.errors import UserError
from xstilts.running.files import sha256
from xstilts.scoring import predict


class Unloadable(UserError):
    """The checkpoint cannot be loaded, so no language can be scored; of the kind of the reason."""

    def __init__(self, reason: UserError) -> None:
        super().__init__(str(reason))
        self.kind = reason.kind


@dataclass(frozen=True)
class Language:
    """A language that has no score yet: what is scored, and what the record says of it.

    Attributes:
        name: its code.
        spec: of its score.
        out: the score file.
        fingerprint, pins: see `prepared`.
        data, rows: encoded, and as text.
        dev: the same of the dev split, where mining needs the threshold that is best on them.
        classes: columns of its strata.
    """

    name: str
    spec: dict[str, Any]
    out: Path
    fingerprint: str
    pins: dict[str, Any]
    data: Encoded
    rows: list[Row]
    dev: tuple[Encoded, list[Row]] | None
    classes: dict[str, pa.Array]

    @property
    def parts(self) -> list[Encoded]:
        """All that the model is run on."""
        return [self.data, *([] if self.dev is None else self.dev[:1])]

    @property
    def tokens(self) -> int:
        """How many the model is run on."""
        return sum(
            len(part.arrays["tokens"]) + part.positions * (len(part.arrays["starts"]) - 1)
            for part in self.parts
        )


class Output(NamedTuple):
    """What the model says of a language.

    `reduced`: what each of its parts is decoded from; `seconds`, `joules` (None: not known): what
    this took; `predictions`, where they are found for several languages at once.
    """

    reduced: list[list[Any]]
    seconds: float
    joules: float | None
    predictions: list[str] | None = None


class Scorer:
    """A checkpoint, loaded at the first language that needs it."""

    def __init__(
        self, folder: str, node: dict[str, Any], spec: dict[str, Any], budget: int, out: str = ""
    ) -> None:
        self.folder, self.node, self.spec, self.budget = folder, node, spec, budget
        self.out = out  # of the cell
        self.sha256 = cache(sha256)  # of files that several languages have
        self.loaded: Any = None

    def load(self, data: Encoded):
        """Return encoder, head and device, for data like this; retrieval keeps only the layers that
        it pools.

        Raises:
            Unloadable: for every language.
        """
        if self.loaded is None:
            try:
                self.loaded = self._load(data)
            except UserError as error:
                raise Unloadable(error) from error
        return self.loaded

    def _load(self, data: Encoded):
        """Return encoder, head and device; UserError if they cannot be loaded."""
        # A retrieval by a dual encoder has the head of that.
        page = formats.page(self.spec.get("head") or data.meta["spec"]["format"])
        searched = data.meta["spec"]["format"] == "retrieval" and "head" not in self.spec
        base = str(adapters.backbone(self.folder))
        need = Footprint(base, self.out, self.budget, trained=False, searched=searched)
        where = device.choose(need)
        if searched:
            asked = self.spec["retrieval_layer"]
            layer = partial(checkpoint.retrieval_layer, requested=asked)
            encoder = checkpoint.load_encoder(self.folder, layers=layer)
            head = page.head(encoder, [])
        else:
            encoder = checkpoint.load_encoder(self.folder)
            head = page.head(encoder, data.labels)
            if data.pictures is not None:
                from xstilts.formats.pictures import Projector, add

                add(head, Projector.of(data.pictures.features.shape, encoder))
            checkpoint.load_head(head, self.folder)
        return encoder.to(where), head.to(where), where

    def __call__(self, languages: Sequence[Language]) -> list[Output]:
        """Run the model on some languages at once.

        They share batches, so that seconds and energy are told by their shares of the tokens.
        """
        encoder, head, where = self.load(languages[0].data)
        page = formats.page(languages[0].data.meta["spec"]["format"])
        start, energy = time.monotonic(), Meter()
        parts = [part for language in languages for part in language.parts]
        rest = iter(predict.reduced(page, encoder, head, encoded.join(parts), where, self.budget))
        reduced = [[list(islice(rest, len(part))) for part in one.parts] for one in languages]
        seconds, joules = time.monotonic() - start, energy.joules
        total = sum(language.tokens for language in languages)
        shares = [language.tokens / max(total, 1) for language in languages]
        return [
            Output(each, share * seconds, None if joules is None else share * joules)
            for each, share in zip(reduced, shares, strict=True)
        ]
