"""MultiCheckList: tests of question answering in 50 languages, made of the templates of XTREME-R.

A folder of the user's holds `checklist_templates.tsv` of google-research/xtreme (multichecklist/)
and `names.tsv`, a language and a man's name a line (the templates have the male forms). Each of the
six tests has contexts, questions with their answers, and the words to fill in. Where a language
says something in several ways, the columns `LANG-placeholders` name the English words for which a
variant is.

Words are drawn by the rows of the English column, so a case is the same in all languages. The
makers draw for each language, by CheckList (numpy's generator), and with rules of their own for
two dozen languages; here the placeholders alone decide, and a case for which a language has no
variant is left out. So the numbers of cases differ from theirs, and the figures by as much.
"""

import hashlib
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from xstilts.running.errors import Absent, UserError, nearest

Row = dict[str, Any]
ROWS = "multichecklist"  # the row function of tasks that are read from templates
TEMPLATES, NAMES = "checklist_templates.tsv", "names.tsv"
CASES = 200  # draws of words a test, as `generate_tests.py`
# The tests, and their short names in `test_models.py`.
TESTS = {
    "A is COMP than B. Who is more / less COMP?": "comp",
    "Intensifiers (very, super, extremely) and reducers (somewhat, kinda, etc)?": "intense",
    "size, shape, age, color": "props",
    "Profession vs nationality": "profession_nationality",
    "Animal vs Vehicle": "animal_vehicle",
    "Animal vs Vehicle v2": "animal_vehicle_v2",
}
_SLOT = re.compile(r"\{(.*?)\}")
_PROPERTY = re.compile(r"p\.p\d")
_NAME = re.compile(r"(?:first_name|male)(\d*)")


def check(task: str, dataset: str, names: Container[str]) -> None:
    """Refuse a folder without one of the two files."""
    if TEMPLATES not in names:
        raise UserError(
            f"task {task}: {dataset} has no {TEMPLATES}, which is in multichecklist/ of"
            " github.com/google-research/xtreme"
        )
    if NAMES not in names:
        raise UserError(
            f"task {task}: {dataset} has no {NAMES}: write a line a name, a language, a TAB and a"
            " man's name (`en`, `John`), three or more a language; those of en are for languages"
            " without"
        )


class Cell(NamedTuple):
    """A row of the templates in one language: the English text, and (text, for which English)."""

    english: str
    variants: tuple[tuple[str, str], ...]


@dataclass
class Test:
    """The cells of a test: a question and its answer are at the same place."""

    contexts: list[Cell] = field(default_factory=list)
    questions: list[Cell] = field(default_factory=list)
    answers: list[Cell] = field(default_factory=list)
    words: dict[str, list[Cell]] = field(default_factory=dict)


def table(templates: Path, names: Path, lang: str) -> pa.Table:
    """Return the cases of a language as a table of SQuAD's columns and `test`; see `rows`."""
    return pa.Table.from_pylist(rows(templates, names, lang))


def rows(templates: Path, names: Path, lang: str) -> list[Row]:
    """Return the cases of a language as rows of SQuAD with the column `test`, in the order of the
    tests; ids are those of the same case in other languages.

    Raises:
        Absent: the templates have no such language.
        UserError: a file is not such a one, or names are missing.
    """
    tests, people = parse(templates, lang), read_names(names, lang)
    words: dict[str, list[Cell]] = {}
    made: list[Row] = []
    for name, test in tests.items():
        words = {**words, **test.words}  # the second test of animals has those of the first
        for number, case in enumerate(_cases(name, test, words)):
            made += _of_case(f"{TESTS[name]}-{number:03}", TESTS[name], test, case, people, lang)
    if not made:
        raise UserError(f"{templates}: no case can be made of its templates in {lang}")
    return made


def parse(path: Path, lang: str) -> dict[str, Test]:
    """Return the tests of a language by name; `rows` says what is raised."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    header = lines[0].split("\t") if lines else []
    if header[:2] != ["Field", "en"]:
        raise UserError(f"{path}: is not {TEMPLATES}: its first line does not begin with Field, en")
    if lang not in header:
        known = sorted({c for c in header[1:] if not c.endswith("-placeholders")})
        raise Absent(f"{path}: has no language {lang}{nearest(lang, known)}")
    places = [i for i, column in enumerate(header) if i and column == lang]
    tests: dict[str, Test] = {}
    current: Test | None = None
    for number, line in enumerate(lines[1:], 2):
        cells = [cell.strip() for cell in line.split("\t")] + [""] * len(header)
        kind, english = cells[0], cells[1]
        if kind == "Name":
            if english not in TESTS:
                raise UserError(
                    f"{path}: line {number}: no test is called `{english}`{nearest(english, TESTS)}"
                )
            current = tests[english] = Test()
        elif kind and kind != "Capability" and current is None:
            raise UserError(f"{path}: line {number}: `{kind}` comes before the name of a test")
        elif kind and current and kind != "Capability":
            beside = f"{lang}-placeholders"
            variants = tuple(
                (cells[i], cells[i + 1] if header[i + 1 : i + 2] == [beside] else "")
                for i in places
                if cells[i]
            )
            part = {
                "Context": current.contexts,
                "Question": current.questions,
                "Answer": current.answers,
            }.get(kind)
            part = current.words.setdefault(kind, []) if part is None else part
            part.append(Cell(english, variants))
    for name, test in tests.items():
        if len(test.questions) != len(test.answers) or not (test.contexts and test.questions):
            raise UserError(f"{path}: the test `{name}` needs contexts, and an answer a question")
    return tests


def read_names(path: Path, lang: str) -> list[str]:
    """Return the names of a language; the English ones where it has fewer than three."""
    found: dict[str, list[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    for number, line in enumerate(lines, 1):
        code, tab, name = line.partition("\t")
        if not tab or not name.strip():
            raise UserError(f"{path}: line {number} is not `language TAB name`: {line[:60]}")
        found.setdefault(code.strip(), []).append(name.strip())
    for code in (lang, "en"):
        if len(names := list(dict.fromkeys(found.get(code, [])))) >= 3:
            return names
    raise UserError(f"{path}: needs three names in {lang}, or in en; a line is `language TAB name`")


class Draw:
    """Numbers of a case by the name of what is drawn; the same with every Python."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, slot: str, below: int) -> int:
        found = hashlib.sha256(f"{self.name}/{slot}".encode()).digest()
        return int.from_bytes(found[:8], "big") % below


@dataclass(frozen=True)
class Case:
    """The words of a case, in all languages.

    Attributes:
        cells: slot (`adj`, `p.p1`) -> the drawn row.
        lists: slot -> all English words of the list that it is drawn from.
        draw: what else is drawn by.
    """

    cells: Mapping[str, Cell]
    lists: Mapping[str, frozenset[str]]
    draw: Draw


def _cases(name: str, test: Test, words: Mapping[str, list[Cell]]) -> Iterator[Case]:
    """Draw the words of a test, `CASES` times."""
    texts = [c.english for part in (test.contexts, test.questions, test.answers) for c in part]
    slots = {slot for text in texts for slot in _SLOT.findall(text)}
    wanted = sorted({_list(slot) for slot in slots if not _NAME.fullmatch(slot)})
    forms = {
        key: frozenset(f for c in cells for f in _forms(c.english)) for key, cells in words.items()
    }
    for number in range(CASES):
        draw = Draw(f"{name}/{number}")
        cells: dict[str, tuple[str, Cell]] = {}
        for key in wanted:
            if key == "p":
                cells |= _properties(words, draw)
            elif words.get(key):
                cells[key] = key, words[key][draw(key, len(words[key]))]
        yield Case(
            {slot: cell for slot, (_, cell) in cells.items()},
            {slot: forms[key] for slot, (key, _) in cells.items()}
            | {"": frozenset(cell.english for cell in test.contexts)},
            draw,
        )


def _properties(words: Mapping[str, list[Cell]], draw: Draw) -> dict[str, tuple[str, Cell]]:
    """Two different properties (`p.p1`, `p.p2`) and a value of each (`p.v1`, `p.v2`), each with the
    name of the list that it is from."""
    kinds = [cell for cell in words.get("property", []) if words.get(cell.english)]
    if len(kinds) < 2:
        return {}
    first = draw("p1", len(kinds))
    second = (first + 1 + draw("p2", len(kinds) - 1)) % len(kinds)
    cells = {}
    for number, kind in ((1, kinds[first]), (2, kinds[second])):
        values = words[kind.english]
        cells[f"p.p{number}"] = "property", kind
        cells[f"p.v{number}"] = kind.english, values[draw(f"v{number}", len(values))]
    return cells


def _of_case(
    name: str, short: str, test: Test, case: Case, people: Sequence[str], lang: str
) -> Iterator[Row]:
    """Each context with each question that the language has for a case."""
    for c, context in enumerate(test.contexts):
        filled = _Filler(case, context, people, lang)
        text = filled(context)
        if text is None:
            continue
        text = re.sub(r"(^|[.!?] )(\w)", lambda m: m[1] + m[2].upper(), text)
        for q, (asked, answer) in enumerate(zip(test.questions, test.answers, strict=True)):
            question, right = filled(asked), filled(answer)
            if question is None or right is None:
                continue
            start = text.find(right)
            if start < 0 and len(text.lower()) == len(text):  # where it begins a sentence
                start = text.lower().find(right.lower())
            yield {
                "id": f"{name}-{c}-{q}",
                "context": text,
                "question": question,
                "answers": {
                    "text": [text[start : start + len(right)] if start >= 0 else right],
                    "answer_start": [start],
                },
                "test": short,
            }


class _Filler:
    """Fills in the cells of a language: None where it has no variant for the drawn words."""

    def __init__(self, case: Case, context: Cell, people: Sequence[str], lang: str) -> None:
        self.case, self.people, self.lang = case, people, lang
        self.cells = {**case.cells, "": context}  # some words are for a context
        self.first = case.draw("names", len(people))

    def __call__(self, cell: Cell) -> str | None:
        text = self.variant(cell)
        if text is None:
            return None
        words = {slot: self.word(slot) for slot in _SLOT.findall(text)}
        return None if None in words.values() else _SLOT.sub(lambda m: words[m[1]] or "", text)

    def word(self, slot: str) -> str | None:
        """The word for a slot of a text."""
        if person := _NAME.fullmatch(slot):
            return self.people[(self.first + int(person[1] or 0)) % len(self.people)]
        cell = self.cells.get(slot if slot.startswith("p.") else _list(slot))
        text = self.variant(cell) if cell else None
        if not text:
            return None
        parts, index = _parts(text, self.lang), re.search(r"\[(\d)\]", slot)
        return parts[min(int(index[1]), len(parts) - 1)] if index else text

    def variant(self, cell: Cell) -> str | None:
        """The first variant of a cell that is for the drawn words, else the first for all.

        One is left out that asks for the other property than the English does, as some do.
        """
        asked = set(_PROPERTY.findall(cell.english))
        of_all = None
        for text, given in cell.variants:
            if set(_PROPERTY.findall(text)) <= asked:
                fits = self.fits(given, asked)
                if fits:
                    return text
                of_all = text if of_all is None and fits is None else of_all
        return of_all

    def fits(self, given: str, asked: set[str]) -> bool | None:
        """Whether `age, a sofa, a table` names the drawn word of each list of which it names some;
        None where it names none, so that it is for all. Of properties the one that is asked for."""
        listed = {item.strip() for item in given.split(",")} - {""}
        found: dict[frozenset[str], bool] = {}
        for slot, cell in self.cells.items() if listed else ():
            words = self.case.lists[slot]
            if words & listed and not (asked and slot.startswith("p.p") and slot not in asked):
                found[words] = found.get(words, False) or bool(_forms(cell.english) & listed)
        return all(found.values()) if found else None


def _forms(word: str) -> set[str]:
    """What an English word is listed as: whole, as one of its two forms (`older, old`), or by its
    last word (`model` of `a model`)."""
    forms = {word, *(form.strip() for form in word.split(","))}
    return forms if "{" in word else forms | {form.split(" ")[-1] for form in forms}


def _list(slot: str) -> str:
    """The list that a slot is filled from: `adj` of `adj[0]`, `p` of `p.v1`."""
    key = re.split(r"[.\[]", slot.removeprefix("c:"))[0]
    return "state" if key == "s" else key


def _parts(text: str, lang: str) -> list[str]:
    """The two forms of a word, which each language parts by a comma of its own."""
    parts = [p.strip() for p in re.split("[,،，၊]", text) if p.strip()]
    return text.split() if len(parts) == 1 and lang in ("my", "th") else parts
