"""What a part has found: figures, written one by one, so that a part that is ended keeps them."""

import contextlib
import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NEEDS = "needs a GPU"


class Figures:
    """The figures of one part, in a file of a JSON object a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def show(
        self, name: str, value: Any, unit: str = "", ok: bool | None = None, note: str = ""
    ) -> None:
        """Add a figure; `ok`, whether it is what it has to be, where something has to be."""
        row = {"name": name, "value": value, "unit": unit, "ok": ok, "note": note}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def needs_gpu(self, *names: str) -> None:
        """Say of figures that only a GPU can show them."""
        for name in names:
            self.show(name, None, note=NEEDS)

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Let what is done inside fail by itself: its error becomes a figure."""
        try:
            yield
        except Exception as error:
            traceback.print_exc()  # into the log of the part
            self.show(name, None, ok=False, note=one_line(error))

    def read(self) -> list[dict[str, Any]]:
        """Return the figures so far."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


def one_line(error: BaseException) -> str:
    """Return an error in a line."""
    said = (str(error).strip().splitlines() or [""])[0]
    return f"error: {type(error).__name__}: {said}"[:200]


def table(parts: list[dict[str, Any]]) -> str:
    """Return the figures of all parts as one table of text."""
    lines = []
    for part in parts:
        lines.append(f"{part['part']} ({part['seconds']:.0f} s)")
        for row in part["figures"]:
            state = {True: "ok", False: "FAILED", None: ""}[row["ok"]]
            value = _number(row["value"])
            line = f"  {row['name']:<58}{value:>12} {row['unit']:<12}{state:<7}{row['note']}"
            lines.append(line.rstrip())
        if part["error"]:
            lines.append(f"  FAILED {part['error']}")
    return "\n".join(lines)


def _number(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
