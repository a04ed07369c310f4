"""Languages: the code that is meant by a name."""

from collections.abc import Iterable
from functools import cache

from xstilts.experiment import reference
from xstilts.running.errors import nearest


def suggested(given: str, valid: Iterable[str]) -> str:
    """Return "; did you mean `de`?" for what is no code of `valid`: a name (`german`), a code of
    three letters (`deu`), or nearly a code; "" if nothing is near."""
    codes = list(valid)
    meant = [code for code in codes if str(given).lower() in _names().get(code, ())]
    if meant:
        return f"; did you mean `{meant[0]}`?"
    known = {name for names in _names().values() for name in names}
    return "" if str(given).lower() in known else nearest(given, codes)


@cache
def _names() -> dict[str, set[str]]:
    return {
        row["language"]: {row["language"], row["name"].lower(), row["iso 639-3"]}
        for row in reference.table("languages")
    }
