"""Step: one split of one data set in one language -> a parquet file of unified rows."""

import argparse
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from xstilts.data import (
    checklist,
    columns,
    files,
    layout,
    own_features,
    pictures,
    pools,
    published,
    strata,
)
from xstilts.data import source as sources
from xstilts.data.pin import ABSENT
from xstilts.data.prepare import (
    dataset_of,
    many_classes,
    metadata,
    notes,
    pins,
    read,
    sample,
    unify,
    write,
)
from xstilts.running.errors import Absent, UserError
from xstilts.running.files import read_json, sha256
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Load the raw rows, unify them, write them."""
    spec, pin = json.loads(args.spec), read_json(args.pin)
    # The revision alone: the list of a mirror's files is in the pin file.
    origin = {key: pin[key] for key in ("source", "revision")}
    try:
        table, features, gold = raw(args, spec, pin)
    except Absent as error:
        write(args.out, [], spec["format"], {"spec": spec, "pin": origin, "absent": str(error)})
        print(f"{spec['task']} {spec['lang']} {spec['split']}: not there: {error}")
        return
    except UserError as error:
        raise UserError(f"task {spec['task']} ({spec['lang']}): {error}") from error
    if spec["format"] == "images":
        write_set(args, spec, origin, table)
        return
    paths = json.loads(args.files)
    if not paths and not spec.get("pool"):
        path = published_file(args, spec, pin, spec.get("config"))
        paths = [str(path)] if path else []
    about = {"files": paths, "no_answer": args.no_answer}
    there, beside = in_set(args.images) if spec.get("images") else (None, {})
    rows, report = unify(table, features, spec | about, gold, there)
    write(args.out, rows, spec["format"], {"spec": spec, "pin": origin, **beside, **report})
    for line in many_classes(report):
        process.note(f"task {spec['task']} ({spec['lang']}): {line}")
    if "one_value" in report:  # a test set whose answers were kept back, or the wrong column
        where = f"task {spec['task']} ({spec['lang']}), {spec['split']}"
        process.note(f"{where}: the gold is `{report['one_value']}` in every row")
    said = ", ".join([f"{len(rows)} rows", *notes(report)])
    print(f"{spec['task']} {spec['lang']} {spec['split']}: {said}")


def write_set(
    args: argparse.Namespace, spec: dict[str, Any], origin: dict[str, str], table: Any
) -> None:
    """Write the ids of a set of pictures, which are not read."""
    where = f"task {spec['task']}: {dataset_of(spec)}"
    found, dropped = pictures.rows(table["id"].to_pylist(), where)
    rows = [found[at] for at in sample(len(found), spec.get("max_rows"))]
    report = {"rows_total": table.num_rows, "rows_kept": len(rows), "dropped": dropped}
    report |= {"repaired": 0}
    write(args.out, rows, spec["format"], {"spec": spec, "pin": origin, **report})
    said = ", ".join([f"{len(rows)} pictures", *notes(report)])
    print(f"{spec['task']} {spec['split']}: {said}")


def in_set(path: str) -> tuple[dict[str, None], dict[str, Any]]:
    """Return the ids of a set of pictures, in its order, and what a record says of it."""
    made = metadata(path)
    return dict.fromkeys(read(path)["id"].to_pylist()), {"pins": pins(made)}


def raw(args: argparse.Namespace, spec: dict[str, Any], pin: dict[str, Any]) -> tuple:
    """Return the raw rows, their features, and the gold pairs where these are in a file."""
    if pin["revision"] == ABSENT:
        raise Absent(pin["reason"])
    if (paths := json.loads(args.files)) and spec["format"] == "images":
        found = own_features.look(own_files(args.root, paths, pin, spec["hub"]))
        return pa.table({"id": found.ids}), {}, None
    if paths:
        return files.read(own_files(args.root, paths, pin, spec["hub"]), spec), {}, None
    if spec.get("rows") == checklist.ROWS:
        checklist.check(spec["task"], spec["hub"], pin.get("files", {}))
        templates, names = (
            sources.file(args.source, args.root, pin, spec["hub"], name)
            for name in (checklist.TEMPLATES, checklist.NAMES)
        )
        return checklist.table(templates, names, spec["lang"]), {}, None
    if spec.get("pool"):
        return pools.read(spec, lambda config: rows_of(args, spec, pin, config))
    if path := published_file(args, spec, pin, spec.get("config")):
        return published.read(path, spec["rows"]), {}, None
    data = load(args, spec, pin, spec["split"])
    gold = None
    if spec.get("gold"):
        pools.check_columns(spec["task"], dataset_of(spec), data.column_names)
        gold = pools.read_gold(sources.file(args.source, args.root, pin, spec["hub"], spec["gold"]))
    if spec["format"] == "mlm" and spec.get("max_rows"):
        # A Wikipedia is too large to be read as a whole for a sample of it.
        data = data.select(sample(len(data), spec["max_rows"]))
    if spec["format"] == "images":
        return ids_of(args, spec, data), {}, None
    table = without_pictures(data).with_format("arrow")[:]
    if strata.by_split(spec, table.column_names):
        parts = spec["split"].split("+")
        rows = [len(load(args, spec, pin, part)) for part in parts] if parts[1:] else [len(data)]
        table = strata.with_split(table, dict(zip(parts, rows, strict=True)))
    return table, data.features, gold


def rows_of(
    args: argparse.Namespace, spec: dict[str, Any], pin: dict[str, Any], config: str
) -> tuple:
    """Return the raw rows of a config of a data set with a pool, and their features."""
    if path := published_file(args, spec, pin, config):
        return published.read(path, spec["rows"]), {}
    data = without_pictures(load(args, spec | {"config": config}, pin, spec["split"]))
    return data.with_format("arrow")[:], data.features


def published_file(
    args: argparse.Namespace, spec: dict[str, Any], pin: dict[str, Any], config: str | None
) -> Path | None:
    """Return the file of the data's makers that holds a config, if the folder has those."""
    if sources.from_hub(args.source, spec["hub"]):
        return None
    name = published.file(spec, config, pin.get("files", {}))
    return sources.file(args.source, args.root, pin, spec["hub"], name) if name else None


def load(args: argparse.Namespace, spec: dict[str, Any], pin: dict[str, Any], split: str) -> Any:
    """Return the rows of a split, or of a part of it; of a folder's without its pictures."""
    where, config = (args.source, args.root, pin, spec["hub"]), spec.get("config")
    how: dict[str, Any] = {}
    if not sources.from_hub(args.source, spec["hub"]):
        folder = sources.folder(args.root, "datasets", spec["hub"])
        schema = pictures.schema_in(folder, spec["hub"], config, split)
        about_pictures = spec["format"] == "images" or "images" in spec
        if schema is None and about_pictures and pictures.streams(spec | {"split": split}):
            stream = sources.load(*where, config, split, streaming=True)
            if stream.features is not None:
                return pictures.collected(stream)
        columns = pictures.others_in(folder, spec["hub"], config, split)
        how = {} if columns is None else {"columns": columns}
    return sources.load(*where, config, split, **how)


def ids_of(args: argparse.Namespace, spec: dict[str, Any], data: Any) -> Any:
    """Return the ids of a set's pictures as a table, without the pictures."""
    schema = None
    if not sources.from_hub(args.source, spec["hub"]):
        folder = sources.folder(args.root, "datasets", spec["hub"])
        schema = pictures.schema_in(folder, spec["hub"], spec.get("config"), spec["split"])
    where = f"task {spec['task']}: {dataset_of(spec)}"
    found = columns.find(schema or data.features.arrow_schema, spec, where)
    return data.select_columns(found["id"]).with_format("arrow")[:].rename_columns(["id"])


def without_pictures(data: Any) -> Any:
    """Return rows without their pictures, which are not read."""
    held = pictures.columns_of(data.features.arrow_schema)
    return data.remove_columns(held) if held else data


def own_files(root: str, paths: list[str], pin: dict[str, Any], name: str) -> list[Path]:
    """Return files of one's own, exactly as pinned."""
    try:
        found = layout.parts(paths, root)
    except Absent as error:
        raise UserError(f"{error}, which was pinned; {sources.advice(name)}") from None
    if list(pin["files"].values()) != [sha256(path) for path in found.values()]:
        raise UserError(f"{', '.join(paths)}: changed since pinned; {sources.advice(name)}")
    return list(found.values())


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="JSON: task, format, hub, config, split, ...")
    p.add_argument("--source", required=True, help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument("--files", default="[]", help="paths of files of one's own, from the root")
    p.add_argument("--pin", required=True, help="the data set's pin file")
    p.add_argument("--images", default="", help="the prepared set that the rows' pictures are of")
    p.add_argument("--no-answer", action="store_true", help="span: a question may have none")
    p.add_argument("--out", required=True, help="the parquet file to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
