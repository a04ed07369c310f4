"""A user's mistake, said in one line."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend: which key, cell or file, what is wrong, what would be right."""

    kind = "bad-input"  # one of `failure.CODES`


class NotFinite(UserError):
    """A loss or weights are no longer finite."""

    kind = "nan"


class DoesNotFit(UserError):
    """The GPU's memory is too small for one example."""

    kind = "oom"


class Broken(UserError):
    """A GPU, or its driver."""

    kind = "device"


def nearest(name: object, valid: Iterable[str]) -> str:
    """Return "; did you mean `x`?" for the valid name nearest to `name`, or "" if none is near."""
    close = difflib.get_close_matches(str(name), [str(v) for v in valid], n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
