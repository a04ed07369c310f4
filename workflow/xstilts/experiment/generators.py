"""Generators (`generators`): decoders that write train rows, and how they do."""

from collections.abc import Mapping
from typing import Any

from xstilts.data import source as sources
from xstilts.experiment import backbones
from xstilts.experiment.architecture import DECODER
from xstilts.experiment.roles import exists
from xstilts.running.errors import UserError

TOY, TRANSFORMERS, VLLM = "toy", "transformers", "vllm"
FOLDER = "results/generators"
# Keys of how it writes -> what they are by default.
DRAWN = {"temperature": 1.0, "top_p": 0.95, "max_tokens": 512}
SHOTS, TRIES, SEED = 3, 2.0, 1
Entry = Mapping[str, Any]


def engine(entry: Entry, settings: Mapping[str, Any]) -> str:
    """Return the engine of a generator; with `source: toy` the grammar stands for any."""
    return TOY if settings["source"] == TOY else entry.get("engine", TRANSFORMERS)


def checkpoint(entry: Entry, settings: Mapping[str, Any]) -> Entry:
    """Return `from`, `revision` and `base` of a generator's decoder: its own, or those of the model
    that it names."""
    named = settings["models"][entry["model"]] if "model" in entry else entry
    base = named.get("base", "")
    return {"from": named["from"], "revision": named.get("revision", "main"), "base": base}


def folder(entry: Entry, settings: Mapping[str, Any]) -> str:
    """Return the folder of a decoder of one's own, absolute; "" for any other."""
    of = checkpoint(entry, settings)
    return str(sources.absolute(of["from"], of["base"])) if sources.is_path(of["from"]) else ""


def check(name: str, entry: Entry, settings: Mapping[str, Any]) -> None:
    """Refuse a generator that names no decoder, or a name that a translator has.

    Raises:
        UserError: the generator and key.
    """
    key = f"generators: {name}"
    if name in settings["translators"]:
        raise UserError(f"{key}: a translator is called so, too; give one of them another name")
    if "mistakes" in entry and settings["source"] != TOY:
        raise UserError(f"{key}: mistakes: are of the toy world (source: toy)")
    if entry.get("engine") == TOY:
        if settings["source"] != TOY:
            raise UserError(f"{key}: engine: toy knows the toy world alone (source: toy)")
        return
    if "model" in entry:
        exists(f"{key}: model", entry["model"], settings["models"], "model")
    if twice := [other for other in ("from", "revision") if "model" in entry and other in entry]:
        raise UserError(f"{key}: {twice[0]}: is that of its `model`; leave one of them out")
    if "model" not in entry and "from" not in entry:
        raise UserError(
            f"{key}: from: is missing: a hub id or a folder of a decoder that is tuned to follow"
            " instructions (or `model`, the name of one in `models`)"
        )
    told = backbones.kind(checkpoint(entry, settings), settings)
    if told not in (None, DECODER):
        raise UserError(
            f"{key}: {checkpoint(entry, settings)['from']} is of the kind {told}, and only a"
            " decoder writes; name one that is tuned to follow instructions"
        )
