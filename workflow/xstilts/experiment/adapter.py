"""The `adapter` of a model's entry in the config."""

from collections.abc import Mapping
from typing import Any

from xstilts.running.errors import UserError, brief

ALL_LINEAR = "all-linear"  # what it is on: all linear layers


def check(where: str, entry: Mapping[str, Any]) -> None:
    """Refuse what cannot be trained as an adapter; which modules there are is known later."""
    adapter = entry.get("adapter")
    if adapter is None:
        if "adapter_start" in entry:
            raise UserError(f"{where}: adapter_start: there is no adapter; set `adapter: {{}}` too")
        return
    on = adapter["on"]
    if isinstance(on, str) and on != ALL_LINEAR:
        raise UserError(
            f"{where}: adapter: on: `{brief(on)}` is neither `{ALL_LINEAR}` nor a list; for modules"
            f" of that name say [{brief(on)}]"
        )
    if entry["sharding"] != "none":
        raise UserError(
            f"{where}: sharding: is for gradients and moments, of which an adapter has few, and its"
            " frozen weights fit on one GPU in bf16; leave `sharding` out (several `gpus` go)"
        )


def in_spec(entry: Mapping[str, Any], started: bool) -> dict[str, Any]:
    """Return what the spec of a training says of the adapter that is trained.

    Args:
        entry: of the model.
        started: whether the training starts from an adapter that has been trained before.
    """
    if entry.get("adapter") is None:
        return {}
    start = {"start": entry.get("adapter_start", "continue")} if started else {}
    return {"adapter": {**entry["adapter"], **start}}
