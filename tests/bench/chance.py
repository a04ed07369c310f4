"""Every score of a run beside that of guessing; fails where a target is not above it.

    PYTHONPATH=workflow python tests/bench/chance.py [--experiment DIR] [--margin 0.05]

Guessing is: always the most frequent label, or tag; a random run of words as long as an answer; one
of the candidates in retrieval. A target passes if, in every row of the grid, its mean over the
languages other than English, and English, are both at least `--margin` above the same of guessing.
"""

import argparse
import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from statistics import mean

import pyarrow.parquet as pq

from xstilts import metrics
from xstilts.running.files import read_json, results_of


def guess(rows: list[dict], metric: str, language: str) -> float:
    """Return the score of guessing, by the format of the rows."""
    rng = Random(1)
    if "side" in rows[0]:
        return 1 / sum(row["side"] == "target" for row in rows)
    if "tags" in rows[0]:
        gold = [row["tags"] for row in rows]
        tag = Counter(t for tags in gold for t in tags).most_common(1)[0][0]
        guessed: list = [[tag] * len(tags) for tags in gold]
    elif "question" in rows[0]:
        gold = [row["answers"]["text"] for row in rows]
        guessed = [random_words(rng, row["context"], row["answers"]["text"]) for row in rows]
    else:
        gold = [row["label"] for row in rows]
        guessed = [Counter(gold).most_common(1)[0][0]] * len(gold)
    scores = metrics.score(metric, gold, guessed, language)
    return metrics.METRICS[metric].task_score(scores)


def random_words(rng: Random, context: str, answers: list[str]) -> str:
    """Return a random run of words (or characters, without spaces), as long as the answer."""
    space = " " if " " in context.strip() else ""
    words = context.split(" ") if space else list(context)
    size = len(answers[0].split(" ") if space else answers[0]) if answers else 0
    start = rng.randrange(max(1, len(words) - size + 1))
    return space.join(words[start : start + size])


def check(experiment: Path, margin: float) -> list[str]:
    """Print every score of an experiment, by its folder, beside guessing; return what is not above
    it."""
    results = results_of(experiment)
    above: dict[tuple, dict[bool, list[float]]] = defaultdict(lambda: defaultdict(list))
    guesses: dict[tuple[str, str], float] = {}
    with (experiment / "grid.csv").open(encoding="utf-8") as lines:
        cells = list(csv.DictReader(lines))
    for cell in cells:
        score = read_json(results.parent / cell["score"])
        key = cell["target"], cell["language"]
        if key not in guesses:
            (path,) = (results / "data" / cell["target"]).glob(f"{cell['language']}.*.parquet")
            rows = pq.read_table(path).to_pylist()
            guesses[key] = guess(rows, score["metric"], cell["language"])
        row = cell["model"], cell["intermediate"], cell["seed"], cell["target"]
        above[row][cell["language"] == "en"].append(score["score"] - guesses[key])
        print(*row, cell["language"], f"{score['score']:.3f} guessing {guesses[key]:.3f}")
    return [
        f"{'/'.join(row)}: {'English' if english else 'other languages'} {mean(values):+.3f} above"
        f" guessing, less than {margin}"
        for row, parts in above.items()
        for english, values in parts.items()
        if mean(values) < margin
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, default=Path("results/experiments/default"))
    parser.add_argument("--margin", type=float, default=0.05)
    args = parser.parse_args()
    sys.exit("\n".join(check(args.experiment, args.margin)) or 0)
