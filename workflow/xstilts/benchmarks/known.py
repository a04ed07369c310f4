"""The benchmarks that are known, and which of them an experiment is of."""

from collections.abc import Collection, Mapping

from xstilts.benchmarks.benchmark import Benchmark
from xstilts.benchmarks.xtreme import XTREME
from xstilts.benchmarks.xtreme_r import XTREME_R

BENCHMARKS = {each.suite: each for each in (XTREME, XTREME_R)}


def scored(languages: Mapping[str, Collection[str]]) -> list[Benchmark]:
    """Return the benchmarks that some targets, in some languages, are of: those of which something
    is in no other, or else XTREME.

    languages: target -> those in which it is scored.
    """
    others = {suite: [s for s in BENCHMARKS if s != suite] for suite in BENCHMARKS}
    found = [each for suite, each in BENCHMARKS.items() if each.own(languages, others[suite])]
    return found or [XTREME]
