"""What the statistics give is what words, table and figure take."""

import dataclasses

import pytest
from tests.analysis.test_answer import DOSES, MEANS, doses, evidence, one

from xstilts.analysis.answers import text as answer_text
from xstilts.analysis.answers.answering import Answering
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.plots import answer as figure
from xstilts.experiment.questions import Question

SCALES = ("points", "share", "log-odds")
SLOPES = Question(
    "q", "?", (doses("steep", "d"), doses("flat", "e")), contrast="first", scales=SCALES,
    along="intermediate rows", scale="log10",
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "values", "spread", "start"),
    [
        (SLOPES, DOSES, 0.02,
         "Compared to steep, the slope of the gain is smaller on all 3 scales for flat: a"
         " difference of −8.0 points (95%: "),
        (dataclasses.replace(SLOPES, scale="rank", scales=("points",)), DOSES, 0.02,
         "Compared to steep, by rank, no difference of the correlation of the gain with"),
        (Question("q", "?", (one("near", ["mnli"], ["near"]),)), MEANS, 0.02,
         "The gain is above zero for near: 10.0 points (95%: "),
        (Question("q", "?", (one("near", ["mnli"], ["near"]),), value="score"), MEANS, 0.02,
         "The score for near is 60.0 (95%: "),
    ],
)  # fmt: skip
def test_an_answer_is_shown(question, values, spread, start):
    found = Answering(Estimator(evidence(values, spread=spread))).answer(question)
    assert answer_text.sentence(found.meta, found.table).startswith(start)
    assert len(answer_text.text_table(found.meta, found.table).rows) == len(found.table)
    assert figure.draw(found.meta, found.table, found.points).axes


def test_an_answer_for_which_cells_are_missing_is_shown():
    some = evidence(MEANS)
    some.missing = {("m", "none", "far", "de"): ["seed2"]}
    found = Answering(Estimator(some)).answer(Question("q", "?", (one("far", ["mnli"], ["far"]),)))
    assert answer_text.sentence(found.meta, found.table) == (
        "Not answered yet: 1 of 6 cells is missing (m/none/seed2/far)."
    )
    assert figure.draw(found.meta, found.table, found.points).texts
