"""Traits of one's own, as a config has them: text, numbers, true or false, or lists of such."""

import math
from collections.abc import Mapping
from typing import Any

from xstilts.experiment import reference
from xstilts.experiment.languages import suggested
from xstilts.experiment.questions import MEASURED
from xstilts.experiment.selectors import NAME, NOT, one_line, quoted
from xstilts.experiment.tasks import Task
from xstilts.experiment.traits import SEEN
from xstilts.running.errors import UserError, brief

RESERVED = (NAME, NOT, SEEN, *(trait for _, trait in MEASURED))
NUMBERS = (
    "parameters", "layers", "rows", "steps", "n_tasks", "n_languages", "resources", "distance",
)  # fmt: skip


def check(key: str, given: Mapping[Any, Any]) -> None:
    """Refuse traits of one's own that could not be asked by.

    Raises:
        UserError: the trait, what is wrong with it.
    """
    for trait, value in given.items():
        if not isinstance(trait, str) or not trait.strip():
            raise UserError(f"{key}: `{brief(trait)}` is no name of a trait: {quoted(trait)}")
        if not one_line(trait):
            raise UserError(
                f"{key}: {trait!r} is no name of a trait: it has to be one line of text"
            )
        if trait in RESERVED:
            raise UserError(f"{key}: `{trait}` has a meaning of its own; give it another name")
        members = value if isinstance(value, list | tuple) else [value]
        if not members:
            raise UserError(f"{key}: {trait}: the list is empty; leave the trait out")
        for member in members:
            scalar = isinstance(member, str | int | float) and member != ""
            if not scalar or not one_line(str(member)):
                raise UserError(
                    f"{key}: {trait}: must be a line of text, a number, true or false, or a list of"
                    f" such, not {'nothing' if member is None else repr(member)}"
                )
            if isinstance(member, float) and not math.isfinite(member):
                raise UserError(f"{key}: {trait}: must be a finite number, not {member}")
        if trait in NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UserError(f"{key}: {trait}: must be a number, not {brief(value)!r}")


def check_languages(given: Mapping[Any, Any], tasks: Mapping[str, Task]) -> None:
    """Refuse traits of what is no language of any task, and is not known as a language.

    Raises:
        UserError: with the nearest that is one.
    """
    valid = {row["language"] for row in reference.table("languages")}
    valid |= {lang for task in tasks.values() for lang in task.every_language}
    for lang in given:
        if lang not in valid:
            if not isinstance(lang, str):
                raise UserError(f"language_traits: `{lang}` is no language code: {quoted(lang)}")
            raise UserError(
                f"language_traits: there is no language `{brief(lang)}`{suggested(lang, valid)}"
            )
