"""A user's mistake, said in one line; several, a line each."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator


class UserError(Exception):
    """Something the user can mend: which key, cell or file, what is wrong, what would be right."""

    kind = "bad-input"  # one of `failure.CODES`


class Absent(UserError):
    """A data set has nothing of a language or split, which is so for that language alone."""


class NotCached(UserError):
    """What is of the hub is not on this machine, and the hub is not to be asked."""


class NotFinite(UserError):
    """A loss or weights are no longer finite."""

    kind = "nan"


class DoesNotFit(UserError):
    """The GPU's memory is too small for one example."""

    kind = "oom"


class Broken(UserError):
    """A GPU, or its driver."""

    kind = "device"


class Problems:
    """Mistakes that are found one after another, to be said together."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note a user's mistake instead of ending at it."""
        try:
            yield
        except UserError as error:
            self.lines += str(error).split("\n")

    def end(self) -> None:
        """End with what was noted.

        Raises:
            UserError: a line for each mistake, each once.
        """
        if self.lines:
            raise UserError("\n".join(dict.fromkeys(self.lines)))


LABELS_SHOWN = 200  # characters of a list of labels, of which there may be thousands


def nearest(name: object, valid: Iterable[str]) -> str:
    """Return "; did you mean `x`?" for the valid name nearest to `name`, or "" if none is near."""
    close = difflib.get_close_matches(str(name), [str(v) for v in valid], n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""


def brief(value: object, most: int = 60) -> str:
    """Return a value of a user's data as a message quotes it: in one line, not longer than that."""
    text = " ".join(str(value).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
