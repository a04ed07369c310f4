"""Write the toy mirror: data sets in the shape of hub repositories.

    python -m xstilts.steps.toy_world --spec JSON --out DIR [--repository ORG/NAME]

DIR/datasets/<org>/<name>/README.md          front matter that lists the configurations
DIR/datasets/<org>/<name>/<config>/<split>-00000-of-00001.parquet
DIR/datasets/<org>/<name>/<config>/<split>.gold.tsv      where there are gold pairs: id TAB id
DIR/datasets/<org>/<name>/<file>                         where a data set is text files
DIR/manifests/<org>/<name>.json              the spec and a digest of every file, written last

The same spec gives the same bytes, whether a repository is written alone or all are. A repository
is always whole, since its pin is a hash of all its files.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.running import files
from xstilts.toy import catalogue, schema, spec
from xstilts.toy.catalogue import Table

ABOUT = """
# {name}: toy world

Made by `python -m xstilts.steps.toy_world`: the fields and label sets of {name}, about a small
made-up world. It says nothing about real language.
"""


def readme(name: str, splits: dict[str, list[str]]) -> str:
    """The data card of a repository, with the front matter that `load_dataset` reads."""
    lines = ["---", "configs:"]
    for config, names in splits.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split in names:
            lines += [f"  - split: {split}", f"    path: {config}/{split}-00000-of-00001.parquet"]
    return "\n".join([*lines, "---"]) + ABOUT.format(name=name)


def write_table(table: Table, out: Path) -> list[Path]:
    """Write one split, and return the paths of its files below `out`."""
    texts = [(Path("datasets", table.repository, name), text) for name, text in table.files]
    for path, text in texts:
        with files.atomic(out / path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if not table.features:
        return [path for path, _ in texts]
    folder = Path("datasets", table.repository, table.config)
    paths = [folder / f"{table.split}-00000-of-00001.parquet"]
    with files.atomic(out / paths[0]) as temporary:
        rows = pa.Table.from_pylist(table.rows, schema.schema(table.features))
        pq.write_table(rows, temporary)
    if table.gold:
        paths.append(folder / f"{table.split}.gold.tsv")
        with files.atomic(out / paths[1]) as temporary:
            lines = [f"{source}\t{target}\n" for source, target in table.gold]
            temporary.write_text("".join(lines), encoding="utf-8")
    return paths


def write_repository(name: str, tables: list[Table], record: Any, out: Path) -> None:
    """Write one repository; files of an earlier one that are not part of it go."""
    manifest = out / "manifests" / f"{name}.json"
    old = set(files.read_json(manifest)["files"]) if manifest.exists() else set()
    manifest.unlink(missing_ok=True)
    written: list[Path] = []
    splits: dict[str, list[str]] = defaultdict(list)
    for table in tables:
        written += write_table(table, out)
        if table.features:
            splits[table.config].append(table.split)
    if splits:
        written.append(Path("datasets", name, "README.md"))
        with files.atomic(out / written[-1]) as temporary:
            temporary.write_text(readme(name, splits), encoding="utf-8")
    names = sorted(path.as_posix() for path in written)
    for gone in old.difference(names):
        (out / gone).unlink(missing_ok=True)
    digests = {path: files.sha256(out / path) for path in names}
    files.write_json(manifest, {"spec": record, "files": digests})
    print(f"{name}: {len(digests)} files in {out}")


def write(wanted: spec.Spec, out: Path, repository: str | None = None, record: Any = None) -> None:
    """Write one repository of the mirror, or all.

    One that the toy world lacks gets a manifest of no files: who loads it says so.
    """
    found: dict[str, list[Table]] = {repository: []} if repository else {}
    for table in catalogue.tables(wanted, repository):
        found.setdefault(table.repository, []).append(table)
    for name, tables in found.items():
        write_repository(name, tables, record or wanted.as_dict(), out)
