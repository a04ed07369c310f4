"""The coverage of the interval of a delta, and the false positive rate of its test.

    PYTHONPATH=workflow:. python tests/bench/coverage.py --experiments 400

They should be 95% and 5%. Simulated experiments with known differences, by number of seeds and
their noise; see `tests/analysis/test_bootstrap.py`.
"""

import argparse

import numpy as np
from tests.analysis.test_bootstrap import simulate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=400)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    for seeds in (1, 2, 3, 5):
        for noise in (0.0, 0.02, 0.05, 0.2):
            intervals = [
                simulate(seeds, noise, 0.1, rng).interval() for _ in range(args.experiments)
            ]
            held = np.mean([low <= 0.1 <= high for low, high in intervals])
            ps = [simulate(seeds, noise, 0.0, rng).p_value() for _ in range(args.experiments)]
            wrong = np.mean(np.array(ps) < 0.05)
            print(f"{seeds} seeds, noise {noise:4}: held {held:6.1%}, false {wrong:6.1%}")


if __name__ == "__main__":
    main()
