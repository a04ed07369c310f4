"""What is refused of any intermediate whose rows are made, by a translator or by a generator."""

from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment import filters
from xstilts.experiment.roles import exists
from xstilts.experiment.synthetic import GENERATED, TRANSLATED
from xstilts.running.errors import UserError

# Key of an intermediate -> the section that `by` is a name of, and what is called so.
MAKERS = {TRANSLATED: ("translators", "translator"), GENERATED: ("generators", "generator")}


def check(
    key: str,
    made: str,
    entry: Mapping[str, Any],
    settings: Mapping[str, Any],
    without: Sequence[str],
) -> None:
    """Refuse a maker or filter that there is not, or other keys that say what is trained on.

    Args:
        key: what a message begins with.
        made: one of `MAKERS`.
        entry: of the intermediate.
        without: keys that it must not have beside.

    Raises:
        UserError: the key.
    """
    given, (section, noun) = entry[made], MAKERS[made]
    if twice := [other for other in without if other in entry]:
        raise UserError(f"{key}: says which rows it is trained on, so leave `{twice[0]}` out")
    for other, (elsewhere, called) in MAKERS.items():
        if given["by"] in settings[elsewhere] and given["by"] not in settings[section]:
            raise UserError(f"{key}: by: `{given['by']}` is a {called}: say `{other}`")
    exists(f"{key}: by", given["by"], settings[section], noun)
    exists(f"{key}: filter", given.get("filter", filters.NONE), filters.names(settings), "filter")
