"""MultiCheckList's templates: two of its six tests, as far as the toy grammars can say them."""

from collections.abc import Iterator

from xstilts.toy import lexicon
from xstilts.toy.catalogue.table import Table
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.grammar import Grammar
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

HERO, OTHER = Thing("tom"), Thing("adam")  # men, as in the real templates
ANIMAL, VEHICLE = Thing("animal"), Thing("vehicle")
TESTS = {
    "Animal vs Vehicle": {
        "facts": (Clause(HERO, "find", ANIMAL), Clause(HERO, "sell", VEHICLE)),
        "asked": ("patient", "patient"),
        "answers": ("{animal}", "{vehicle}"),
        "names": ("{first_name}", "{first_name}"),
    },
    "Animal vs Vehicle v2": {
        "facts": (Clause(HERO, "buy", ANIMAL), Clause(OTHER, "buy", VEHICLE)),
        "asked": ("agent", "agent"),
        "answers": ("{first_name}", "{first_name2}"),
        "names": ("{first_name}", "{first_name2}"),
    },
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
    test, gap = TESTS[name], " " if language.spaced else ""
    told = [
        template(fact, {"agent": person, "patient": slot}, language)
        for fact, person, slot in zip(test["facts"], test["names"], SLOTS, strict=True)
    ]
    rows = [("Context", gap.join(order)) for order in (told, told[::-1])]
    for fact, ask, answer, person in zip(
        test["facts"], test["asked"], test["answers"], test["names"], strict=True
    ):
        asked = Clause(fact.agent, fact.verb, fact.patient, ask=ask)
        keeps = {"agent": person} if ask == "patient" else {}
        rows += [("Question", template(asked, keeps, language)), ("Answer", answer)]
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
