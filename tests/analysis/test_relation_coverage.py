"""By simulation: the interval of a correlation holds the truth, within families and over all.

A short form of tests/bench/relations.py. With 25 grids, an interval that holds 95% misses more than
5 of them in 1 of 800 tries, and a test at 5% is wrong as rarely; the seeds are fixed.
"""

import pytest
from tests.bench.relations import Setting, outcome
from tests.bench.settings import Size

GRIDS, MISSES, DRAWS = 25, 5, 300
SIZE = Size(rows=10, targets=1, languages=1, luck=0.005, examples=600)


@pytest.mark.parametrize("across", ["row", "language"])
def test_intervals_hold_the_truth_and_what_is_there_is_seen(across):
    size = SIZE if across == "row" else SIZE._replace(rows=1, languages=10)
    null = outcome(Setting("", size, across), GRIDS, draws=DRAWS)["correlation"]
    there = Setting("", size, across, related=0.97, noise=0.2)
    related = outcome(there, GRIDS, draws=DRAWS)["correlation"]
    for found in (null, related):
        assert (found.held == 0).sum() <= MISSES
    assert null.any.sum() <= MISSES < related.any.sum()


def test_families_that_differ_are_not_related_within():
    setting = Setting("", SIZE._replace(rows=12), families=3, between=3.0, noise=0.1)
    found = outcome(setting, GRIDS, draws=DRAWS)
    assert found["correlation"].any.sum() > GRIDS / 2, "as it seems over all"
    assert found["within"].any.sum() <= MISSES and (found["within"].held == 0).sum() <= MISSES
