"""MultiCheckList's templates: two of its six tests, as far as the toy grammars can say them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from xstilts.toy import lexicon
from xstilts.toy.catalogue.table import Table
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.grammar import Grammar
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

HERO, OTHER = Thing("tom"), Thing("adam")  # men, as in the real templates
ANIMAL, VEHICLE = Thing("animal"), Thing("vehicle")


class Fact(NamedTuple):
    """A sentence of a test's context, who does it, and its question with the answer."""

    told: Clause
    person: str
    ask: str
    answer: str


TESTS = {
    "Animal vs Vehicle": (
        Fact(Clause(HERO, "find", ANIMAL), "{first_name}", "patient", "{animal}"),
        Fact(Clause(HERO, "sell", VEHICLE), "{first_name}", "patient", "{vehicle}"),
    ),
    "Animal vs Vehicle v2": (
        Fact(Clause(HERO, "buy", ANIMAL), "{first_name}", "agent", "{first_name}"),
        Fact(Clause(OTHER, "buy", VEHICLE), "{first_name2}", "agent", "{first_name2}"),
    ),
}
SLOTS = ("{animal}", "{vehicle}")


def template(clause: Clause, slots: dict[str, str], language: Grammar) -> str:
    """A sentence with slots in place of its parts."""
    sentence = language.sentence(clause)
    text = sentence.text
    parts = [(*sentence.span(part), slot) for part, slot in slots.items()]
    for start, words, slot in sorted(parts, reverse=True):
        text = text[:start] + slot + text[start + len(words) :]
    return text


def cells(name: str, language: Grammar) -> list[tuple[str, str]]:
    """The rows of a test, and what each says in a language."""
    facts, gap = TESTS[name], " " if language.spaced else ""
    told = [
        template(fact.told, {"agent": fact.person, "patient": slot}, language)
        for fact, slot in zip(facts, SLOTS, strict=True)
    ]
    rows = [("Context", gap.join(order)) for order in (told, told[::-1])]
    for fact in facts:
        asked = replace(fact.told, ask=fact.ask)
        keeps = {"agent": fact.person} if fact.ask == "patient" else {}
        rows += [("Question", template(asked, keeps, language)), ("Answer", fact.answer)]
    if name == "Animal vs Vehicle":
        for group in ("animal", "vehicle"):
            for concept in lexicon.of_kind("noun"):
                if concept.group == group and concept.is_a:
                    words = language.noun_phrase(Thing(concept.name), "patient")
                    text = (" " if language.spaced else "").join(token.text for token in words)
                    rows.append((group, text))
    return rows


def multichecklist(spec: Spec) -> Iterator[Table]:
    """The templates, and names."""
    languages = ["en", *(code for code in spec.languages if code != "en")]
    lines = ["\t".join(["Field", *languages])]
    for name in TESTS:
        lines += ["\t".join(["Name", name]), "\t".join(["Capability", "Taxonomy"])]
        said = [cells(name, grammar(code)) for code in languages]
        lines += [
            "\t".join([row[0][0], *(text for _, text in row)]) for row in zip(*said, strict=True)
        ]
        lines.append("")
    men = [concept.name for concept in lexicon.of_kind("name") if concept.group == "m"]
    names = [f"{code}\t{grammar(code).words[man].form(0)}" for code in languages for man in men]
    files = {"checklist_templates.tsv": lines, "names.tsv": names}
    yield Table(
        "local/multichecklist", "", "", {}, [],
        files=tuple((file, "".join(f"{line}\n" for line in text)) for file, text in files.items()),
    )  # fmt: skip
