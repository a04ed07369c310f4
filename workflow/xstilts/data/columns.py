"""Which raw column is what: said by a task's `columns`, or found by the names that the field uses.

Names are compared without case, blanks and punctuation: `Sentence 1` is `sentence1`. What is not
there, or not the only one of its kind, is asked for in one line.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

import pyarrow as pa

from xstilts.data import pictures
from xstilts.data.source import POOL
from xstilts.running.errors import UserError, brief, nearest

Found = dict[str, str | list[str]]  # column of the unified row -> raw column, or several

# Other names of a unified column; the column itself comes first.
NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "idx", "guid", "uid", "qid", "pairid", "exampleid", "index"),
    "text": (
        "text", "sentence", "review", "reviewtext", "reviewbody", "content", "tweet", "utterance",
        "comment", "commenttext", "document", "post", "message", "sent", "sentences", "headline",
    ),
    "label": (
        "label", "labels", "goldlabel", "labeltext", "class", "category", "sentiment", "polarity",
        "stance", "intent", "emotion", "topic", "target", "stars", "rating", "gold", "y",
    ),
    "tokens": ("tokens", "words", "form", "forms", "token", "word"),
    "tags": (
        "tags", "nertags", "postags", "upos", "labels", "ner", "pos", "tag", "nerlabels",
        "upostags",
    ),
    "question": ("question", "query", "questiontext"),
    "context": ("context", "passage", "paragraph", "document", "article", "passagetext", "text"),
    "answers": ("answers", "answer", "answertext", "answerstext"),
    "start": ("answerstart", "start", "answersstart", "answeroffset"),
    "image": ("image", "imageid", "imgid", "img", "picture", "pictureid", "photo", "photoid"),
    "choices": ("choices", "options", "endings", "answers", "candidates", "alternatives"),
}  # fmt: skip
# In some formats a column goes by other names.
_SCORES = ("label", "score", "similarityscore", "similarity", "relatednessscore", "stars", "rating")
_CHOICES: dict[str, tuple[str, ...]] = {
    "context": (
        "context", "premise", "ctx", "startphrase", "passage", "article", "goal", "sentence",
    ),
    "question": ("question", "questionstem", "stem", "query", "prompt"),
    "label": (
        "label", "answerkey", "answer", "correct", "correctanswer", "correctoption", "gold",
        "target", "answeridx", "correctanswernum",
    ),
}  # fmt: skip
_PAIRS = [  # of texts; of sides, in retrieval
    ("text", "textpair"), ("premise", "hypothesis"), ("sentence1", "sentence2"),
    ("question1", "question2"), ("texta", "textb"), ("text1", "text2"), ("sentencea", "sentenceb"),
    ("sent1", "sent2"), ("question", "sentence"), ("question", "passage"),
]  # fmt: skip
_SEARCHED = [
    *_PAIRS,
    ("query", "passage"),
    ("question", "answer"),
    ("anchor", "positive"),
]  # in dual
_SIDES = [
    ("source", "target"), ("src", "tgt"), ("sentence1", "sentence2"), ("text1", "text2"),
    ("sourcesentence", "targetsentence"), ("sourcetext", "targettext"), ("sent1", "sent2"),
]  # fmt: skip
_NUMBERED = re.compile(
    r"(answer|option|opt|choice|ending|sol|solution|alternative|candidate)?([0-9]|[a-h])"
)
GOLD = ("label", "tags", "answers")  # columns of what is to be predicted
# What the rows of each format are made of: needed columns, and those that may be there.
FIELDS = {
    "classification": (("text", "label"), ("text_pair",)),
    "regression": (("text", "label"), ("text_pair",)),
    "choice": (("context", "choices", "label"), ("question",)),
    "span": (("question", "context", "answers"), ("start",)),
    "tagging": (("tokens", "tags"), ()),
    "retrieval": (("source", "target"), ("side", "text", "gold", "golds")),
    "dual": (("text", "text_pair"), ("group",)),
    "mlm": (("text",), ()),
    "images": (("image", "id"), ()),
    "caption": (("text",), ()),
}


def fold(name: str) -> str:
    """Return a name as it is compared: lower case, letters and digits alone."""
    return "".join(c for c in name.lower() if c.isalnum())


def is_name(name: str, field: str) -> bool:
    """Whether the field uses a name for a column of the unified row."""
    pairs = (
        {n for pair in _PAIRS + _SIDES for n in pair}
        if field not in NAMES or field == "text"
        else set()
    )
    return fold(name) in {fold(field), *NAMES.get(field, ()), *pairs}


def numbered(spec: dict) -> bool:
    """Whether a task gives its columns by number; UserError for names beside numbers."""
    given = list(spec.get("columns") or {})
    numbers = [str(name).isdecimal() for name in given]
    if any(numbers) and not all(numbers):
        said = ", ".join(map(str, given))
        raise UserError(
            f"task {spec['task']}: columns: {said}: give names, or numbers in a file without a"
            " header, not both"
        )
    return any(numbers)


def find(schema: pa.Schema, spec: dict, where: str, gold: bool = True) -> Found:
    """Return which raw columns the columns of a unified row are read from.

    Args:
        schema: of the raw rows.
        spec: `task`, `format`, `lang`, `strata` (whose columns are the last to be guessed), and
            `columns` {raw column: unified column}, which need not name all. Several raw columns may
            be `choices`. Columns beside those of the unified row: `question` (choice: goes behind
            the context), `start` (span: where `answers` is text alone), `source` and `target`
            (retrieval).
        where: how a message begins.
        gold: whether what is to be predicted must be there; else it is not looked for.

    Raises UserError, with the columns that there are, for one that is missing or not the only one.
    """
    return _Finder(schema, spec, where, gold).find()


class _Finder:
    def __init__(self, schema: pa.Schema, spec: dict, where: str, gold: bool):
        self.schema, self.names, self.where, self.lang = (
            schema,
            schema.names,
            where,
            spec.get("lang"),
        )
        self.format, self.pooled = spec["format"], bool(spec.get("pool"))
        self.needed, self.optional = FIELDS[self.format]
        if spec.get("images"):
            self.needed = (*self.needed, "image")
        if not gold:
            self.needed = tuple(field for field in self.needed if field not in GOLD)
        self.found: Found = {}
        self.strata = set((spec.get("strata") or {}).values())
        self.given = {str(raw): field for raw, field in (spec.get("columns") or {}).items()}
        self._take_given()
        self.folded: dict[str, list[str]] = {}
        for name in self.names:
            if name not in self.given:
                self.folded.setdefault(fold(name), []).append(name)

    def _take_given(self) -> None:
        valid = ("id", *self.needed, *self.optional)
        for raw, field in self.given.items():
            if field not in valid:
                raise UserError(
                    f"{self.where}: columns: {raw}: there is no `{field}` in the format"
                    f" {self.format}{nearest(field, valid)} (valid: {', '.join(valid)})"
                )
            if raw not in self.names:
                raise no_column(self.where, raw, self.names)
            before = self.found.get(field)
            if before is not None and field != "choices":
                raise UserError(f"{self.where}: columns: {before} and {raw} are both `{field}`")
            if field == "choices" and before is not None:
                self.found[field] = [*([before] if isinstance(before, str) else before), raw]
            else:
                self.found[field] = raw

    def find(self) -> Found:
        if self.format in ("classification", "regression", "dual"):
            self._texts()
        elif self.format == "retrieval":
            self._sides()
        elif self.format == "choice":
            self._choices()
        others = [field for field in self.needed if field not in self.found]
        for field in others:
            if self.format != "retrieval":
                self.found[field] = self._one(field)
        if self.format == "span" and (start := self._some("start")):
            self.found.setdefault("start", start[0])
        if self.format == "dual" and "group" in self.names and not self.given:
            self.found["group"] = "group"
        self._id()
        if self.pooled and self.lang == POOL and "id" not in self.found:
            raise no_column(self.where, "id", self.names)
        self._types()
        return self.found

    def _types(self) -> None:
        """One text or one label a row: refuse lists, objects and bytes where those are needed."""
        fields = {"text", "text_pair", "group", "label", "question", "side", "source", "target"}
        fields |= {"context"} if self.format == "span" else set()
        for field in fields & self.found.keys():
            column = self.found[field]
            kind = self.schema.field(column).type
            noun = "lists" if pa.types.is_list(kind) or pa.types.is_large_list(kind) else "objects"
            noun = "bytes" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else noun
            if (pa.types.is_nested(kind) or noun == "bytes") and column != "translation":
                one = "one label" if field == "label" else "one text"
                raise UserError(
                    f"{self.where}: column `{column}` holds {noun}; a row has {one} as `{field}`"
                )

    def _id(self) -> None:
        """An `id` is always one; other names of it count where a task says nothing of columns."""
        if "id" not in self.found:
            taken = {c for v in self.found.values() for c in ([v] if isinstance(v, str) else v)}
            names = ["id"] if "id" in self.names else self._some("id") if not self.given else []
            if free := [name for name in names if name not in taken]:
                self.found["id"] = free[0]

    def _aliases(self, field: str) -> tuple[str, ...]:
        if self.format == "choice":
            return _CHOICES.get(field, NAMES.get(field, ()))
        if (self.format, field) == ("images", "id"):
            return (*NAMES["id"], *(name for name in NAMES["image"] if name.endswith("id")))
        return (
            _SCORES
            if (self.format, field) == ("regression", "label")
            else NAMES.get(field, (fold(field),))
        )

    def _some(self, field: str) -> list[str]:
        """The columns that may be `field`; that name itself leaves no other."""
        if field in self.folded.get(field, []):
            return [field]
        by_name = [self.folded.get(alias, []) for alias in self._aliases(field)]
        found = by_name[0] or [name for names in by_name for name in names]
        return [name for name in found if name not in self.strata] or found

    def _one(self, field: str) -> str:
        of_set = (self.format, field) == (
            "images",
            "image",
        )  # whose other columns may be called so too
        found = pictures.columns_of(self.schema) if of_set else self._some(field)
        if len(found) != 1:
            raise self._ask(field, found)
        return found[0]

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [
            (self.folded[a][0], self.folded[b][0])
            for a, b in pairs
            if a in self.folded and b in self.folded
        ]

    def _texts(self) -> None:
        """A pair of texts, or one; a task that says its `text` says its `text_pair`, too."""
        if "text" in self.found:
            if "text_pair" in self.names and "text_pair" not in self.given:
                self.found.setdefault("text_pair", "text_pair")
            return
        pairs = self._pairs(_SEARCHED if self.format == "dual" else _PAIRS)
        single = [t for t in self._some("text") if not any(t in pair for pair in pairs)]
        single = [t for t in single if not pairs or fold(t) == "text"]
        if "text_pair" in self.found or not pairs:
            return
        if len(pairs) + len(single) > 1:
            raise self._ask("text", [name for pair in pairs for name in pair] + single)
        self.found["text"], self.found["text_pair"] = pairs[0]

    def _sides(self) -> None:
        """A row a sentence, with its `side`, which its file says where there is a pool; or a row a
        pair of sentences."""
        if self.pooled or "side" in self.names or "side" in self.found:
            for field in ("text",) if self.pooled else ("side", "text"):
                if field not in self.found and field not in self.names:
                    raise no_column(self.where, field, self.names)
            for field in ("side", "text", "gold", "golds"):
                if field in self.names:
                    self.found.setdefault(field, field)
            return
        given = {"source", "target"} & self.found.keys()
        if given:
            for side in {"source", "target"} - given:
                raise self._ask(side, [])
            return
        codes = [(fold(self.lang), "en")] if self.lang and self.lang != "en" else []
        sides = self._pairs([*_SIDES, *codes])
        if "translation" in self.names and self._holds("translation"):
            if not self._holds("translation", self.lang or "", "en"):
                there = ", ".join(field.name for field in self.schema.field("translation").type)
                raise UserError(
                    f"{self.where}: column `translation` has {there}; {self.lang} and en are needed"
                )
            self.found["source"] = self.found["target"] = "translation"
        elif len(sides) == 1:
            self.found["source"], self.found["target"] = sides[0]
        else:
            raise self._ask("source", [name for pair in sides for name in pair])

    def _choices(self) -> None:
        """The choices in one column or in several, and a context, a question, or both."""
        nested = [n for n in self.names if self._holds(n, "stem", "choices")]
        if nested:
            self.found |= {"context": nested[0], "choices": nested[0]}
        if "choices" not in self.found:
            one, several = self._some("choices"), self._numbered()
            one = [n for n in one if pa.types.is_nested(self.schema.field(n).type)] or one
            if several and "choices" not in self.names:
                self.found["choices"] = several
            elif len(one) == 1:
                self.found["choices"] = one[0]
            else:
                raise self._ask("choices", one)
        question = self._some("question")
        if "context" not in self.found and len(question) == 1:
            self.found["question" if self._some("context") else "context"] = question[0]

    def _numbered(self) -> list[str]:
        """Columns of one name that end in numbers or letters in a row: option_a, option_b ..."""
        groups: dict[str, dict[str, str]] = {}
        for folded, names in self.folded.items():
            if match := _NUMBERED.fullmatch(folded):
                kind = "number" if match[2].isdecimal() else "letter"
                groups.setdefault(f"{match[1]} {kind}", {})[match[2]] = names[0]
        for group in groups.values():
            keys = sorted(group)
            steps = {ord(b) - ord(a) for a, b in pairwise(keys)}
            if keys[0] in "01a" and steps == {1}:
                return [group[key] for key in keys]
        return []

    def _holds(self, name: str, *keys: str) -> bool:
        kind = self.schema.field(name).type
        return pa.types.is_struct(kind) and all(kind.get_field_index(k) >= 0 for k in keys)

    def _ask(self, field: str, candidates: list[str]) -> UserError:
        """The error that asks for a column: of these, or of all that are not taken."""
        question = f"{self.where}: which column is the {field}?"
        taken = {c for v in self.found.values() for c in ([v] if isinstance(v, str) else v)}
        free = candidates or [name for name in self.names if name not in taken]
        there = ", ".join(brief(name, 40) for name in free)
        if not free:
            return UserError(f"{question} there are {', '.join(self.names)}, all of them taken")
        if _is_row(self.names):
            at = self.names.index(free[0]) + 1
            return UserError(
                f"{question} there are {there}; if that is data and not a header, say columns by"
                f" number, as in columns: {{{at}: {field}}}"
            )
        near = [] if candidates else get_close_matches(field, free, n=1, cutoff=0.5)
        first = (near or free)[0]
        said = first if re.fullmatch(r"[^\W\d][\w-]*|\d+", first) else f'"{first}"'
        return UserError(f"{question} there are {there}; say columns: {{{said}: {field}}}")


def _is_row(names: list[str]) -> bool:
    """Whether a header looks like a row of data: sentences, or numbers beside text."""
    numbers = [name.isdecimal() for name in names]
    return any(len(name.split()) > 3 for name in names) or (any(numbers) and not all(numbers))


def no_column(where: str, column: str, columns: list[str]) -> UserError:
    """Return the error for a column that a task names and its data lacks."""
    return UserError(
        f"{where} has no column `{column}`{nearest(column, columns)} (there are"
        f" {', '.join(brief(name) for name in columns)})"
    )


def pick(found: Found, raw: dict[str, Any]) -> dict[str, Any]:
    """Return the values of one raw row by the columns of the unified row."""
    return {
        field: raw[c] if isinstance(c, str) else [raw[name] for name in c]
        for field, c in found.items()
    }
