"""Translators (`translators`): engines by name, the codes that they have for languages, and what
their translations follow from."""

from collections.abc import Collection, Mapping
from typing import Any

from xstilts.experiment import backbones, commands, reference
from xstilts.experiment.entries import check_code
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


def codes(entry: Entry) -> dict[str, str]:
    """Return our code of a language -> the translator's, of all that it can be asked for."""
    own = dict(entry.get("codes", {}))
    if entry["engine"] == TOY:
        return {code: code for code in lexicon.LANGUAGES}
    known = {row["language"]: row["iso 639-3"] for row in reference.table("languages")}
    if entry["engine"] == COMMAND:
        listed = entry.get("languages", ())
        return {code: code for code in (*known, *listed, "en")} | own
    column = _column(entry["from"])
    table = {r["language"]: r[column] for r in reference.table("codes") if column and r[column]}
    return table | own


def _column(name: str) -> str:
    """Return the column of `codes.csv` of a checkpoint, as its name says; "" where it does not."""
    name = name.lower()
    return "nllb" if "nllb" in name else "m2m100" if "m2m" in name else ""


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
    if engine == CTRANSLATE2:
        _check_checkpoint(key, entry)
    if "mistakes" in entry and engine != TOY and settings["source"] != "toy":
        raise UserError(f"{key}: mistakes: are of the toy world (source: toy)")
    if "aligner" in entry:
        exists(f"{key}: aligner", entry["aligner"], settings["models"], "model")
        if layer := entry.get("aligner_layer"):
            backbones.check_layer(f"{key}: aligner_layer", layer, entry["aligner"], settings)
    elif "aligner_layer" in entry:
        raise UserError(f"{key}: aligner_layer: of which model? name it in `aligner`")
    if engine == TOY and settings["source"] != "toy":
        raise UserError(f"{key}: engine: toy knows the words of the toy world alone (source: toy)")


def _check_checkpoint(key: str, entry: Entry) -> None:
    if not (name := entry.get("from")):
        raise UserError(f"{key}: from: is missing: a hub id, or a folder")
    if reference.encoder(name):
        raise UserError(
            f"{key}: from: {name} does not translate; take a checkpoint of NLLB or M2M100"
        )
    if not _column(name) and "codes" not in entry:
        raise UserError(
            f"{key}: from: {name} is neither NLLB nor M2M100 by its name, and others are not"
            " supported; if it is one of them, give its `codes` of all languages, English too"
        )


def check_languages(
    key: str, name: str, entry: Entry, home: str, languages: Collection[str]
) -> None:
    """Refuse a language that a translator is not to be asked for, or has no code for.

    Args:
        home: the language that is translated from, which is in no list.

    Raises:
        UserError: the key, the language, the nearest that there is.
    """
    known, listed = codes(entry), entry.get("languages")
    for lang in (home, *languages):
        check_code(key, lang)
        if listed and lang not in (home, *listed):
            raise UserError(
                f"{key}: `{lang}` is none of the languages of `{name}`{suggested(lang, listed)}"
                f" (it has {', '.join(listed)})"
            )
        if lang not in known:
            give = f"give it in `translators: {name}: codes`"
            near = suggested(lang, known)
            hint = "" if entry["engine"] == TOY else f" (or {give})" if near else f"; {give}"
            raise UserError(f"{key}: `{name}` has no code for `{lang}`{near}{hint}")


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
    known = codes(entry)
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


def check_both_ways(key: str, name: str, entry: Entry) -> None:
    """Refuse a translator of which a round trip is asked that has but one way.

    Raises:
        UserError: the key, the translator, what to write.
    """
    if not both_ways(entry):
        raise UserError(
            f"{key}: `run` of `{name}` has to name both languages: write `{{from3}}` for the one"
            " that is translated from, `{lang3}` for the other"
        )


def both_ways(entry: Entry) -> bool:
    """Whether a translator can be asked for English, too: a command whose line says both from what
    it translates and into what."""
    if entry["engine"] != COMMAND:
        return True
    there = {found[1] for found in commands.FIELD.finditer(entry["run"])}
    return bool(there & {*commands.TARGET}) and bool(there - {*commands.TARGET})
