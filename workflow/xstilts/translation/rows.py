"""The texts of a row, and the row with others in their place, by format.

A page of a format has two functions: `texts(row)`, what is to be translated, and
`rebuilt(row, translated, align)`, the row with the translations in the place of its texts, or why
there is none. Labels stay; spans and tags are projected on pages of their own (`span_rows`,
`tag_rows`).
"""

import importlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from xstilts.running.errors import UserError
from xstilts.translation.links import Alignment

Row = dict[str, Any]
# Words of a source and of its translation -> how they belong together; projects tags, and spans
# where marks are lost.
Align = Callable[[Sequence[str], Sequence[str]], Alignment]

PAGES = {
    "classification": "labelled_rows",
    "regression": "labelled_rows",
    "dual": "labelled_rows",
    "mlm": "labelled_rows",
    "choice": "choice_rows",
    "span": "span_rows",
    "tagging": "tag_rows",
}
EMPTY = "empty translation"


def page(format: str) -> ModuleType:
    """Return the page of a format.

    Raises:
        UserError: rows of this format are not translated.
    """
    if format not in PAGES:
        raise UserError(
            f"rows of format {format} are not translated (there are {', '.join(PAGES)})"
        )
    return importlib.import_module(f"xstilts.translation.{PAGES[format]}")
