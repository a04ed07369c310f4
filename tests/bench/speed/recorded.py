"""The ratios that are recorded, in tests/bench/recorded.json, and what has fallen below them."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .worker import ROOT

FILE = ROOT / "tests/bench/recorded.json"
PAGE = ROOT / "docs/performance.md"
MARKS = "<!-- the table of the last `make bench` -->\n", "<!-- its end -->\n"
LEAST = 0.9  # of a recorded ratio


def read(path: Path = FILE) -> dict[str, Any]:
    """Return what is recorded: "full" and "short" -> `about` and `rows`."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def fallen(rows: Mapping[str, Mapping[str, Any]], recorded: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> a line for each ratio that is below `LEAST` of the recorded one."""
    return {
        name: f"{name}: {row['ratio']:.2f}, and {recorded[name]['ratio']:.2f} is recorded"
        for name, row in rows.items()
        if name in recorded and row["ratio"] < LEAST * recorded[name]["ratio"]
    }


def about(encoder: str, before: Path | None) -> dict[str, Any]:
    """Return machine, date, versions and code of a measurement."""
    import torch
    import transformers

    from xstilts.running import record

    return {
        "machine": f"{_cpu()}, {os.cpu_count()} cores, one thread each",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "load": round(os.getloadavg()[0], 1),
        "encoder": encoder,
        "versions": f"torch {torch.__version__}, transformers {transformers.__version__}",
        "code": record.code(),
        **({"before": _commit(before)} if before else {}),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _commit(folder: Path) -> str:
    import subprocess

    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    said = subprocess.run([*command, "--exclude=*"], capture_output=True, text=True)
    return said.stdout.strip() or folder.name


def table(measurement: Mapping[str, Any]) -> str:
    """Return a measurement as Markdown: the table, and below it where and when."""
    lines = [
        "| what | ours | beside | theirs | | ratio | lowest to highest |",
        "|---|---:|---|---:|---|---:|---|",
    ]
    for name, row in measurement["rows"].items():
        what, _, peer = name.rpartition(": ")
        lines.append(
            f"| {what} | {row['ours']:,} | {peer} | {row['theirs']:,} | {row['unit']}"
            f" | {row['ratio']:.2f} | {row['lowest']:.2f} to {row['highest']:.2f} |"
        )
    told = measurement["about"]
    before = f"; before: {told['before']}" if "before" in told else ""
    lines.append(
        f"\n{told['machine']}, load {told['load']}; {told['date']}; {told['encoder']};"
        f" {told['versions']}; {told['code']}{before}."
    )
    return "\n".join(lines) + "\n"


def shown(known: Mapping[str, Any]) -> str:
    """Return what stands in the page of what is recorded."""
    return table(known["full"]) if "full" in known else "Not recorded yet: `make bench RECORD=1`.\n"


def record(form: str, measurement: Mapping[str, Any]) -> None:
    """Write a measurement into the file; that of the full form into the page too."""
    FILE.write_text(json.dumps(read() | {form: measurement}, indent=1) + "\n", encoding="utf-8")
    begin, end = MARKS
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    tail = rest.partition(end)[2]
    PAGE.write_text(f"{head}{begin}\n{shown(read())}\n{end}{tail}", encoding="utf-8")
