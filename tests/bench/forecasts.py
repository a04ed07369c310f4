"""How right a run was about the time that it still took: by the forecasts that it has logged.

    python tests/bench/forecasts.py DIR/.snakemake/xstilts/progress-default.csv

Prints each forecast of the last run beside what it took from there, and the largest error from a
third of the way on, of the time that was left and as a share of the whole run.
"""

import csv
import sys


def last_run(rows: list[dict[str, str]]) -> list[tuple[float, float]]:
    """Return elapsed and forecast seconds of the last run in a file of forecasts."""
    pairs = [(float(row["elapsed"]), float(row["left"])) for row in rows]
    starts = [i for i in range(1, len(pairs)) if pairs[i][0] < pairs[i - 1][0]]
    return pairs[starts[-1] if starts else 0 :]


def main(path: str) -> None:
    """Print it."""
    with open(path, newline="", encoding="utf-8") as file:
        run = last_run(list(csv.DictReader(file)))
    whole = run[-1][0]
    late = []
    print("elapsed  forecast  took  error of the rest  of the whole")
    for elapsed, left in (pair for pair in run if pair[0] < whole):
        took = whole - elapsed
        of_rest, of_whole = (left - took) / took, (left - took) / whole
        print(f"{elapsed:7.0f} {left:9.0f} {took:5.0f} {of_rest:+18.0%} {of_whole:+13.0%}")
        if elapsed >= whole / 3:
            late.append((abs(of_rest), abs(of_whole)))
    for error, name in zip(zip(*late, strict=True), ("the rest", "the whole"), strict=False):
        print(f"from a third on, at most {max(error):.0%} of {name}")


if __name__ == "__main__":
    main(sys.argv[1])
