"""What it cost: time, energy, speed and memory by kind of work, and what sharing has saved."""

import collections
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis.text_table import Cell, Sheet, figure
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json

COLUMNS = [
    "kind", "device", "nodes", "hours", "energy kWh", "tokens per second", "peak GB",
    "hours unshared", "hours saved",
]  # fmt: skip
CURVE = ["kind", "model", "intermediate", "seed", "task", "step", "loss", "score", "best"]
Key = tuple[str, ...]
STAGES = {"encoders": "intermediate", "tuned": "tune"}


def nodes(root: Path) -> tuple[dict[Key, dict[str, Any]], list[str]]:
    """Return the record of each training below `root` (results), and a line for each damaged one.

    A record is `node.json` with `stage` and the names in its path: model, intermediate, seed, task
    (empty for stage 1). Its key is model, intermediate, seed and the digest of its spec, which
    alone would not do: MNLI as an intermediate task and as the tuning of `none` are the same
    training.
    """
    found, refused = {}, []
    for folder, stage in STAGES.items():
        for path in sorted((root / folder).glob("**/node.json")):
            names = [*path.relative_to(root / folder).parts[:-1], ""][:4]
            place = dict(zip(("model", "intermediate", "seed", "task"), names, strict=True))
            try:
                record = read_json(path)
                key = (*names[:3], digest(record["spec"]))
            except UserError as error:
                refused.append(str(error))
            except (KeyError, TypeError):
                refused.append(
                    f"{path}: not the record of a training; delete its folder, run again"
                )
            else:
                found[key] = {**record, **place, "stage": stage}
    return found, refused


def ancestry(score: Mapping[str, Any], known: Mapping[Key, Any]) -> list[Key]:
    """Return the keys of the trainings that a score comes from, the last one first."""
    chain: list[Key] = []
    name = score["spec"].get("model", "")
    row = (score["model"], score["intermediate"], score["seed"])
    while (*row, name) in known:
        chain.append((*row, name))
        name = known[chain[-1]]["spec"].get("parent", "")
    return chain


def table(scores: Mapping[str, Any], known: Mapping[Key, Any]) -> pd.DataFrame:
    """Return a row per (kind of work, device); only of the trainings that a score comes from.

    Columns: `nodes`, how many trainings or score files; `hours` of the device; `energy kWh`, where
    every record has `energy_joules`; `tokens per second` over all; `peak GB`, the highest; `hours
    unshared`, what it would take if each cell trained all that it needs on its own; `hours saved`,
    the difference. Loading models and writing files is not in the hours.

    Args:
        scores: see `scores.accepted`.
        known: see `nodes`.
    """
    chains = {}
    for score in scores.values():
        cell = tuple(score[key] for key in ("model", "intermediate", "seed", "target"))
        chains[cell] = ancestry(score, known)
    times = collections.Counter(name for chain in chains.values() for name in chain)
    lines = [_line(known[name], known[name]["stage"], count) for name, count in times.items()]
    lines += [_line(score, "evaluate", 1) for score in scores.values()]
    raw = pd.DataFrame(
        lines, columns=["kind", "device", "seconds", "energy", "tokens", "peak", "times"]
    )
    found = []
    order = {kind: i for i, kind in enumerate((*STAGES.values(), "evaluate"))}
    groups = sorted(raw.groupby(["kind", "device"]), key=lambda group: order[group[0][0]])
    for (kind, device), part in groups:
        hours = part["seconds"].sum() / 3600
        unshared = (part["seconds"] * part["times"]).sum() / 3600
        found.append(
            {
                "kind": kind,
                "device": device,
                "nodes": len(part),
                "hours": hours,
                "energy kWh": part["energy"].sum(skipna=False) / 3.6e6,
                "tokens per second": part["tokens"].sum(skipna=False) / part["seconds"].sum(),
                "peak GB": part["peak"].max() / 1e9,
                "hours unshared": unshared,
                "hours saved": unshared - hours,
            }
        )
    return pd.DataFrame(found, columns=COLUMNS)


def _line(record: Mapping[str, Any], kind: str, times: int) -> dict[str, Any]:
    """Return what one record tells; a record of an older version may lack something."""
    nothing = float("nan")
    seconds, speed = record.get("seconds", nothing), record.get("tokens_per_second", nothing)
    ranks = record.get("ranks", 1)
    return {
        "kind": kind,
        "device": record.get("device", ""),
        "seconds": ranks * seconds,
        "energy": record.get("energy_joules", nothing),
        "tokens": record.get("tokens", seconds * speed),
        "peak": record.get("peak_memory", nothing),
        "times": times,
    }


def curves(scores: Mapping[str, Any], known: Mapping[Key, Any]) -> pd.DataFrame:
    """Return a row per training and look at its dev set: loss, dev score in percent, best or not.

    Only of the trainings that a score comes from.
    """
    used = dict.fromkeys(name for score in scores.values() for name in ancestry(score, known))
    lines = []
    for record in (known[name] for name in used):
        names = {key: record[key] for key in CURVE[1:5]}
        best = record.get("best", {}).get("step")
        for look in record.get("history", []):
            figures = {"step": look["step"], "loss": look["loss"], "score": 100 * look["score"]}
            lines.append(
                {"kind": record["stage"], **names, **figures, "best": look["step"] == best}
            )
    return pd.DataFrame(lines, columns=CURVE)


def sheet(found: pd.DataFrame) -> Sheet:
    """Return the table for readers, with the hours in all."""
    digits = {"energy kWh": 3, "tokens per second": 0, "peak GB": 2}
    rows = []
    for row in found.to_dict("records"):
        cells = [Cell(str(row["nodes"]))]
        cells += [Cell(figure(row[name], digits=digits.get(name, 3))) for name in COLUMNS[3:]]
        rows.append(([row["kind"], row["device"]], cells))
    total, saved = found["hours"].sum(), found["hours saved"].sum()
    notes = [
        f"{figure(total, digits=3)} device hours in all; {figure(saved, digits=3)} saved, because"
        " cells share trainings."
    ]
    if not set(found["kind"]) - {"evaluate"}:
        notes.append("The records of the trainings (node.json) are not there.")
    return Sheet(COLUMNS[:2], COLUMNS[2:], rows, notes)
