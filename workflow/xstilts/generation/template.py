"""A prompt's template: a text file with fields in braces, and what it calls things.

    ---
    fields: {text: premise, text_pair: hypothesis}
    labels: {entailment: must be true if the premise is}
    ---
    Write an example in {language} whose label is {label}: the hypothesis {meaning}.
    {examples}

The part between the lines of dashes, YAML, may be left out. A word in braces that is no field is
refused; braces with anything else in them, as in JSON, stay.
"""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from xstilts.generation.shapes import FIELDS
from xstilts.running.errors import UserError, brief, nearest

# Field -> what is put in its place.
PLACES = {
    "language": "the language's English name",
    "code": "its code",
    "label": "the label that is asked for",
    "meaning": "what the template says of the label, or the label",
    "examples": "the rows that are shown, a JSON object a line",
    "fields": "the keys of the JSON object that is asked for",
    "choices": "how many wrong choices are asked for",
}
HEAD = {"fields": "{text: premise}", "labels": "{LABEL: what it means}"}
_PLACE = re.compile(r"\{([A-Za-z_]+)\}")
_HEAD = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*\n", re.S | re.M)


@dataclasses.dataclass(frozen=True)
class Template:
    """A parsed template.

    Attributes:
        body: the text, with fields in braces.
        names: field of a row -> what it is called.
        meanings: label -> what is said of it.
    """

    body: str
    names: Mapping[str, str]
    meanings: Mapping[str, str]

    def prompt(
        self,
        language: str,
        code: str,
        label: Any,
        names: Mapping[str, str],
        choices: int,
        examples: Sequence[Mapping[str, Any]],
    ) -> str:
        """Return the prompt that asks for one row.

        Args:
            language, code: what it is to be in.
            label: what is asked for; None of a format without.
            names: field -> key of what is asked for, in order.
            choices: of each row, of a choice.
            examples: rows as they are shown.
        """
        asked = "" if label is None else str(label)
        put = {
            "language": language,
            "code": code,
            "label": asked,
            "meaning": self.meanings.get(asked, asked),
            "examples": "\n".join(json.dumps(one, ensure_ascii=False) for one in examples),
            "fields": ", ".join(f'"{called}"' for called in names.values()),
            "choices": str(max(0, choices - 1)),
        }
        return _PLACE.sub(lambda found: put[found[1]], self.body).strip()


def parse(text: str, where: str, format: str, labels: Sequence[str], shots: int) -> Template:
    """Return a template, checked.

    Args:
        text: of the file.
        where: what a message begins with: `generated: prompt: FILE`.
        format: of the task.
        labels: of the task, as far as it names them.
        shots: how many examples each prompt shows.

    Raises:
        UserError: a field that there is not, or one that is missing without which all prompts are
            the same; a head that is no YAML, or names what there is not.
    """
    head, body = _split(text.replace("\r\n", "\n"), where)
    for name in _PLACE.findall(body):
        if name not in PLACES:
            raise UserError(
                f"{where}: there is no field {{{name}}}{nearest(name, PLACES)}"
                f" (valid: {', '.join(PLACES)})"
            )
    there = set(_PLACE.findall(body))
    if not there & {"language", "code"}:
        raise UserError(f"{where}: does not say {{language}}, so no language would be asked for")
    if format == "classification" and not there & {"label", "meaning"}:
        raise UserError(f"{where}: does not say {{label}}, of which one is asked for at a time")
    if shots and "examples" not in there:
        raise UserError(
            f"{where}: does not say {{examples}}, where the {shots} of each prompt are shown; put"
            " it in, or say `shots: 0`"
        )
    names = _checked(head.get("fields"), f"{where}: fields", FIELDS[format])
    meanings = _checked(head.get("labels"), f"{where}: labels", labels or None)
    called = [names.get(field, field) for field in FIELDS[format]]
    if twice := [name for name in called if called.count(name) > 1]:
        raise UserError(f"{where}: fields: two are called `{twice[0]}`")
    return Template(body, names, meanings)


def _split(text: str, where: str) -> tuple[dict[str, Any], str]:
    found = _HEAD.match(text)
    if not found and text.startswith("---"):
        raise UserError(f"{where}: begins with ---, and no second line of three dashes follows")
    if not found:
        return {}, text
    try:
        head = yaml.safe_load(found[1]) or {}
    except yaml.YAMLError as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{where}: what is above the second --- is no YAML ({line})") from None
    if not isinstance(head, dict):
        raise UserError(f"{where}: what is above the second --- must be `fields` and `labels`")
    for key in head:
        if key not in HEAD:
            raise UserError(
                f"{where}: there is no key `{brief(key)}`{nearest(key, HEAD)}"
                f" (valid: {', '.join(HEAD)})"
            )
    return head, text[found.end() :]


def _checked(given: Any, where: str, valid: Sequence[str] | None) -> dict[str, str]:
    """Return a mapping of text to text, the keys of which are valid (None: any)."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise UserError(f"{where}: must be a mapping, not `{brief(given)}`")
    for key, value in given.items():
        if valid is not None and str(key) not in valid:
            raise UserError(
                f"{where}: there is no `{brief(key)}`{nearest(key, valid)}"
                f" (valid: {', '.join(valid)})"
            )
        if not isinstance(value, str) or not value.strip():
            raise UserError(f"{where}: {key}: must be text, not `{brief(value)}`")
    return {str(key): value.strip() for key, value in given.items()}
