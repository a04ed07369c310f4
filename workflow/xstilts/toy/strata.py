"""Named classes of the toy world's rows, in columns that the hub's data sets do not have.

They follow from the semantic form of a row, so they are the same in all languages. How many rows
are of a class is left to chance; but for `parts` of `inference`, each has its 20 of 200.
"""

from xstilts.toy import nli
from xstilts.toy.forms import Clause, Form, Pair, Report
from xstilts.toy.paraphrase import Twin
from xstilts.toy.reading import Passage

# Task -> name of a stratum -> column of its data set.
STRATA: dict[str, dict[str, str]] = {
    "xnli": {"inference": "inference"},
    "pawsx": {"change": "change"},
    "xquad": {"asks": "asks"},
    "mlqa": {"asks": "asks"},
    "tydiqa": {"asks": "asks"},
    "squad2": {"asks": "asks"},
    "tatoeba": {"sentence": "sentence"},
    "tatoeba_r": {"sentence": "sentence"},
}
REPOSITORIES = {
    "facebook/xnli": ["inference"],
    "google-research-datasets/paws-x": ["change"],
    "google/xquad": ["asks"],
    "google/xtreme": ["asks", "sentence"],
    "google-research-datasets/tydiqa": ["asks"],
    "rajpurkar/squad_v2": ["asks"],
    "mteb/tatoeba-bitext-mining": ["sentence"],
}
_ASKS = {"agent": "who", "patient": "what", "place": "where", "number": "how-many"}


def of_repository(name: str) -> list[str]:
    """The columns for strata that a data set has."""
    return REPOSITORIES.get(name, [])


def in_spec(name: str) -> dict[str, list[str]]:
    """What the spec of a generated data set says of these columns.

    They are no part of a version of the toy world, because nothing but scores follows from them.
    """
    columns = of_repository(name)
    return {"strata": columns} if columns else {}


def inference(item: nli.Inference) -> str:
    """What an inference turns on: a negation, other words, or parts left out or moved."""
    if any(clause.negated for clause in (*nli.clauses(item.premise), item.hypothesis)):
        return "negation"
    new = nli.mentioned(item.hypothesis) - nli.mentioned(item.premise)
    return "words" if new else "parts"


def genre(premise: Form) -> str:
    """The genre of a premise, as MNLI has them: here, what is told."""
    if not isinstance(premise, Clause):
        return "story"
    if premise.verb == "be":
        return "guide"
    return "travel" if premise.place else "letters"


def asks(item: Passage) -> str:
    """What a question asks for."""
    return _ASKS.get(item.question.ask, "colour")


def change(item: Twin) -> str:
    """What tells two sentences of the same words apart: who does what, or an opposite."""
    return "opposites" if item.first.second.quality else "roles"


def sentence(form: Form) -> str:
    """The make-up of a sentence: one clause, two that are joined, or one that somebody reports."""
    return {Pair: "joined", Report: "reported"}.get(type(form), "plain")
