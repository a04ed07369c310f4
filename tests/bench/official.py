"""Our scores and averages beside those of google-research/xtreme's own `evaluate.py`, on generated
rows and predictions.

    git clone https://github.com/google-research/xtreme
    pip install --no-deps --target old seqeval==0.0.12
    PYTHONPATH=workflow:old python -m tests.bench.official xtreme --rounds 20

(`evaluate.py` pins no seqeval; why the scores of bare tags are those of this version, and not of
today's, is said in `metrics/tagging.py`.)

Of each suite every target that has files is written as a submission, in all its languages, with
XTREME's label files beside it, and scored by both. Rankings of several right candidates (LAReQA)
are compared with `average_precision_at_k` of its `utils_lareqa.py`. Prints how many scores differ,
and by how much at most, in points of 100; ends with 1 if any does by more than a rounding.
"""

import argparse
import contextlib
import importlib
import importlib.util
import io
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xstilts import formats, metrics
from xstilts.benchmarks import submission
from xstilts.benchmarks.benchmark import Benchmark
from xstilts.benchmarks.known import BENCHMARKS
from xstilts.experiment import tasks
from xstilts.metrics import pairs

ROWS = 12  # of a language
CLOSE = 1e-9  # points
TEXT = """the a an der die das и в на в. кот, Haus. 'it' «да» 42 4.2 don't UPPER Ünï e\u0301 ß ％ 。
、 中文 日本語 รถไฟ ที่ हिन्दी में ال كتاب، वह। - -- … “q” tiếng Việt của ¿qué? ! İ"""
WORDS = [*TEXT.split(), "\u00a0"]
BIO = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
Made = tuple[list[dict[str, Any]], list[str], Any]  # rows, predictions, what XTREME's labels hold


def text(rng: random.Random, least: int = 1) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(least, 6)))


def labels(rng: random.Random, target: str) -> Made:
    names = tasks.known()[target]["labels"]
    rows = [{"id": str(i), "label": rng.choice(names)} for i in range(ROWS)]
    return rows, [rng.choice(names) for _ in rows], "".join(f"{row['label']}\n" for row in rows)


def tags(rng: random.Random, target: str) -> Made:
    names = BIO if target == "wikiann" else tasks.known()[target]["labels"]
    rows, predicted = [], []
    for i in range(ROWS):
        gold = [rng.choice(names) for _ in range(rng.randint(1, 9))]
        rows.append({"id": str(i), "tags": gold, "tokens": gold})
        predicted.append(" ".join(t if rng.random() < 0.6 else rng.choice(names) for t in gold))
    return rows, predicted, "".join("\n".join(row["tags"]) + "\n\n" for row in rows)


def answers(rng: random.Random, target: str) -> Made:
    rows, predicted = [], []
    for i in range(ROWS):
        gold = [text(rng) for _ in range(rng.randint(1, 3))]
        rows.append({"id": f"q{i}", "answers": {"text": gold}})
        near = rng.choice(gold).split(" ")[: rng.randint(1, 6)]
        predicted.append(rng.choice([text(rng, 0), " ".join(near), gold[0], gold[0].upper()]))
    qas = [{"id": r["id"], "answers": [{"text": t} for t in r["answers"]["text"]]} for r in rows]
    return rows, predicted, json.dumps({"data": [{"paragraphs": [{"qas": qas}]}]})


def pools(rng: random.Random, target: str) -> Made:
    sources = [
        {"id": f"s{i}", "side": "source", "text": text(rng), "gold": rng.choice([None, f"t{i}"])}
        for i in range(ROWS)
    ]
    targets = [{"id": f"t{i}", "side": "target", "text": "", "gold": None} for i in range(ROWS)]
    predicted = [rng.choice(["", f"t{i}", f"t{i}", "t0"]) for i in range(ROWS)]
    gold = [f"{row['id']}\t{row['gold']}\n" for row in sources if row["gold"]]
    return [*sources, *targets], predicted, "".join(gold)


def indices(rng: random.Random, target: str) -> Made:
    rows = []
    for i in range(ROWS):
        rows.append(
            {"id": f"{i}.s", "side": "source", "text": f"{text(rng)} {i}", "gold": f"{i}.t"}
        )
        rows.append({"id": f"{i}.t", "side": "target", "text": text(rng), "gold": None})
    sources = [row for row in rows if row["side"] == "source"]
    predicted = [rng.choice([row["gold"], f"{rng.randrange(ROWS)}.t"]) for row in sources]
    order = sorted(range(ROWS), key=lambda i: sources[i]["text"])
    return rows, predicted, "".join(f"{i}\n" for i in order)


def choices(rng: random.Random, target: str) -> Made:
    rows = [{"id": str(i), "choices": ["a", "b"], "label": rng.randrange(2)} for i in range(ROWS)]
    gold = "".join(json.dumps({"label": row["label"]}) + "\n" for row in rows)
    return rows, [str(rng.randrange(2)) for _ in rows], gold


def ranked(rng: random.Random, target: str) -> Made:
    """Of some mentions the right entity is not in the list; some lists are short, one is empty."""
    rows, predicted = [], []
    for i in range(ROWS):
        rows.append(
            {"id": f"m{i}", "side": "source", "text": "", "golds": [f"Q{rng.randrange(40)}"]}
        )
        predicted.append(
            json.dumps(rng.sample([f"Q{q}" for q in range(40)], rng.choice([20, 20, 3, 0])))
        )
    return rows, predicted, json.dumps({row["id"]: row["golds"] for row in rows})


MADE: dict[str, Callable[[random.Random, str], Made]] = {
    f.__name__: f for f in (labels, tags, answers, choices, ranked, indices)
} | {"pairs": pools}


def score(target: str, rows: list[dict[str, Any]], predicted: list[str], language: str) -> float:
    """Return our score of a file, in points."""
    entry = tasks.known()[target]
    if entry["metric"] == "bucc":  # whose page mines, and scores what it has mined
        gold = [(row["id"], row["gold"]) for row in rows if row.get("gold")]
        found = zip((row["id"] for row in rows), predicted, strict=False)
        values = pairs.mining_f1(gold, [pair for pair in found if pair[1]])
    else:
        page = formats.page(entry["format"])
        values = page.score(rows, predicted, entry["metric"], language)[0]
    return 100 * metrics.METRICS[entry["metric"]].task_score(values)


def compare(official: Any, of: Benchmark, seed: int, folder: Path) -> tuple[list[float], int]:
    """Return the differences of scores and averages of one suite, and the predictions."""
    rng, ours, count = random.Random(seed), dict[str, dict[str, float]](), 0
    for target, task in of.files.items():
        if target not in tasks.known():
            if seed == 0:
                print(f"{of.title}: {target} is not known here, left out")
            continue
        for lang in task.languages:
            rows, predicted, gold = MADE[task.kind](rng, target)
            queries = [row["id"] for row in rows if row.get("side") != "target"]
            by_id = dict(zip(queries, predicted, strict=True))
            content = submission.file_content(target, rows, by_id, of)
            for where, what in (("predictions", content), ("labels", gold)):
                path = folder / where / task.file(lang)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(what, encoding="utf-8")
            ours.setdefault(target, {})[lang] = score(target, rows, predicted, lang)
            count += len(predicted)
    places = (str(folder / where) for where in ("predictions", "labels"))
    with contextlib.redirect_stdout(io.StringIO()):
        groups, theirs = official.evaluate(*places, of.suite)
    differences = []
    for target, values in ours.items():
        found = theirs[of.tasks[target].folder]
        keys = [key for key in ("exact_match", "f1", "accuracy", "map@20") if key in found]
        keys = keys if "exact_match" in keys else keys[:1]
        for lang, value in values.items():
            their = sum(found[key][lang] for key in keys) / len(keys)
            differences.append(abs(their - value))
        differences.append(abs(found["avg_metric"] - sum(values.values()) / len(values)))
    means = {target: sum(values.values()) / len(values) for target, values in ours.items()}
    own = of.averages(means)
    for group, their in groups.items():
        named = {"all_task": "overall"}.get(group, group)
        if own.get(named) is not None:  # `multi_choice` is XCOPA alone; LAReQA is in ours
            differences.append(abs(their - own[named]))
    return differences, count


def rankings(checkout: Path, rounds: int) -> tuple[list[float], int]:
    """Return the differences of AP@20 of lists with several right candidates, repeats and none."""
    if importlib.util.find_spec("xstilts.metrics.ranking") is None:
        return [], 0
    ranking: Any = importlib.import_module("xstilts.metrics.ranking")
    source = (checkout / "third_party/utils_lareqa.py").read_text(encoding="utf-8")
    start = source.index("def average_precision_at_k")
    scope: dict[str, Any] = {}
    exec(source[start : source.index("def mean_avg_prec_at_k")], scope)
    rng, found = random.Random(1), []
    for _ in range(1000 * rounds):
        gold = rng.sample(range(60), rng.randint(1, 30))
        listed = [rng.randrange(60) for _ in range(rng.randint(0, 40))]
        their = scope["average_precision_at_k"](gold, listed, 20)
        names = [str(one) for one in listed]
        found.append(100 * abs(their - ranking.average_precision([str(g) for g in gold], names)))
    return found, len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="a clone of google-research/xtreme")
    parser.add_argument("--rounds", type=int, default=20, help="generated sets of each suite")
    args = parser.parse_args()
    sys.path.insert(0, str(args.checkout))
    official, wrong = importlib.import_module("evaluate"), 0
    results = [(of.title, *_rounds(official, of, args.rounds)) for of in BENCHMARKS.values()]
    results.append(("AP@20", *rankings(args.checkout, args.rounds)))
    for title, differences, count in results:
        odd = sum(difference > CLOSE for difference in differences)
        most = max(differences, default=0.0)
        print(
            f"{title}: {count} predictions, {len(differences)} scores, {odd} differ"
            f" (at most {most:.2g})"
        )
        wrong += odd
    sys.exit(wrong > 0)


def _rounds(official: Any, of: Benchmark, rounds: int) -> tuple[list[float], int]:
    differences, count = list[float](), 0
    for seed in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            found, predictions = compare(official, of, seed, Path(folder))
        differences, count = [*differences, *found], count + predictions
    return differences, count


if __name__ == "__main__":
    main()
