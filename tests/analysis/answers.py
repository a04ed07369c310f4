"""Answers to questions, by hand: the files of `tables/questions`, of every kind."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis.answers.files import COLUMNS, POINT_COLUMNS, Answer

BOTH = "examples and seeds"
ROWS = ("mnli", "squad", "hellaswag")


def row(name: str, estimate: float, low: float, high: float, **changes: Any) -> dict[str, Any]:
    """A row of the table: p is below 0.05 where the interval leaves out zero."""
    p = 0.004 if low > 0 or high < 0 else 0.41
    line = {
        "class": name, "kind": "value", "over": "", "scale": "points", "estimate": estimate,
        "low": low, "high": high, "p": p, "p holm": p, "detectable": round(0.7 * (high - low), 2),
        "dof": 8.0, "noise": BOTH, "tested": True, "agrees": p < 0.05, "rows": 2, "targets": 3,
        "languages": 14, "examples": 12345, "without": "",
        "barred": "",
    }  # fmt: skip
    return line | changes


def meta(**changes: Any) -> dict[str, Any]:
    """What the JSON file says, of a question that is a single class."""
    return {
        "name": "q", "ask": "Does it help?", "sentence": "", "along": "", "scale": "",
        "scales": ["points"], "contrast": "zero", "value": "gain", "missing": [], "notes": [],
        "classes": {},
    } | changes  # fmt: skip


def point(name: str, label: str, x: float, estimate: float, half: float, scale: str = "points"):
    """A point of a slope: its interval is `half` to each side."""
    values = (name, label, x, scale, estimate, estimate - half, estimate + half)
    return dict(zip(POINT_COLUMNS, values, strict=True))


def answer(about: dict[str, Any], rows: list[dict[str, Any]], points: Any = ()) -> Answer:
    """An answer of such rows; without points, one a class that has a value."""
    columns = list(POINT_COLUMNS)
    found = [*points] or [
        {**{key: line.get(key) for key in columns}, "label": "", "x": float("nan")}
        for line in rows
        if line["kind"] == "value" and not line["without"]
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Answer(about, table, pd.DataFrame(found, columns=columns))


def write(folder: Path, name: str, found: Answer) -> None:
    """Write the files of an answer as the step `tables` does, below the folder of the tables.

    Behind its classes are cells of `results.write`.
    """
    path = folder / "questions" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    found.table.to_csv(f"{path}.csv", index=False)
    found.points.to_csv(f"{path}.points.csv", index=False)
    behind = {"rows": [["m", "mnli"]], "targets": ["xnli"], "languages": ["de", "ru"]}
    classes = dict.fromkeys(found.table["class"], behind)
    about = {**found.meta, "name": name, "classes": found.meta["classes"] or classes}
    Path(f"{path}.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def single() -> Answer:
    """One class, above zero."""
    return answer(meta(), [row("all", 1.83, 0.94, 2.72)])


def several() -> Answer:
    """Classes each for itself: two above zero, one below, two open."""
    found = {
        "mnli": (2.4, 1.1, 3.7), "squad": (1.2, 0.1, 2.3), "hellaswag": (-1.5, -2.6, -0.4),
        "xnli-15": (0.3, -0.9, 1.5), "mlm": (-0.2, -1.7, 1.3),
    }  # fmt: skip
    return answer(meta(), [row(name, *values) for name, values in found.items()])


def compared(scales: tuple[str, ...] = ("points",)) -> Answer:
    """Two classes compared to a first, on some scales."""
    factor = {"points": 1.0, "share": 2.5, "log-odds": 0.06}
    rows = []
    for scale in scales:
        size = factor[scale]
        common = {"scale": scale}
        for name, values in {"sentences": (5.1, 3.9, 6.3), "single-hop": (4.8, 3.4, 6.2),
                             "multi-hop": (3.0, 1.4, 4.6)}.items():  # fmt: skip
            rows.append(row(name, *(size * v for v in values), **common, tested=False))
        for name, values in {
            "single-hop": (-0.3, -1.6, 1.0),
            "multi-hop": (-2.1, -3.6, -0.6),
        }.items():
            more = {**common, "kind": "difference", "over": "sentences"}
            rows.append(row(name, *(size * v for v in values), **more))
    about = meta(contrast="first", scales=list(scales), ask="Does the gain shrink with reasoning?")
    return answer(about, rows)


def slopes(compare: bool = False, scales: tuple[str, ...] = ("points",)) -> Answer:
    """The dose of intermediate data for near and for far languages."""
    sizes = {1000: 0.2, 3000: -0.1, 10000: -0.3, 30000: 0.2, 392702: 0.1}  # off the line
    lines = {"near": (0.5, 1.2, 0.4, 2.0), "far": (-0.4, 0.2, -0.6, 1.0)}
    rows, points = [], []
    for scale in scales:
        factor = {"points": 1.0, "share": 2.5, "log-odds": 0.06}[scale]
        for name, (start, *slope) in lines.items():
            values = (factor * v for v in slope)
            rows.append(row(name, *values, kind="slope", scale=scale, tested=not compare))
            for size, off in sizes.items():
                y = factor * (start + slope[0] * math.log10(size / 1000) + off)
                points.append(point(name, f"mnli-{size}", size, y, 0.9 * factor, scale))
        if compare:
            more = {"kind": "difference", "over": "near", "scale": scale}
            rows.append(row("far", *(factor * v for v in (-1.0, -1.9, -0.1)), **more))
    about = meta(
        along="intermediate rows", scale="log10", scales=list(scales),
        contrast="first" if compare else "zero", ask="Does more data gain more?",
    )  # fmt: skip
    return answer(about, rows, points)


def ranks(languages: int = 14) -> Answer:
    """The gain by the distance of languages, by rank."""
    points = [
        point("all", f"l{at:02d}", round(0.1 + 0.6 * at / languages, 3),
              2.0 - 3.0 * at / languages + (at * 7 % 5 - 2) / 3, 1.1)
        for at in range(languages)
    ]  # fmt: skip
    about = meta(along="language distance", scale="rank", ask="Do far languages gain less?")
    line = row("all", -0.62, -0.83, -0.21, kind="correlation")
    return answer(about, [line], points)


def unanswered() -> Answer:
    """Cells are missing."""
    missing = [f"m/mnli/seed{seed}/{target}" for seed in (1, 2) for target in ("xnli", "tatoeba")]
    return answer(meta(missing=missing, cells=24), [])


def hostile() -> Answer:
    """Names that LaTeX, Markdown, HTML and reading from the right make difficult."""
    names = [r"50% _of_ {all} #1 & $x^2$ ~ \n", "<img src=x onerror=alert(1)>", "العربية والفارسية",
             "a|b*c\nsecond line",
             "a class of a name that is much too long for any column of a page"]  # fmt: skip
    about = meta(ask="Why? " * 60, contrast="first")
    rows = [row(name, 1.0, 0.5, 1.5, tested=False) for name in names]
    rows += [row(name, 0.5, 0.2, 0.8, kind="difference", over=names[0]) for name in names[1:]]
    return answer(about, rows)


def many(classes: int = 12, scales: tuple[str, ...] = ("points", "share", "log-odds")) -> Answer:
    """Many classes on several scales, every second one above zero."""
    rows = [
        row(f"family number {at} of them", 1.0 + at / 10, 1.0 if at % 2 else -1.0, 3.0, scale=scale)
        for scale in scales
        for at in range(classes)
    ]
    return answer(meta(scales=list(scales)), rows)


def collapsed() -> Answer:
    """One of three classes is above zero only without the trainings that collapsed."""
    rows = [row("mnli", 2.4, 1.1, 3.7), row("squad", 1.5, -1.2, 4.2), row("mlm", 0.2, -0.8, 1.2)]
    kept = [row("mnli", 2.4, 1.2, 3.6), row("squad", 2.6, 1.5, 3.7), row("mlm", 0.2, -0.8, 1.2)]
    return answer(meta(), [*rows, *({**line, "without": "collapsed"} for line in kept)])


def scores() -> Answer:
    """Scores of two classes, which are not compared."""
    rows = [row("mnli", 61.25, 60.1, 62.4), row("none", 58.0, 56.8, 59.2)]
    return answer(meta(value="score"), rows)


def disagreeing() -> Answer:
    """The gain is larger in points, and not in share of the errors."""
    about = meta(contrast="first", scales=["points", "share"])
    rows = []
    for scale, size, low, high in (("points", 2.1, 0.6, 3.6), ("share", 1.1, -2.0, 4.2)):
        for name, value in (("easy", 1.0), ("hard", 1.0 + size)):
            line = row(name, value, value - 1.5, value + 1.5, scale=scale, tested=False)
            rows.append(line)
        more = {"scale": scale, "kind": "difference", "over": "easy", "agrees": False}
        rows.append(row("hard", size, low, high, **more))
    return answer(about, rows)


ALL = {
    "collapsed": collapsed, "scores": scores, "disagreeing": disagreeing,
    "single": single, "several": several, "compared": compared, "slopes": slopes,
    "slopes-compared": lambda: slopes(compare=True), "ranks": ranks, "unanswered": unanswered,
    "three-scales": lambda: compared(("points", "share", "log-odds")), "hostile": hostile,
    "slopes-three": lambda: slopes(True, ("points", "share", "log-odds")), "many": many,
    "forty": lambda: ranks(40),
}  # fmt: skip
