"""Alignment sets (`alignment`): parallel sentences on which the encoder of each row is measured."""

import dataclasses

FOLDER = "results/alignment"
RECORD = "set.json"  # of a row and set: that all its languages are there


@dataclasses.dataclass(frozen=True)
class AlignmentSet:
    """Parallel sentences: those of the rows of a task that are the same in its languages.

    Rows are the same by their ids, or (retrieval) as pairs of one file.

    Attributes:
        name: of the set.
        task, split, column: whose rows, and where in them the sentences are.
        languages: that are measured against the pivot, sorted.
        pivot: the other side.
        rows: how many sentences are used at most.
        layers: that are measured, 0 being the embeddings; () for all.
        measures: of each layer, in the order of `metrics.alignment.BETTER`.
        paired: whether both sides are in the file of the language.
    """

    name: str
    task: str
    split: str
    column: str
    languages: tuple[str, ...]
    pivot: str
    rows: int
    layers: tuple[int, ...]
    measures: tuple[str, ...]
    paired: bool


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the grid: an encoder, which all its targets start from. Its seed is `noseed` where
    it is the model itself."""

    model: str
    intermediate: str
    seed: str

    def folder(self, of: str) -> str:
        """Return the folder of what is measured of it on a set."""
        return f"{FOLDER}/{self.model}/{self.intermediate}/{self.seed}/{of}"
