"""Puts a run of `check.py` on a GPU into tests/gpu/last.json and docs/performance.md.

python tests/gpu/record.py FOLDER/gpu-check.json
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LAST = ROOT / "tests/gpu/last.json"
PAGE = ROOT / "docs/performance.md"
MARKS = "<!-- the table of the last run on a GPU -->\n", "<!-- its end -->\n"
NEVER = "**The part for GPUs has not run on a GPU yet**, so nothing here says what it does there."


def shown(record: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the first line of the page, and the table; None: no GPU has run it."""
    if record is None:
        return NEVER, "There is none yet.\n"
    failed = f"; failed: {', '.join(record['failed'])}" if record["failed"] else ""
    card = f"{record['card']}, driver {record['driver']}, torch {record['versions']['torch']}"
    first = f"The part for GPUs has last run on {record['date']}, on {card}{failed}."
    lines = ["| part | what | value | | | |", "|---|---|---:|---|---|---|"]
    for part in record["parts"]:
        rows = [*part["figures"], *([_ended(part)] if part["error"] else [])]
        for row in rows:
            state = {True: "ok", False: "failed", None: ""}[row["ok"]]
            cells = (part["part"], row["name"], _number(row["value"]), row["unit"], state)
            lines.append(f"| {' | '.join(cells)} | {row['note']} |")
    return first, "\n".join(lines) + f"\n\n{card}; {record['date']}; {record['code']}.\n"


def page(text: str, record: Mapping[str, Any] | None) -> str:
    """Return the page with another first line and another table."""
    first, table = shown(record)
    title, _, rest = text.split("\n\n", 2)
    text = f"{title}\n\n{first}\n\n{rest}"
    head, _, rest = text.partition(MARKS[0])
    return f"{head}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}"


def read() -> dict[str, Any] | None:
    """Return the last run on a GPU; None if there is none."""
    return json.loads(LAST.read_text(encoding="utf-8")) if LAST.exists() else None


def _ended(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": "the part", "value": None, "unit": "", "ok": False, "note": part["error"]}


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "" if value is None else f"{value:,}" if type(value) is int else str(value)


def main() -> None:
    """Record a run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="gpu-check.json")
    record = json.loads(parser.parse_args().file.read_text(encoding="utf-8"))
    if not record["driver"]:
        parser.error(f"it ran on no GPU but on {record['card']}")
    for part in record["parts"]:
        part.pop("log")
    LAST.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
