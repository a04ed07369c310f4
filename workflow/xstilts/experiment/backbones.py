"""What is known of the models of a config before one is fetched, and what it cannot be used for.

Of a folder it is its config.json, of a public model what `reference/encoders.csv` says. Of others
nothing is known here; the rule `model` refuses then what an architecture cannot do.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xstilts.data import source as sources
from xstilts.experiment import chains, reference
from xstilts.experiment.architecture import (
    DECODER,
    ENCODER,
    LAYERS,
    OWN,
    Architecture,
    check_attention,
    told_kind,
)
from xstilts.experiment.tasks import MASKED
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

if TYPE_CHECKING:
    from xstilts.experiment.experiment import Experiment


def config(entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is known of the config of a model's entry, by the keys of a config.json."""
    name, source = entry["from"], settings.get("source", "")
    folder = None
    if sources.is_path(name):
        folder = sources.absolute(name, entry.get("base", ""))
    elif source not in ("hub", "toy"):
        folder = Path(source).expanduser() / "models" / name
    if folder is not None:
        return _of_folder(folder)
    if known := reference.encoder(name):
        told = {"model_type": known.architecture, OWN: {"kind": known.kind}}
        return told | {LAYERS[0]: known.layers}
    return {}


def _of_folder(folder: Path) -> Mapping[str, Any]:
    try:
        found = read_json(folder / "config.json")
    except (UserError, OSError, ValueError):
        return {}  # the run will say what is wrong with it
    return found if isinstance(found, Mapping) else {}


def kind(entry: Mapping[str, Any], settings: Mapping[str, Any]) -> str | None:
    """Return the kind of a model's architecture; None if it is not known."""
    return told_kind(config(entry, settings))


def check(name: str, entry: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse what the architecture of a model cannot have, as far as it is known.

    Raises:
        UserError: a vision encoder; `attention` of what is no decoder, or of one that cannot be
            bidirectional; a `retrieval_layer` above its layers.
    """
    found = config(entry, settings)
    if (told := told_kind(found)) == reference.VISION:
        raise UserError(f"models: {name}: {entry['from']} reads no text; name it in `vision`")
    if told:
        check_attention(f"models: {name}", entry["attention"], told, str(found.get("model_type")))
    if (asked := entry["retrieval_layer"]) is not None:
        check_layer(f"models: {name}: retrieval_layer", asked, name, settings)


def check_layer(key: str, layer: int, model: str, settings: Mapping[str, Any]) -> None:
    """Refuse a layer that a model has not, as far as it is known.

    Raises:
        UserError: the key.
    """
    entry = settings["models"][model]
    if layer < 1:
        raise UserError(f"{key}: {layer} is below 1, the first layer")
    layers = Architecture.of(config(entry, settings)).layers
    if layers and layer > layers:
        raise UserError(f"{key}: {layer} is above the {layers} layers of {entry['from']}")


def check_masked(experiment: "Experiment", pairs: Iterable[tuple[str, str]]) -> None:
    """Refuse masked language modelling of what was not made for it, as far as it is known.

    Args:
        pairs: model and intermediate of the cells that are asked for.

    Raises:
        UserError: the first that there is, and how to leave it out.
    """
    settings = experiment.settings
    entries = settings["intermediates"]
    for model, intermediate in dict.fromkeys(pairs):
        links = chains.of(entries, intermediate)
        tasks = [t for n in links for t in entries[n]["tasks"]]
        if all(experiment.tasks[task].format not in MASKED for task in tasks):
            continue
        if (told := kind(settings["models"][model], settings)) not in (None, ENCODER):
            why = "sees no token after it" if told == DECODER else "has no mask token"
            raise UserError(
                f"intermediates: {intermediate}: masked language modelling is for encoders, and"
                f" model `{model}` is of the kind {told}, which {why}; leave the two out together:"
                f" `exclude: [{{model: {model}, intermediate: {intermediate}}}]`"
            )
