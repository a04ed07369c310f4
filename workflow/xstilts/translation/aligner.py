"""How the words of two texts belong together, from the hidden states of an encoder.

A word is the mean of its tokens' states at one layer, and two are as alike as the cosine of these
(SimAlign, Jalili Sabet et al. 2020). `tests/bench/word_alignment.py` measures which layer and which
method is right most often, on the toy world, where the truth is known.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xstilts.encoding import encoded
from xstilts.encoding.encode import longest
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.tokenizer import Tokenizer, load_tokenizer
from xstilts.experiment.recipe import stride
from xstilts.formats.tagging import windows
from xstilts.models import adapters, checkpoint
from xstilts.models.footprint import Footprint
from xstilts.running import device
from xstilts.scoring import predict
from xstilts.translation import links
from xstilts.translation.links import Alignment
from xstilts.translation.words import is_character

METHOD = "assigned"
LENGTH = 512  # tokens of a window at most
Words = tuple[str, ...]


class States(NamedTuple):
    """The states of a text: of each word or, in scripts without spaces, of each run of characters
    that is one token.

    Attributes:
        vectors: of length 1, float32 [units, H].
        words: the words that each is of.
    """

    vectors: np.ndarray
    words: list[range]


def aligned(source: States, target: States, method: str) -> Alignment:
    """Return how the words of two texts belong together, by a method of `links.METHODS`: where
    several words have one state, all of them.

    The cosine of two words counts the less the more words they are from the same place: a context
    is translated sentence by sentence, and far words that are alike are those of another.
    """
    alike = source.vectors @ target.vectors.T
    found = links.aligned(alike * links.nearness(*alike.shape), method)
    pairs = (
        (i, j) for one, other in found.links for i in source.words[one] for j in target.words[other]
    )
    nearest = [
        source.words[at][0] if at >= 0 else -1
        for at, own in zip(found.nearest, target.words, strict=True)
        for _ in own
    ]
    return Alignment(tuple(sorted(pairs)), tuple(nearest))


class WordAligner:
    """An encoder that aligns words, loaded when there is something to align."""

    def __init__(
        self, folder: str, layer: int | None, method: str = METHOD, budget: int = 16_384
    ) -> None:
        """Load nothing yet.

        Args:
            folder: of the checkpoint.
            layer: whose states are compared; None for the one that retrieval pools
                (`checkpoint.retrieval_layer`).
            method: one of `links.METHODS`.
            budget: tokens of a batch, with padding.
        """
        self.folder, self.layer, self.method, self.budget = folder, layer, method, budget
        self.known: dict[tuple[Words, Words], Alignment] = {}
        self._loaded: tuple[Any, Any, Tokenizer] | None = None

    def __call__(self, source: Sequence[str], target: Sequence[str]) -> Alignment:
        """Return how the words of two texts belong together; fast where `prepare` had them."""
        key = (tuple(source), tuple(target))
        if key not in self.known:
            self.prepare([key])
        return self.known[key]

    def prepare(self, pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
        """Align pairs of texts together, each distinct text read once; those before are forgotten.

        Args:
            pairs: words of a text, words of its translation.
        """
        wanted = dict.fromkeys((tuple(one), tuple(other)) for one, other in pairs)
        texts = list(dict.fromkeys(text for pair in wanted for text in pair))
        states = dict(zip(texts, self.states(texts), strict=True))
        self.known = {
            (one, other): aligned(states[one], states[other], self.method) for one, other in wanted
        }

    def states(self, texts: Sequence[Words]) -> list[States]:
        """Return the states of the words of texts."""
        encoder, where, tokenizer = self._load()
        length = min(LENGTH, longest(LENGTH, Path(self.folder)))
        units = [_units(text, tokenizer) for text in texts]
        data, owners = _encode([[one.ids for one in of] for of in units], tokenizer, length)
        found = predict.reduced(_Words, encoder, _as_is(), data, where, self.budget)  # type: ignore[arg-type]
        width = found[0].shape[1] if found else 1
        out = [np.zeros((len(of), width), dtype=np.float32) for of in units]
        for vectors, (text, first, own) in zip(found, owners, strict=True):
            out[text][own.start : own.stop] = vectors[own.start - first : own.stop - first]
        return [
            States(_unit(one), [range(unit.first, unit.end) for unit in of])
            for one, of in zip(out, units, strict=True)
        ]

    def _load(self) -> tuple[Any, Any, Tokenizer]:
        if self._loaded is None:
            base = str(adapters.backbone(self.folder))
            need = Footprint(base, self.folder, self.budget, trained=False)
            where = device.choose(need)
            layer = self.layer

            def depth(config: Any) -> int:
                return checkpoint.retrieval_layer(config, layer)

            encoder = checkpoint.load_encoder(self.folder, depth).to(where)
            tokenizer = load_tokenizer(Path(self.folder) / "tokenizer.json")
            self._loaded = encoder, where, tokenizer
        return self._loaded


class _Words:
    """In place of the page of a format: the words of a window as the means of their tokens."""

    @staticmethod
    def collate(data: Encoded, examples: np.ndarray, seed: Sequence[int] = ()) -> dict[str, Any]:
        """Some windows as a batch; `word` int64 [sequences, width] is the word that a token is of,
        one past the last for those of none; `words` their number, `sizes` those of each window."""
        batch = encoded.pad(data, examples)
        starts, spans = data.arrays["starts"], data.arrays["spans"]
        sizes = np.diff(spans)[examples]
        most = int(sizes.max())
        word = np.full(batch["ids"].shape, most, dtype=np.int64)
        for row, s in enumerate(examples):
            own = data.arrays["word"][starts[s] : starts[s + 1]]
            word[row, : len(own)] = np.where(own < 0, most, own)
        return batch | {"word": word, "words": most, "weight": len(examples)}

    @staticmethod
    def reduce(outputs: Any, batch: dict[str, Any]) -> Any:
        """The mean states of the words of each window, float32 [sequences, most words, H]."""
        import torch

        states, word, most = outputs.float(), batch["word"], batch["words"]
        sums = states.new_zeros(len(states), most + 1, states.shape[-1])
        sums.scatter_add_(1, word.unsqueeze(-1).expand_as(states), states)
        counts = torch.zeros(sums.shape[:2], device=states.device)
        counts.scatter_add_(1, word, torch.ones_like(word, dtype=torch.float32))
        return (sums / counts.clamp(min=1).unsqueeze(-1))[:, :most]


def _as_is() -> Any:
    from torch import nn

    class AsIs(nn.Module):
        def forward(self, hidden: Any, mask: Any) -> Any:
            return hidden

    return AsIs()


class _Unit(NamedTuple):
    """Words [first, end) of a text, which have the same tokens."""

    first: int
    end: int
    ids: list[int]


def _units(text: Words, tokenizer: Tokenizer) -> list[_Unit]:
    """Return the words of a text with their tokens; characters of scripts without spaces are read
    together, and those that one token covers are one unit."""
    tokens_of = tokenizer.encode_words(tokenizer.in_sentence(text))
    unknown = [(tokenizer.unk_token_id, "")]
    found: list[_Unit] = []
    at = 0
    for alone, run in groupby(text, key=is_character):
        own = list(run)
        if alone and len(own) > 1:
            found += _of_run(own, at, tokenizer)
        else:
            for number, word in enumerate(tokenizer.in_sentence(text)[at : at + len(own)], at):
                found.append(_Unit(number, number + 1, [i for i, _ in tokens_of[word] or unknown]))
        at += len(own)
    return found


def _of_run(characters: Sequence[str], first: int, tokenizer: Tokenizer) -> list[_Unit]:
    encoding = tokenizer.backend.encode("".join(characters), add_special_tokens=False)
    owner: np.ndarray = np.repeat(np.arange(len(characters)), [len(one) for one in characters])
    found: list[_Unit] = []
    for i, token, (start, end) in zip(encoding.ids, encoding.tokens, encoding.offsets, strict=True):
        if end <= start or not token.strip(tokenizer.space):
            continue
        begin, stop = first + int(owner[start]), first + int(owner[end - 1]) + 1
        if found and begin < found[-1].end:  # of a character of several tokens
            found[-1] = _Unit(found[-1].first, max(stop, found[-1].end), [*found[-1].ids, i])
        else:
            found.append(_Unit(begin, stop, [i]))
    covered = {at for unit in found for at in range(unit.first, unit.end)}
    left = [at for at in range(first, first + len(characters)) if at not in covered]
    return sorted([*found, *(_Unit(at, at + 1, [tokenizer.unk_token_id]) for at in left)])


def _encode(
    texts: Sequence[Sequence[list[int]]], tokenizer: Tokenizer, length: int
) -> tuple[Encoded, list[tuple[int, int, range]]]:
    """Return the windows of whole units of texts, given the tokens of each unit; and of each window
    the text, its first unit, and the units that are read in it: of two that hold a unit, the one
    that has more around it."""
    before, after = tokenizer.template
    size = length - len(before) - len(after)
    sequences, word_of, spans, owners = [], [], [0], []
    for number, text in enumerate(texts):
        ids = [one[:size] for one in text]
        for first, last, own in windows([len(one) for one in ids], size, stride(length)):
            inner = [i for one in ids[first:last] for i in one]
            sequences.append([*before, *inner, *after])
            places = [at for at, one in enumerate(ids[first:last]) for _ in one]
            word_of += [-1] * len(before) + places + [-1] * len(after)
            spans.append(spans[-1] + last - first)
            owners.append((number, first, own))
    arrays = encoded.pack(sequences) | {
        "word": np.array(word_of, dtype=np.int64),
        "spans": np.array(spans, dtype=np.int64),
    }
    return Encoded(arrays, {"pad": tokenizer.pad_token_id, "rows": len(texts), "cut": 0}), owners


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
