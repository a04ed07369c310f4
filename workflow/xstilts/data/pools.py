"""Mining pools: two sides of sentences, of which gold pairs name the translations.

A data set for mining is a folder (no hub has one; the BUCC archives hold all the parts):

- per language and split, a table in a file that `load_dataset` reads (parquet, or one JSON object
  a line), with the columns `side` (`source`: the language, `target`: English), `id` and `text`:
  every sentence of both pools, most of which have no translation;
- beside it, under the name that the task's `gold` says, the gold pairs: UTF-8 text, a line
  `source id TAB target id` each;
- `README.md` with the front matter of a hub repository, one config a language.
"""

from pathlib import Path

from xstilts.data.rows import Row
from xstilts.running.errors import UserError

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
