"""Classes of examples that a question names and that no example is of: known only from the data."""

from collections.abc import Iterable

from xstilts.analysis.evidence import Evidence
from xstilts.experiment.questions import AskedClass, Question
from xstilts.experiment.selectors import Condition
from xstilts.running.errors import brief, nearest


def notes(question: Question, evidence: Evidence) -> list[str]:
    """Return a line for each such class, with the nearest that there is."""
    found: dict[str, None] = {}
    for one in question.classes:
        for stratum, condition in one.examples.items():
            if not (there := _classes(one, stratum, evidence)):
                continue
            for word in (*(condition.among or ()), *condition.but):
                if not any(Condition(among=(word,)).matches(each) for each in there):
                    listed = brief(", ".join(there), 200)
                    found[
                        f"{one.name}: no example is of class `{brief(word)}` of `{stratum}`"
                        f"{nearest(word, there)} (there are {listed})."
                    ] = None
    return list(found)


def _classes(one: AskedClass, stratum: str, evidence: Evidence) -> list[str]:
    """Return the classes that the examples behind a class of a question are of."""
    parts = {(cell.target, cell.language) for point in one.points for cell in point.cells}
    lists: Iterable[Iterable[str | None]] = (
        evidence.strata.get(part, {}).get(stratum, ()) for part in parts
    )
    return sorted({each for classes in lists for each in classes if each is not None})
