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

SPACE, BYTE_SPACE = "\u2581", "Ġ"
HIDDEN_PREFIX = "\0"  # before the name of a special token, so that no text matches it


@dataclasses.dataclass(frozen=True)
class Tokenizer:
    """Encodes text; special tokens written in the data (`<mask>`, `</s>`) stay ordinary text.

    Attributes:
        backend: of the tokenizers library.
        pad_token_id: of the config beside it.
        digest: SHA-256 of the file.
        special_tokens: special token -> id.
        word: which token stands for a word: `first`, or the `last` where a token has seen those
            before it alone (`word` in the object `xstilts` of the config).
        space: what stands in a token for a space: sentencepiece's U+2581, or `Ġ` in byte-level
            tokenizers, which have characters for bytes.
        has_bytes: whether one character may be several tokens.
    """

    backend: tokenizers.Tokenizer
    pad_token_id: int
    digest: str
    special_tokens: Mapping[str, int]
    word: Literal["first", "last"] = "first"
    space: str = SPACE
    has_bytes: bool = False

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
        for name in ("<mask>", "[MASK]", "<|mask|>"):  # XLM-R's, BERT's, EuroBERT's
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

    @cached_property
    def words_have_spaces(self) -> bool:
        """Whether a word after a space has other tokens than the word alone.

        So in byte-level tokenizers and in Gemma's; others put a mark before each, or none at all.
        """
        a, b, both = (
            self.backend.encode(t, add_special_tokens=False).ids for t in ("a", "b", "a b")
        )
        return bool(both != a + b)

    def in_sentence(self, words: Sequence[str]) -> list[str]:
        """Return the words of a sentence as they are to be encoded: with the space before them
        where that matters, in scripts without spaces as well."""
        if not self.words_have_spaces:
            return list(words)
        return [f" {word}" if i else word for i, word in enumerate(words)]

    def place(self, tokens: Sequence[str]) -> int:
        """Return which of a word's tokens stands for it: the first (or last) that is no space."""
        real = [i for i, token in enumerate(tokens) if token.strip(self.space)]
        if self.word == "last":
            return real[-1] if real else len(tokens) - 1
        return real[0] if real else 0

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
        byte_level = '"ByteLevel"' in json.dumps(content.get("pre_tokenizer"))
        backend = tokenizers.Tokenizer.from_str(_hide_special_tokens(content))
        config = json.loads((Path(path).parent / "config.json").read_text(encoding="utf-8"))
        pad_token_id = int(config["pad_token_id"])
        word = config.get("xstilts", {}).get("word", "first")
        has_bytes = byte_level or bool(content["model"].get("byte_fallback"))
    except Exception as error:  # the library raises bare Exception
        raise UserError(f"{path}: cannot be read as a tokenizer ({error})") from None
    backend.no_padding()
    backend.no_truncation()
    backend.encode_special_tokens = True
    space = BYTE_SPACE if byte_level else SPACE
    return Tokenizer(backend, pad_token_id, sha256(path), special, word, space, has_bytes)


def _hide_special_tokens(content: dict[str, Any]) -> str:
    """Return a `tokenizer.json` whose model finds no special token in a text.

    `encode_special_tokens` alone is not enough: XLM-R's special tokens are in the vocabulary of its
    unigram model too, with the best score, so `<mask>` in a text would still be found there; so a
    BPE model finds what it has merges for or (`ignore_merges`) whole words of its vocabulary. Ids
    stay.
    """
    model, special = (
        content["model"],
        {t["content"] for t in content["added_tokens"] if t["special"]},
    )
    hidden = {token: HIDDEN_PREFIX + token for token in special}
    if model.get("type") == "Unigram":
        model["vocab"] = [[hidden.get(token, token), score] for token, score in model["vocab"]]
        inside = {token for token, _ in model["vocab"]}
    elif model.get("type") == "BPE":
        model["vocab"] = {hidden.get(token, token): i for token, i in model["vocab"].items()}
        model["unk_token"] = hidden.get(model.get("unk_token"), model.get("unk_token"))
        model["merges"] = [m for m in model["merges"] if special.isdisjoint(_parts(m))]
        inside = set(model["vocab"])
    else:
        return json.dumps(content, ensure_ascii=False)
    content["added_tokens"] = [
        t for t in content["added_tokens"] if hidden.get(t["content"]) not in inside
    ]
    return json.dumps(content, ensure_ascii=False)


def _parts(merge: str | list[str]) -> tuple[str, str, str]:
    """Return the two tokens of a merge, and what they become."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right, left + right
