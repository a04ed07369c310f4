"""Pictures in a config: vision encoders, sets of pictures, tasks whose rows have pictures."""

from collections.abc import Iterable, Mapping
from typing import Any

from xstilts.data.subset import RANDOM
from xstilts.experiment import chains, reference
from xstilts.experiment.roles import exists
from xstilts.experiment.tasks import WITHOUT_PICTURES, Task
from xstilts.running.errors import UserError, nearest

OWN = "own"  # in place of a vision encoder: features that are files of one's own
TOY_PATCHES = 16  # of a picture of the toy world, by its vision encoder (`toy/scenes.py`)


def side(key: str, positions: int) -> int:
    """Return the side of the grid of so many positions.

    Raises:
        UserError: they are no square.
    """
    found = round(positions**0.5)
    if found * found != positions:
        below = int(positions**0.5)
        raise UserError(
            f"{key}: must be a square, as the states of a picture are averaged to a square grid:"
            f" {below**2} or {(below + 1) ** 2}, not {positions}"
        )
    return found


def check(settings: Mapping[str, Any]) -> list[str]:
    """Refuse vision encoders that cannot be; return notes.

    In the toy world one encoder stands for all, whose pictures have few patches: more positions are
    not to be had there.
    """
    notes = []
    for name, entry in settings["vision"].items():
        if name == OWN:
            raise UserError(
                f"vision: `{OWN}` stands for features of your own, those of a set with `files`;"
                " give the encoder another name"
            )
        side(f"vision: {name}: positions", entry["positions"])
        _check_known(f"vision: {name}", entry)
        if settings["source"] == "toy" and entry["positions"] > TOY_PATCHES:
            notes.append(
                f"vision: {name}: {TOY_PATCHES} positions in place of {entry['positions']}"
                " (source: toy)"
            )
            entry["positions"] = TOY_PATCHES
    return notes


def _check_known(key: str, entry: Mapping[str, Any]) -> None:
    """Refuse a public model that reads texts, or has fewer patches than positions."""
    known = reference.encoder(entry["from"])
    if known and known.kind != reference.VISION:
        raise UserError(f"{key}: {entry['from']} reads texts, and no pictures; it is for `models`")
    if known and entry["positions"] > known.vocabulary:
        raise UserError(
            f"{key}: positions: {entry['positions']} are more than the {known.vocabulary} patches"
            f" of {entry['from']}; say at most {int(known.vocabulary**0.5) ** 2}"
        )


def check_task(task: Task, known: Mapping[str, Task]) -> None:
    """Refuse a task whose rows have pictures of no set, or of a split that the set lacks."""
    if not task.images:
        return
    key = f"task `{task.name}`: images"
    if task.format in WITHOUT_PICTURES:
        raise UserError(f"{key}: a task of format {task.format} has no pictures; leave it out")
    sets = [name for name, each in known.items() if each.format == "images"]
    if task.images in known and task.images not in sets:
        raise UserError(
            f"{key}: `{task.images}` is of format {known[task.images].format}, not a set of"
            f" pictures{nearest(task.images, sets)} (there are {', '.join(sets) or 'none'})"
        )
    exists(key, task.images, sets, "set of pictures")
    for split in task.splits:
        if split not in known[task.images].splits:
            there = ", ".join(known[task.images].splits)
            raise UserError(f"{key}: `{task.images}` has no {split} split (it has {there})")


def check_trained(
    name: str, entry: Mapping[str, Any], settings: Mapping[str, Any], known: Mapping[str, Task]
) -> None:
    """Refuse an intermediate on pictures where no vision encoder is named, or not this one; and
    what is said of pictures where there are none."""
    seen, key = [task for task in entry["tasks"] if known[task].images], f"intermediates: {name}"
    for of in ("images", "vision"):
        if of in entry and not seen:
            raise UserError(
                f"{key}: {of}: none of its tasks ({', '.join(entry['tasks'])}) has pictures; leave"
                " it out"
            )
    if seen and entry.get("subset", {"keep": RANDOM})["keep"] != RANDOM:
        raise UserError(
            f"{key}: subset: how difficult rows are is measured without pictures, and `{seen[0]}`"
            " has some; say `keep: random`, or `rows` for a sample"
        )
    if "vision" in entry:
        exists(f"{key}: vision", entry["vision"], settings["vision"], "vision encoder")
        if entry.get("images") == "none":
            raise UserError(f"{key}: vision: with `images: none` nothing is seen; leave one out")
    by_encoder = [task for task in seen if not known[known[task].images].files]
    if "vision" in entry and not by_encoder:
        raise UserError(
            f"{key}: vision: `{entry['vision']}` sees none of its pictures: the features of"
            f" `{known[seen[0]].images}` are files of your own; leave it out"
        )
    if by_encoder and not settings["vision"] and entry.get("images") != "none":
        raise UserError(
            f"{key}: `{by_encoder[0]}` has pictures, and no vision encoder is named:"
            " say `vision: {dinov2: {from: facebook/dinov2-base, positions: 16}}`"
        )


def check_target(target: str, settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    """Refuse a target on pictures where no vision encoder is named."""
    images = known[target].images
    if images and not known[images].files and not settings["vision"]:
        raise UserError(
            f"targets: `{target}` has pictures, and no vision encoder is named: say `vision:"
            " {dinov2: {from: facebook/dinov2-base, positions: 16}}`"
        )


def check_rows(
    settings: Mapping[str, Any], known: Mapping[str, Task], rows: Iterable[tuple[str, str]]
) -> None:
    """Refuse pictures in trainings of which each GPU holds a part of the model.

    Args:
        rows: model and intermediate of the cells that are asked for.
    """
    for model, intermediate in dict.fromkeys(rows):
        if settings["models"][model]["sharding"] != "fsdp":
            continue
        entries = settings["intermediates"]
        for name in chains.of(entries, intermediate):
            entry = entries[name]
            if entry.get("images") != "none" and any(known[task].images for task in entry["tasks"]):
                raise UserError(
                    f"intermediates: {name}: has pictures, which are not for a model that is cut"
                    f" over GPUs, as `{model}` is (`sharding: fsdp`); leave the two out together:"
                    f" `exclude: [{{model: {model}, intermediate: {name}}}]`"
                )
        for target in settings["targets"]:
            if known[target].images:
                raise UserError(
                    f"targets: `{target}` has pictures, which are not for a model that is cut over"
                    f" GPUs, as `{model}` is (`sharding: fsdp`)"
                )
