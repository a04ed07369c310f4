"""Cost: time, energy, speed and memory by kind of job, and the hours saved by sharing trainings."""

import collections
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.text_table import TableCell, TextTable, without_empty
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json

COLUMNS = [
    "kind", "device", "nodes", "hours", "energy kWh", "tokens per second", "peak GB",
    "hours unshared", "hours saved",
]  # fmt: skip
CURVE_COLUMNS = ["kind", "model", "intermediate", "seed", "task", "step", "loss", "score", "best"]
STAGES = {"encoders": "intermediate", "tuned": "tune"}  # folder of results -> kind of training
STREAMS = "streams"  # key of the record of a training that was made again (`training/streams.py`)
Key = tuple[str, ...]  # model, intermediate, seed and digest of the spec of a training


def training_records(root: Path) -> tuple[dict[Key, dict[str, Any]], list[str]]:
    """Return the record of each training below `root` (results), and a line for each damaged one.

    A record is `node.json` with `stage` and the names in its path: model, intermediate, seed, task
    (empty for stage 1). The digest alone is no key: MNLI as an intermediate task and as the tuning
    of `none` have the same spec.
    """
    records, refused = {}, []
    for folder, stage in STAGES.items():
        for path in sorted((root / folder).glob("**/node.json")):
            parts = [*path.relative_to(root / folder).parts[:-1], ""][:4]
            names = dict(zip(("model", "intermediate", "seed", "task"), parts, strict=True))
            try:
                record = read_json(path)
                key = (*parts[:3], digest(record["spec"]))
            except UserError as error:
                refused.append(str(error))
            except (KeyError, TypeError):
                refused.append(
                    f"{path}: not the record of a training; delete its folder, run again"
                )
            else:
                records[key] = {**record, **names, "stage": stage}
    return records, refused


def ancestry(score: Mapping[str, Any], records: Mapping[Key, Any]) -> list[Key]:
    """Return the keys of the trainings that a score comes from, the last one first."""
    keys: list[Key] = []
    spec_digest, name = score["spec"].get("model", ""), score["intermediate"]
    while (key := (score["model"], name, score["seed"], spec_digest)) in records:
        keys.append(key)
        spec, stage = records[key]["spec"], records[key]["stage"]
        spec_digest = spec.get("parent", "")
        if stage == STAGES["encoders"]:  # of a chain: the one before
            name = spec.get("after", "")
    return keys


def table(
    scores: Mapping[str, Any],
    records: Mapping[Key, Any],
    trials: Iterable[Mapping[str, Any]] = (),
) -> pd.DataFrame:
    """Return a row per (kind of job, device); only of the trainings that a score comes from.

    Columns: `nodes`, the number of trainings or score files; `hours` of the device; `energy kWh`,
    where every record has `energy_joules`; `tokens per second` over all; `peak GB`, the highest;
    `hours unshared`, if each cell trained all that it needs on its own; `hours saved`, the
    difference. Loading models and writing files is not in the hours.

    Args:
        scores: see `scores.accepted`.
        records: see `training_records`.
        trials: of searches on dev, those that were not taken (`chosen.losers`).
    """
    cell_keys = {}
    for score in scores.values():
        cell = tuple(score[key] for key in ("model", "intermediate", "seed", "target"))
        cell_keys[cell] = ancestry(score, records)
    cell_counts = collections.Counter(key for keys in cell_keys.values() for key in keys)
    jobs = [_job(records[key], records[key]["stage"], n) for key, n in cell_counts.items()]
    jobs += [_job(trial, "trial", 1) for trial in trials]
    jobs += [_job(score, "evaluate", 1) for score in scores.values()]
    raw = pd.DataFrame(
        jobs, columns=["kind", "device", "seconds", "energy", "tokens", "peak", "cells"]
    )
    rows = []
    order = {kind: i for i, kind in enumerate(("trial", *STAGES.values(), "evaluate"))}
    groups = sorted(raw.groupby(["kind", "device"]), key=lambda group: order[group[0][0]])
    for (kind, device), part in groups:
        hours = part["seconds"].sum() / 3600
        unshared = (part["seconds"] * part["cells"]).sum() / 3600
        rows.append(
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
    return pd.DataFrame(rows, columns=COLUMNS)


def _job(record: Mapping[str, Any], kind: str, cells: int) -> dict[str, Any]:
    """Return the row of a record that `cells` share; one of an older version may lack fields."""
    nan = float("nan")
    seconds, speed = _spent(record, "seconds"), record.get("tokens_per_second", nan)
    ranks = record.get("ranks", 1)
    return {
        "kind": kind,
        "device": record.get("device", ""),
        "seconds": ranks * seconds,
        "energy": _spent(record, "energy_joules"),
        "tokens": _spent(record, "tokens") if "tokens" in record else seconds * speed,
        "peak": record.get("peak_memory", nan),
        "cells": cells,
    }


def _spent(record: Mapping[str, Any], name: str) -> float:
    """Return a figure of a record, added up with those of the streams that were not taken."""
    others = [one for one in record.get(STREAMS, ()) if one["stream"] != record["stream"]]
    return sum(one.get(name, float("nan")) for one in (record, *others))


def curves(scores: Mapping[str, Any], records: Mapping[Key, Any]) -> pd.DataFrame:
    """Return a row per training and evaluation on dev: loss, score in percent, whether the best.

    Only of the trainings that a score comes from.
    """
    used = dict.fromkeys(key for score in scores.values() for key in ancestry(score, records))
    rows = []
    for record in (records[key] for key in used):
        names = {key: record[key] for key in CURVE_COLUMNS[1:5]}
        best = record.get("best", {}).get("step")
        for point in record.get("history", []):
            values = {"step": point["step"], "loss": point["loss"], "score": 100 * point["score"]}
            rows.append({"kind": record["stage"], **names, **values, "best": point["step"] == best})
    return pd.DataFrame(rows, columns=CURVE_COLUMNS)


def text_table(cost: pd.DataFrame) -> TextTable:
    """Return the table for readers, with the total hours."""
    digits = {"energy kWh": 3, "tokens per second": 0, "peak GB": 2}
    rows = []
    for row in cost.to_dict("records"):
        cells = [TableCell(str(row["nodes"]))]
        cells += [TableCell(numbers.points(row[name], digits.get(name, 3))) for name in COLUMNS[3:]]
        rows.append(([row["kind"], row["device"]], cells))
    total, saved = (numbers.points(cost[c].sum(), 3) for c in ("hours", "hours saved"))
    notes = [f"{total} device hours in all; {saved} saved, because cells share trainings."]
    if not set(cost["kind"]) - {"evaluate"}:
        notes.append("The records of the trainings (node.json) are not there.")
    return without_empty(TextTable(COLUMNS[:2], COLUMNS[2:], rows, notes))
