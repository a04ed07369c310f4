"""Answers to questions, by hand: the files of `tables/questions`, of every kind."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis.answer_files import COLUMNS, POINT_COLUMNS, Answer

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
    """Write the files of an answer as the step `tables` does, below the folder of the tables."""
    path = folder / "questions" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    found.table.to_csv(f"{path}.csv", index=False)
    found.points.to_csv(f"{path}.points.csv", index=False)
    about = {**found.meta, "name": name}
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
    sizes = (1000, 3000, 10000, 30000, 392702)
    rows, points = [], []
    for scale in scales:
        size = {"points": 1.0, "share": 2.5, "log-odds": 0.06}[scale]
        for name, (slope, low, high), start in (
            ("near", (1.2, 0.4, 2.0), 0.5), ("far", (0.2, -0.6, 1.0), -0.4),
        ):  # fmt: skip
            values = (size * v for v in (slope, low, high))
            rows.append(row(name, *values, kind="slope", scale=scale, tested=not compare))
            for at, (rows_of, wobble) in enumerate(
                zip(sizes, (0.2, -0.1, -0.3, 0.2, 0.1), strict=True)
            ):
                y = start + slope * (0, 0.477, 1, 1.477, 2.594)[at] + wobble
                points.append(point(name, f"mnli-{rows_of}", rows_of, size * y, size * 0.9, scale))
        if compare:
            more = {"kind": "difference", "over": "near", "scale": scale}
            rows.append(row("far", *(size * v for v in (-1.0, -1.9, -0.1)), **more))
    about = meta(along="intermediate rows", scale="log10", scales=list(scales),
                 contrast="first" if compare else "zero", ask="Does more data gain more?")  # fmt: skip
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
             "a|b*c\nsecond line", "a class of a name that is much too long for any column of a page"]  # fmt: skip
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


ALL = {
    "single": single, "several": several, "compared": compared, "slopes": slopes,
    "slopes-compared": lambda: slopes(compare=True), "ranks": ranks, "unanswered": unanswered,
    "three-scales": lambda: compared(("points", "share", "log-odds")), "hostile": hostile,
    "slopes-three": lambda: slopes(True, ("points", "share", "log-odds")), "many": many,
    "forty": lambda: ranks(40),
}  # fmt: skip
