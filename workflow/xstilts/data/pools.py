"""Pools: sentences to mine for translations, and candidates of all languages to search among.

A data set for mining is a folder (no hub has one; the BUCC archives hold all the parts):

- per language and split, a table in a file that `load_dataset` reads (parquet, or one JSON object
  a line), with the columns `side` (`source`: the language, `target`: English), `id` and `text`:
  every sentence of both pools, most of which have no translation;
- beside it, under the name that the task's `gold` says, the gold pairs: UTF-8 text, a line
  `source id TAB target id` each;
- `README.md` with the front matter of a hub repository, one config a language.

A data set with a pool of candidates is a folder of the same shape, or in the files of its makers
(`published.py`). Its config of a language holds the questions (or mentions); the candidates are
those of all its languages (LAReQA: the sentences of their paragraphs), or in a config of their own
(Mewsli-X: `candidates`, under each split that is scored). They are read once, into one file of
unified rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from xstilts.data.rows import ROW_FUNCTIONS, Row
from xstilts.data.source import POOL
from xstilts.running.errors import Absent, UserError

Unit = tuple[int, list[Row]]  # the number of a raw row, and the unified rows that belong together
TAKEN = "gold pair of a sentence that is in another pair"


def check_columns(task: str, dataset: str, columns: list[str]) -> None:
    """Refuse a data set of gold pairs, such as `bucc18` in google/xtreme, for mining."""
    if "side" not in columns:
        raise UserError(
            f"task {task}: {dataset} has no column `side` but {', '.join(columns)}: gold pairs, not"
            " the pools. To search among gold pairs alone is far easier than mining, so its score"
            " would not be the task's; use the full pools (pools.py has their format), or a task of"
            " your own whose name says gold pairs, with `rows: tatoeba`"
        )


def read_gold(path: Path) -> list[tuple[str, str]]:
    """Return the (source id, target id) of each line; UserError naming a line that is neither."""
    pairs = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    for number, line in enumerate(lines, 1):
        if len(pair := line.split("\t")) != 2:
            raise UserError(f"{path}: line {number} is not `source id TAB target id`: {line[:60]}")
        pairs.append((pair[0], pair[1]))
    return pairs


def pair(
    task: str, units: list[Unit], gold: list[tuple[str, str]]
) -> tuple[list[Unit], dict[str, int]]:
    """Return units in which the two sentences of a gold pair belong together, in the raw order.

    So a sample keeps pairs whole. Of several pairs with one sentence the first counts; the dict has
    the number of the others. UserError if a pair is not in the pools, or nothing else is in them.
    """
    index: dict[tuple[str, str], int] = {}
    for i, (_, rows) in enumerate(units):
        index.setdefault((rows[0]["side"], str(rows[0]["id"])), i)
    partner: dict[int, int] = {}
    taken = 0
    for source, target in gold:
        try:
            i, j = index["source", source], index["target", target]
        except KeyError as error:
            side, name = error.args[0]
            raise UserError(
                f"task {task}: the gold pair {source}, {target}: no {side} has the id {name}"
            ) from None
        if i in partner or j in partner:
            taken += 1
        else:
            partner[i], partner[j] = j, i
    if len(partner) == len(units):
        raise UserError(
            f"task {task}: every sentence of the pools has its translation there: gold pairs alone,"
            " among which a search is far easier than mining; use the full pools"
        )
    paired = []
    for i, (number, rows) in enumerate(units):
        if i not in partner:
            paired.append((number, rows))
        elif rows[0]["side"] == "source":
            paired.append((number, rows + units[partner[i]][1]))
    return paired, {TAKEN: taken} if taken else {}


# ---- candidates of all languages

SENTENCES = "sentence_breaks"
LAREQA = "lareqa"  # its row function
Read = Callable[[str], tuple[pa.Table, Mapping[str, Any]]]


def read(
    spec: Mapping[str, Any], config: Read
) -> tuple[pa.Table, Mapping[str, Any], dict[str, list[str]] | None]:
    """Return the raw rows of a language, or those with the candidates of all; their features; and
    question -> right candidates, where these are of all languages.

    Args:
        spec: of one prepared file.
        config: returns the raw rows of a config and their features.

    Raises:
        Absent: the language is not there, or no candidates are. Languages without are named.
    """
    lang, pool, of_all = spec["lang"], spec["pool"], POOL not in spec["pool"]
    if not of_all and lang != POOL:
        table, features = config(spec["config"])
        return placed(table, lang), features, None
    tables: dict[str, pa.Table] = {}
    missing: dict[str, Absent] = {}
    for code, name in pool.items():
        try:
            table, features = config(name)
        except Absent as error:
            missing[code] = error
            continue
        if spec["rows"] == LAREQA:
            check_sentences(spec["task"], f"{spec['hub']} {name}", table.column_names)
        tables[code] = placed(table, code) if of_all else table
    if lang in missing or not tables:
        raise missing.get(lang) or next(iter(missing.values()))
    if missing:
        print(f"{spec['task']}: no candidates in {', '.join(missing)}, which are not there")
    if lang == POOL:
        whole = pa.concat_tables(tables.values(), promote_options="permissive")
        return whole, features, None
    return tables[lang], features, golds(tables.values(), ROW_FUNCTIONS[spec["rows"]])


def check_sentences(task: str, dataset: str, columns: list[str]) -> None:
    """Refuse XQuAD-R without its sentences, as the hub's `xquad_r` is, for LAReQA."""
    if SENTENCES not in columns:
        raise UserError(
            f"task {task}: {dataset} has no column `{SENTENCES}` but {', '.join(columns)}: LAReQA"
            " searches among sentences, whose boundaries are only in its own JSON: clone"
            f" github.com/google-research-datasets/lareqa, and set `tasks: {{{task}: {{hub:"
            " FOLDER}}` with its folder xquad-r"
        )


def placed(table: pa.Table, lang: str) -> pa.Table:
    """Return raw rows with the columns `lang` and, where contexts have sentences, `paragraph`:
    `de.12`, the language and the number of the context, so that ids of candidates have theirs."""
    columns = {"lang": [lang] * len(table)}
    if SENTENCES in table.column_names:
        texts = table.column("context").to_pylist()
        numbers = {text: n for n, text in enumerate(dict.fromkeys(texts), 1)}
        columns["paragraph"] = [f"{lang}.{numbers[text]}" for text in texts]
    for name, values in columns.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array(values, pa.string()))
    return table


def golds(
    tables: Iterable[pa.Table], function: Callable[[Row], Row | list[Row] | None]
) -> dict[str, list[str]]:
    """Return question id -> its right candidates in all languages, of placed raw rows in which the
    questions of all languages have the same ids."""
    found: dict[str, list[str]] = defaultdict(list)
    for table in tables:
        for raw in table.to_pylist():
            unified = function(raw) or []
            for row in unified if isinstance(unified, list) else [unified]:
                if row["side"] == "source":
                    found[str(row["id"])] += row["golds"]
    return dict(found)


def side(rows: list[Row], raw: Row, lang: str, of_pool: bool, seen: set[str]) -> list[Row]:
    """Return those of the unified rows of a raw row that a file holds, with their language: of the
    pool its candidates, each once; else its questions.

    Args:
        rows: of both sides.
        raw: what they were made of.
        lang: of a question's file.
        of_pool: whether the file is the pool.
        seen: ids of candidates that are there; more come to it.
    """
    kept = []
    for row in rows:
        if (row["side"] == "target") == of_pool and not (of_pool and str(row["id"]) in seen):
            if of_pool:
                seen.add(str(row["id"]))
                lang = row.get("lang") or raw.get("lang") or raw.get("description_language") or ""
            kept.append({**row, "lang": lang})
    return kept


def with_golds(rows: list[Row], right: Mapping[str, list[str]]) -> list[Row]:
    """Return questions with their right candidates in all languages."""
    return [{**row, "golds": right.get(str(row["id"]), row.get("golds"))} for row in rows]
