"""Translators (`translators`): engines by name, the codes that they have for languages, and what
their translations follow from."""

from collections.abc import Mapping
from typing import Any

from xstilts.experiment import commands, reference
from xstilts.experiment.languages import suggested
from xstilts.experiment.roles import exists
from xstilts.experiment.synthetic import TRANSLATED
from xstilts.experiment.tasks import Task
from xstilts.running.errors import UserError
from xstilts.toy import lexicon

TOY, COMMAND, CTRANSLATE2 = "toy", "command", "ctranslate2"
FOLDER = "results/translators"
# Keys of an entry that are of one engine alone.
OF_ENGINE = {
    "run": COMMAND, "blank_lines": COMMAND, "timeout": COMMAND, "from": CTRANSLATE2,
    "revision": CTRANSLATE2, "precision": CTRANSLATE2, "beam": CTRANSLATE2,
    "batch_tokens": CTRANSLATE2, "gpus": CTRANSLATE2, "codes": "",
}  # fmt: skip
MISTAKES = ("wrong_word", "dropped_word", "english_left", "other_order", "lost_mark")
ALIGNED = ("span", "tagging")  # formats whose labels are found again, if need be by aligned words
Entry = Mapping[str, Any]


def stood_for(settings: Mapping[str, Any], task: Task) -> bool:
    """Whether the toy world's grammars stand for a translator: of its own rows, so that any
    experiment can be rehearsed."""
    return settings["source"] == "toy" and not task.own


def codes(entry: Entry) -> dict[str, str] | None:
    """Return our code of a language -> the translator's; None of a command that takes any."""
    own = dict(entry.get("codes", {}))
    if entry["engine"] == TOY:
        return {code: code for code in lexicon.LANGUAGES}
    known = {row["language"]: row["iso 639-3"] for row in reference.table("languages")}
    if entry["engine"] == COMMAND:
        listed = entry.get("languages")
        named = {code: code for code in listed or known} | own
        return {k: v for k, v in named.items() if not listed or k in (*listed, "en")} | (
            {} if "en" in named else {"en": "en"}
        )
    name = entry["from"].lower()
    column = "nllb" if "nllb" in name else "m2m100" if "m2m" in name else ""
    table = (
        {r["language"]: r[column] for r in reference.table("codes") if r[column]} if column else {}
    )
    return table | own


def check(name: str, entry: Entry, settings: Mapping[str, Any]) -> None:
    """Refuse a translator whose keys are not those of its engine.

    Raises:
        UserError: the translator and key.
    """
    key, engine = f"translators: {name}", entry["engine"]
    for own, of in OF_ENGINE.items():
        if own in entry and of and of != engine:
            raise UserError(f"{key}: {own}: is of the engine {of}, not of {engine}")
    if engine == COMMAND and not entry.get("run", "").strip():
        raise UserError(f"{key}: run: is missing: the command that reads lines and writes lines")
    if engine == COMMAND:
        commands.check(f"{key}: run", entry["run"])
        made = [of.get(TRANSLATED, {}) for of in settings["intermediates"].values()]
        asked = {lang for of in made if of.get("by") == name for lang in of.get("languages", ())}
        commands.check_languages(f"{key}: run", entry["run"], asked - {"en"})
    if engine == CTRANSLATE2 and not entry.get("from"):
        raise UserError(f"{key}: from: is missing: a hub id, or a folder")
    if "mistakes" in entry and engine != TOY and settings["source"] != "toy":
        raise UserError(f"{key}: mistakes: are of the toy world (source: toy)")
    if "aligner" in entry:
        exists(f"{key}: aligner", entry["aligner"], settings["models"], "model")
    elif "aligner_layer" in entry:
        raise UserError(f"{key}: aligner_layer: of which model? name it in `aligner`")
    if engine == TOY and settings["source"] != "toy":
        raise UserError(f"{key}: engine: toy knows the words of the toy world alone (source: toy)")


def check_languages(key: str, name: str, entry: Entry, languages: tuple[str, ...]) -> None:
    """Refuse a language that a translator has no code for.

    Raises:
        UserError: the key, the language, the nearest that there is.
    """
    known = codes(entry)
    for lang in languages:
        if known is not None and lang not in known:
            hint = "" if entry["engine"] == TOY else f"; give it in `translators: {name}: codes`"
            near = suggested(lang, known)
            raise UserError(f"{key}: `{name}` has no code for `{lang}`{near or hint}")


def engine_spec(entry: Entry, toy: bool, source: str, target: str) -> dict[str, Any]:
    """Return what the translations of a translator follow from, its checkpoint apart.

    Args:
        entry: of the translator.
        toy: whether the toy world stands for it.
        source, target: our codes of the languages.
    """
    of: dict[str, Any] = {"engine": TOY if toy else entry["engine"], "from": source, "to": target}
    if of["engine"] == TOY:
        mistakes = {k: v for k, v in entry.get("mistakes", {}).items() if v}
        return of | {"mistakes": mistakes, "seed": entry.get("seed", 1)}
    if of["engine"] == COMMAND:
        return of | {
            "run": run(entry, source, target),
            "blank_lines": entry.get("blank_lines", True),
        }
    known = codes(entry) or {}
    return of | {
        "codes": [known[source], known[target]],
        "beam": entry.get("beam", 4),
        "precision": entry.get("precision", "int8"),
        "batch_tokens": entry.get("batch_tokens", 4096),
    }


def run(entry: Entry, source: str, target: str) -> str:
    """Return the command of a translator for two languages."""
    three = {row["language"]: row["iso 639-3"] for row in reference.table("languages")}
    known = entry.get("codes", {})
    values = {
        "lang": target, "lang3": three.get(target, target), "code": known.get(target, target),
        "from": source, "from3": three.get(source, source), "from_code": known.get(source, source),
    }  # fmt: skip
    return commands.FIELD.sub(lambda field: values[field[1]], entry["run"])


def both_ways(entry: Entry) -> bool:
    """Whether a translator can be asked for English, too: a command whose line says from what."""
    return entry["engine"] != COMMAND or any(
        f"{{{field}}}" in entry["run"] for field in ("from", "from3", "from_code")
    )
