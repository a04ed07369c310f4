"""What is said of classes of examples that there are not."""

import pytest
from tests.analysis.test_answer import MEANS, evidence, one

from xstilts.analysis.answers import unmet
from xstilts.analysis.answers.answering import Answering
from xstilts.analysis.estimates import Estimator
from xstilts.experiment.questions import Question
from xstilts.experiment.selectors import condition

KINDS = {("far", "de"): {"type": [*["bridge"] * 20, *["yes"] * 19, None]}}
OF = " of `type`"
LISTED = "(there are bridge, yes)."


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ("bridge", []),
        (True, []),  # yes, as YAML has it
        ({"not": ["bridge", "yes"]}, []),
        ({"from": 2}, []),
        ("bridg", [f"x: no example is of class `bridg`{OF}; did you mean `bridge`? {LISTED}"]),
        (["bridge", "zzz"], [f"x: no example is of class `zzz` of `type` {LISTED}"]),
        ({"not": "zzz"}, [f"x: no example is of class `zzz` of `type` {LISTED}"]),
    ],
)  # fmt: skip
def test_a_class_that_no_example_is_of_is_named_once(given, lines):
    asked = one("x", ["mnli", "squad"], ["far"], examples={"type": condition("k", given)})
    assert unmet.notes(Question("q", "?", (asked,)), evidence(MEANS, strata=KINDS)) == lines


def test_an_answer_has_it_among_its_notes():
    asked = one("x", ["mnli"], ["far"], examples={"type": condition("k", ["bridge", "yess"])})
    found = Answering(Estimator(evidence(MEANS, strata=KINDS))).answer(Question("q", "?", (asked,)))
    assert found.meta["notes"][0].startswith("x: no example is of class `yess` of `type`; did you")
    assert len(found.table) == 1
