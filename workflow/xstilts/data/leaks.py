"""Refuses a model that may have read, in translation, what it is scored on."""

from collections.abc import Iterable
from pathlib import Path

from xstilts.data import overlap
from xstilts.running.errors import UserError
from xstilts.running.files import read_json


def refuse(name: str, leaks: Iterable[str]) -> None:
    """Refuse rows of targets in the train rows of a task that was translated.

    Args:
        name: of what is not done then: a cell or a training.
        leaks: INTERMEDIATE=FILE: by which of a chain, and the overlap of a target with a task.

    Raises:
        UserError: more than a hundredth of the rows of a target is there.
    """
    for leak in leaks:
        intermediate, _, path = leak.partition("=")
        target, task, found = Path(path).stem, Path(path).parent.name, read_json(path)
        if found["either"] > overlap.MOST * found["rows"]:
            raise UserError(
                f"{name}: {found['either']} of the {found['rows']} English rows of {target} stand"
                f" in the train rows of {task}, which {intermediate} is trained on in translation"
                f" (tables/overlap), so it would be scored on what was read; `exclude` the cells of"
                f" {target} of it and of what follows on it, or say `leaks: allow` in"
                f" `intermediates: {intermediate}: translated`"
            )
