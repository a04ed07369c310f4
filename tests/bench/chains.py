"""What the interval of a mean over rows of one chain holds, with and without what they share.

    PYTHONPATH=workflow:. python tests/bench/chains.py

Grids of four rows that go on from one encoder, whose luck is all that differs between their seeds,
and of `none`; no row gains anything.
"""

import argparse

import numpy as np

from xstilts.analysis.estimates import Estimator
from xstilts.analysis.evidence import Evidence, Part
from xstilts.analysis.forms import combine, mean_form

ROWS, SEEDS, EXAMPLES = ["none", "a", "b", "c", "d"], 5, 150
RUNS = [("m", row, f"seed{s}") for row in ROWS for s in range(SEEDS)]
PART = Part("xnli", "de")


def values(random) -> np.ndarray:
    """Return the values of one grid: array (runs, examples)."""
    hard, shared = random.normal(0, 0.3, EXAMPLES), random.normal(0, 0.03, SEEDS)
    luck = [random.normal(0, 0.03) if row == "none" else s for row in ROWS for s in shared]
    noise = random.normal(0, 0.2, (len(RUNS), EXAMPLES))
    return (0.5 + hard + np.array(luck)[:, None] + noise).astype(np.float32)


def held(roots: dict[str, str], grids: int) -> float:
    """Return the share of grids whose interval holds the truth, which is 0."""
    random, found = np.random.default_rng(5), 0
    forms = [mean_form(len(ROWS), [(i, PART) for i in rows]) for rows in ((1, 2, 3, 4), (0,))]
    gain = combine([(1.0, forms[0]), (-1.0, forms[1])])
    ids = {PART[:2]: [f"q{i}" for i in range(EXAMPLES)]}
    for _ in range(grids):
        evidence = Evidence(RUNS, {PART[:2]: values(random)}, ids, roots=roots)
        low, high = Estimator(evidence).estimate(gain).interval()
        found += low <= 0 <= high
    return found / grids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=400)
    grids = parser.parse_args().grids
    for name, roots in (("each for itself", {}), ("shared", dict.fromkeys("bcd", "a"))):
        share = held(roots, grids)
        error = 100 * np.sqrt(share * (1 - share) / grids)
        print(f"{name}: {share:.1%} ±{error:.1f}")


if __name__ == "__main__":
    main()
