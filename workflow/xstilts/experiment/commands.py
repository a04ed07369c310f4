"""The command line of a translator (`translators: x: run`): its fields, and its first program."""

import re
import shlex
from collections.abc import Collection

from xstilts.running.errors import UserError, nearest

TARGET = ("lang", "lang3", "code")  # the language that is translated into
FIELDS = (*TARGET, "from", "from3", "from_code")
FIELD = re.compile("{(" + "|".join(FIELDS) + ")}")
_WORD = re.compile(r"(?<!\$){([A-Za-z_]\w*)}")  # not of a variable of the shell
_SHELL = re.compile(r"\$" + FIELD.pattern)
_TWICE = re.compile("{" + FIELD.pattern + "}")
_QUOTED = re.compile(r"'[^']*'")  # where a program of awk may have one, such as {print}
_PLAIN = re.compile(r"[\w./+-]+")
_GIVEN = re.compile(r"[A-Za-z_]\w*\+?=")  # a variable that is set for the program


def program(run: str) -> str:
    """Return the name of the program that a command line begins with; "" if it begins with
    anything else, such as a bracket or a variable, of which the shell alone knows."""
    try:
        words = shlex.split(run)
    except ValueError:
        return ""
    first = next((word for word in words if not _GIVEN.match(word)), "")
    return first if _PLAIN.fullmatch(first) else ""


def check(key: str, run: str) -> None:
    """Refuse a command line with a quotation mark that is open, or a field that there is not.

    Args:
        key: of the config, for the message.
        run: the command line.

    Raises:
        UserError: the key, and what is wrong.
    """
    try:
        shlex.split(run)
    except ValueError as error:
        raise UserError(f"{key}: `{run}` cannot be read: {str(error).lower()}") from None
    for odd, why in ((_SHELL, "is a variable of the shell"), (_TWICE, "has its braces twice")):
        if found := odd.search(run):
            raise UserError(f"{key}: `{found[0]}` {why}; write `{{{found[1]}}}`")
    bare = set(_WORD.findall(_QUOTED.sub("", run)))
    for word in _WORD.findall(run):
        near = nearest(word, FIELDS)
        if word not in FIELDS and (near or word in bare):
            known = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise UserError(f"{key}: there is no field `{{{word}}}`{near} (there are {known})")


def check_languages(key: str, run: str, languages: Collection[str]) -> None:
    """Refuse a command line that translates into one language whatever it is asked for.

    Raises:
        UserError: the key, the languages, and the fields that name one.
    """
    if len(languages) > 1 and not any(f"{{{field}}}" in run for field in TARGET):
        raise UserError(
            f"{key}: names no language, so {', '.join(sorted(languages))} would be the same;"
            " write `{lang}`, `{lang3}` or `{code}` where the command has its language"
        )
