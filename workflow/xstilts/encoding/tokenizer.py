"""The tokenizer of a model, as a few calls; torch and transformers stay out of the encode step."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tokenizers
from tokenizers import Encoding

from xstilts.running.errors import UserError
from xstilts.running.files import sha256

HIDDEN_PREFIX = "\0"  # before the name of a special token, so that no text matches it


@dataclasses.dataclass(frozen=True)
class Tokenizer:
    """Encodes text; special tokens written in the data (`<mask>`, `</s>`) stay ordinary text."""

    backend: tokenizers.Tokenizer
    pad_token_id: int
    digest: str
    special_tokens: Mapping[str, int]  # special token -> id

    @cached_property
    def template(self) -> tuple[list[int], list[int]]:
        """The special tokens before and after a single sequence: `<s>` and `</s>` in XLM-R."""
        with_specials = self.backend.encode("a").ids
        plain = self.backend.encode("a", add_special_tokens=False).ids
        before = next(
            i for i in range(len(with_specials)) if with_specials[i : i + len(plain)] == plain
        )
        return with_specials[:before], with_specials[before + len(plain) :]

    @cached_property
    def unk_token_id(self) -> int:
        """The id that stands for text without tokens."""
        names = (f"{HIDDEN_PREFIX}<unk>", "<unk>", "[UNK]")
        ids = (self.backend.token_to_id(name) for name in names)
        return next((i for i in ids if i is not None), self.pad_token_id)

    @cached_property
    def mask_token_id(self) -> int:
        """The id of the mask token of masked language modelling."""
        for name in ("<mask>", "[MASK]"):
            if name in self.special_tokens:
                return self.special_tokens[name]
        raise UserError("this model's tokenizer has no <mask> token, which mlm needs")

    @cached_property
    def ordinary(self) -> np.ndarray:
        """Whether each id is no special token, bool [vocabulary]."""
        ids = self.backend.get_vocab().values()
        ordinary: np.ndarray = np.zeros(max(*ids, *self.special_tokens.values()) + 1, dtype=bool)
        ordinary[list(ids)] = True
        ordinary[list(self.special_tokens.values())] = False
        return ordinary

    def encode(
        self,
        texts: Sequence[str] | Sequence[tuple[str, str]],
        max_length: int,
        strategy: Literal["longest_first", "only_first", "only_second"] = "longest_first",
        side: Literal["left", "right"] = "right",
        stride: int = 0,
    ) -> list[Encoding]:
        """Encode texts or pairs into at most `max_length` tokens each.

        What does not fit is cut on `side` of the sequence(s) that `strategy` names; the windows
        that were cut off, overlapping by `stride`, are in `.overflowing`.
        """
        self.backend.enable_truncation(max_length, stride=stride, strategy=strategy, direction=side)
        try:
            return self.backend.encode_batch(list(texts))
        finally:
            self.backend.no_truncation()

    def encode_words(self, words: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
        """Return word -> its (id, token) list, without special tokens, each distinct word once."""
        distinct = sorted(set(words))
        encodings = self.backend.encode_batch(distinct, add_special_tokens=False)
        return {
            word: list(zip(encoding.ids, encoding.tokens, strict=True))
            for word, encoding in zip(distinct, encodings, strict=True)
        }


def load_tokenizer(path: str | Path) -> Tokenizer:
    """Load `tokenizer.json`, with the pad id of the `config.json` beside it."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        special = {t["content"]: t["id"] for t in content["added_tokens"] if t["special"]}
        backend = tokenizers.Tokenizer.from_str(_hide_special_tokens(content))
        config = json.loads((Path(path).parent / "config.json").read_text(encoding="utf-8"))
        pad_token_id = int(config["pad_token_id"])
    except Exception as error:  # the library raises bare Exception
        raise UserError(f"{path}: cannot be read as a tokenizer ({error})") from None
    backend.no_padding()
    backend.no_truncation()
    backend.encode_special_tokens = True
    return Tokenizer(backend, pad_token_id, sha256(path), special)


def _hide_special_tokens(content: dict[str, Any]) -> str:
    """Return a `tokenizer.json` whose unigram model finds no special token in a text.

    `encode_special_tokens` alone is not enough: XLM-R's special tokens are in the vocabulary of its
    model too, with the best score, so `<mask>` in a text would still be found there. Ids stay.
    """
    if content["model"].get("type") != "Unigram":
        return json.dumps(content, ensure_ascii=False)
    special = {token["content"] for token in content["added_tokens"] if token["special"]}
    content["added_tokens"] = [t for t in content["added_tokens"] if not t["special"]]
    content["model"]["vocab"] = [
        [HIDDEN_PREFIX + token if token in special else token, score]
        for token, score in content["model"]["vocab"]
    ]
    return json.dumps(content, ensure_ascii=False)
