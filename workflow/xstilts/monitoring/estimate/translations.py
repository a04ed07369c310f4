"""The seconds of translations, and of rows that are generated: characters over characters a second,
of an engine."""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import IN_BLOCKS, Node
from xstilts.experiment.synthetic_specs import WORDS
from xstilts.monitoring.estimate.data_sizes import BYTES, DataSizes
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

# Characters a second where nothing has been measured. Of the toy world's grammars and of Apertium
# (eng-spa, one core) as seen here; of the others guesses: a distilled NLLB on a GPU, a decoder of 8
# billion parameters in batches of 128.
SPEEDS = {
    "toy": 20_000.0, "command": 40_000.0, "ctranslate2": 10_000.0, "transformers": 8_000.0,
    "vllm": 30_000.0,
}  # fmt: skip
ANSWERS = 1.2  # answers of a decoder a row, since not all of them are rows
WORD = 7  # characters of a word, in a lexicon
UNBOUND = 10**6  # tokens of a row: none is cut
BASIS = "engine"  # of a forecast by `SPEEDS`


@dataclasses.dataclass(frozen=True)
class Letters:
    """The workload of a translation: its characters, the engine, and by whom and into what."""

    characters: float
    engine: str
    by: str
    lang: str


class Translations:
    """Forecasts translations of a grid from those that are finished."""

    def __init__(self, grid: Grid, nodes: Mapping[str, Node], root: Path) -> None:
        """Look at what is there of rows.

        Args:
            grid, nodes: of the experiment.
            root: the folder that holds `results`.
        """
        self.root, sizes = root, DataSizes(root, grid)
        self.of_nodes = {
            key: _letters(node, grid, sizes)
            for key, node in nodes.items()
            if node.rule in IN_BLOCKS
        }
        self.assumed = list(sizes.assumed.values())
        self.rates: dict[tuple[str, ...], list[float]] = {}
        self.read: dict[str, list[float]] = {}  # task, shards -> characters of finished ones
        self.nodes = nodes

    def finished(self, key: str) -> float | None:
        """Take a finished translation into account; return its seconds, None if it has none."""
        of = self.of_nodes[key]
        try:
            record = read_json(self.root / key)
            characters, seconds = float(record["characters"]), float(record["seconds"])
        except (UserError, KeyError, TypeError, ValueError):
            return None
        if record.get("resumed"):  # its seconds are those of a part
            return seconds
        for name in _names(of):
            self.rates.setdefault(name, []).append(characters / max(seconds, 1e-3))
        self.read.setdefault(_place(self.nodes[key]), []).append(characters)
        return seconds

    def seconds(self, key: str) -> tuple[float, str]:
        """Return the seconds of a translation, and their basis."""
        of = self.of_nodes[key]
        known = self.read.get(_place(self.nodes[key]))
        characters = statistics.median(known) if known else of.characters
        for name, basis in zip(_names(of), ("job", "model", "device"), strict=True):
            if name in self.rates:
                return characters / statistics.median(self.rates[name]), basis
        return characters / SPEEDS[of.engine], BASIS

    def keys(self, keys: Iterable[str]) -> list[str]:
        """Return those of some nodes that are translations."""
        return [key for key in keys if key in self.of_nodes]


def _letters(node: Node, grid: Grid, sizes: DataSizes) -> Letters:
    spec = node.spec
    if spec["kind"] == "generated":
        size = sizes.expected(spec["task"], grid.home(spec["task"]), "train", UNBOUND)
        characters = ANSWERS * spec["rows"] * size.tokens * BYTES / max(1, size.rows)
        return Letters(characters, spec["engine"], node.name.split("/")[0], spec["lang"])
    by, lang = spec["translator"], spec["lang"]
    size = sizes.expected(spec["task"], grid.home(spec["task"]), "train", UNBOUND)
    characters = size.tokens * BYTES / max(1, spec.get("shard", [0, 1])[1])
    if node.rule == "lexicon":
        characters = float(min(WORDS * WORD, characters))
    characters /= len(spec.get("dealt", [lang]))
    name = node.name.removeprefix("back/").split("/")[0]
    by_name = grid.experiment.variants[name].by if node.name.startswith("back/") else name
    return Letters(characters, by["engine"], by_name, lang)


def _names(of: Letters) -> tuple[tuple[str, ...], ...]:
    """By what speeds are told apart, the finest first."""
    return (of.engine, of.by, of.lang), (of.engine, of.by), (of.engine,)


def _place(node: Node) -> str:
    spec = node.spec
    if spec["kind"] == "generated":
        return f"{node.rule} {spec['task']} {spec['rows']}"
    back = node.name.startswith("back/")
    return f"{node.rule} {spec['task']} {spec.get('shard', [0, 1])[1]} {back}"
