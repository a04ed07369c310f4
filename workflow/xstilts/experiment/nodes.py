"""A node of the graph: one job, the files of it, and what it needs. Pure."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from xstilts.running import lock

RULES = (
    "toy_world", "toy_model", "toy_backbone", "toy_vision", "pin_data", "pin_model", "pin_vision",
    "pin_translator", "pin_generator", "prepare", "model", "vision", "features", "translator",
    "translate", "lexicon", "generator", "generate", "similarity", "consistency", "round_trip",
    "filter", "control", "encode", "manifest", "difficulty", "pvi", "bag_of_words", "subset",
    "trial_intermediate", "trial_tune", "choose", "intermediate", "tune", "evaluate", "align",
    "overlap",
)  # fmt: skip
TRIALS = ("trial_intermediate", "trial_tune")  # the rules of searches (`search.py`)
BY_LANGUAGE = ("evaluate", "align")  # whose outputs are a file a language, with a spec each
BY_FILE = (*BY_LANGUAGE, "overlap")  # and those whose are a file a target
RECORDED = ("difficulty", "pvi")  # of trainings that are recorded, of which no weights stay
TRAININGS = ("intermediate", "tune", *TRIALS, *RECORDED)
TRANSLATING = ("translate", "lexicon", "round_trip")  # whose speed is characters a second
IN_BLOCKS = (*TRANSLATING, "generate")  # whose blocks are kept
MAKERS = (  # of synthetic rows, and of what is known of them
    "pin_translator", "translator", "translate", "lexicon", "pin_generator", "generator",
    "generate", "similarity", "consistency", "round_trip", "filter", "control",
)  # fmt: skip
# The rules whose nodes are pins.
PINS = ("pin_data", "pin_model", "pin_vision", "pin_translator", "pin_generator")
CHECKPOINT = ("model.safetensors", "config.json", "tokenizer.json", "node.json")
ADAPTER = ("adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "node.json")
VISION = ("model.safetensors", "config.json", "preprocessor_config.json", "node.json")
HEAD = "head.safetensors"  # beside a trained one
Files = Mapping[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class Node:
    """One job.

    Attributes:
        rule: one of `RULES`; `evaluate` stands for the rules of all targets, and for `test_*`.
        name: what its wildcards are, as a path: `xlmr/mnli/seed1`.
        key: what identifies it: the path of its record, the last file that it writes.
        spec: what its record must say.
        outputs: path -> digest of the spec that the file must be made by; None where it does not
            tell its spec. Of `BY_FILE` a file a language or target.
        inputs: the files that it reads, by the names that its rule gives them.
        needs: keys of the nodes that make them.
        pins: `datasets/<name>` and `models/<name>` of all that it follows from.
        log: path of the log.
        folder, files: of a pin of one's own: where it is, absolute, and the paths in it as they are
            written (none where it is all of the folder).
    """

    rule: str
    name: str
    key: str
    spec: Mapping[str, Any]
    outputs: Mapping[str, str | None]
    inputs: Files
    needs: tuple[str, ...]
    pins: frozenset[str]
    log: str
    folder: str = ""
    files: tuple[str, ...] = ()

    @property
    def pin(self) -> str:
        """The pin that it reads; "" if it reads none."""
        return next(iter(self.inputs.get("pin", ())), "")

    @property
    def state(self) -> str | None:
        """The folder whose lock its job holds; None for a rule without."""
        if self.rule in IN_BLOCKS:
            return str(lock.folder_of(os.path.splitext(self.key)[0]))
        holds = self.rule in (*TRAININGS, *BY_LANGUAGE, "features")
        return str(lock.folder_of(self.out)) if holds else None

    @property
    def out(self) -> str:
        """The folder that it makes; of a recorded training and of features, of which several are in
        one, how its files are named."""
        several = self.rule in (*RECORDED, "features")
        return os.path.splitext(self.key)[0] if several else os.path.dirname(self.key)


def features_of(record: str) -> str:
    """Return the path of the features that a record is beside."""
    return f"{os.path.splitext(record)[0]}.safetensors"


def checkpoint_files(folder: str, adapter: bool = False) -> tuple[str, ...]:
    """Return what is read of a checkpoint, weights first. All of it, because Snakemake deletes at
    once what is temporary and no job asks for.

    Args:
        folder: of the checkpoint.
        adapter: whether it is one, if it is trained.
    """
    if folder.startswith("results/models/"):
        return tuple(f"{folder}/{name}" for name in CHECKPOINT)
    names = ADAPTER if adapter else CHECKPOINT
    return tuple(f"{folder}/{name}" for name in (*names, HEAD))


def ancestors(nodes: Mapping[str, Node], key: str) -> list[str]:
    """Return the keys of a node and of all that it needs, what is needed first."""
    order: dict[str, None] = {}

    def visit(one: str) -> None:
        if one not in order:
            for need in nodes[one].needs:
                visit(need)
            order[one] = None

    visit(key)
    return list(order)
