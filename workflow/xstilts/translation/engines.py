"""What turns lines into lines: an engine, made from the spec of a translator.

The spec is that of `experiment.translators`: what its lines follow from. How fast it is made, and
on what, is told apart (`Device`).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Spec = Mapping[str, Any]


class Engine(Protocol):
    """A translator of one language into another."""

    def translate(self, lines: Sequence[str]) -> list[str]:
        """Return the translation of each line; a line is not empty and has no line break.

        Raises:
            UserError: it failed, or wrote another number of lines.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Place:
    """Where an engine runs: the folder of its converted checkpoint, if it has one, whether on a GPU
    (`gpu`, where there is one, or `cpu`), and the seconds that a block may take."""

    folder: str = ""
    device: str = "cpu"
    timeout: float = 600.0


def engine(spec: Spec, place: Place) -> Engine:
    """Return the engine of a translator, ready to translate.

    Raises:
        UserError: its command is not installed, its checkpoint cannot be read.
    """
    if spec["engine"] == "toy":
        from xstilts.translation.toy import Toy

        return Toy(spec["from"], spec["to"], spec["mistakes"], spec["seed"])
    if spec["engine"] == "command":
        from xstilts.translation.command import Command

        return Command(spec["run"], place.timeout, spec["blank_lines"])
    from xstilts.translation.ctranslate import Ctranslate

    return Ctranslate(spec, place)
