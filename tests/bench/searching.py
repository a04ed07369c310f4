"""How long the search for the 20 nearest of many candidates takes, and the memory of it: exact, on
one thread, of 15,000 queries as Mewsli-X has; candidates come in parts as they are embedded.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow python -m tests.bench.searching --candidates 200000

CPU seconds and peak memory of the process; a million candidates take five times those of 200,000.
"""

import argparse
import resource
import time

import numpy as np

from xstilts.metrics.nearest import Search
from xstilts.scoring.pooled import PART


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=15_000)
    parser.add_argument("--width", type=int, default=384)
    args = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    draw, before = np.random.default_rng(0), _peak()

    def unit(count: int) -> np.ndarray:
        found = draw.standard_normal((count, args.width), dtype=np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    search, seconds = Search(unit(args.queries)), 0.0
    for first in range(0, args.candidates, PART):
        part = unit(min(PART, args.candidates - first))
        start = time.process_time()
        search.add(part)
        seconds += time.process_time() - start
    found = search.found()
    print(
        f"{args.queries:,} x {args.candidates:,} x {args.width}: {seconds:.1f} CPU s,"
        f" peak {_peak()} MB ({before} MB before); {found.position.shape[1]} nearest of each"
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
