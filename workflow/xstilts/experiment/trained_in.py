"""In which languages an intermediate is trained."""

from collections.abc import Mapping
from typing import Any

from xstilts.experiment import generated, synthetic, translated
from xstilts.experiment.roles import has_rows
from xstilts.experiment.tasks import Task
from xstilts.running.errors import UserError


def trained_in(
    name: str, entry: Mapping[str, Any], settings: Mapping[str, Any], known: Mapping[str, Task]
) -> dict[str, tuple[str, ...]]:
    """Return task -> languages that an intermediate is trained in.

    A task of several languages is trained in those that the intermediate lists (or in `all`);
    without a list in English, and mlm in all. A task of one language is trained in that. (In the
    toy world: as far as it has them, and in the first that it has in place of others alone, data of
    one's own apart.)
    """
    if synthetic.TRANSLATED in entry:
        return translated.trained_in(entry, settings, known)
    if synthetic.GENERATED in entry:
        return generated.trained_in(entry, settings, known)
    key, asked = f"intermediates: {name}: languages", entry.get("languages")
    every = sorted({code for task in entry["tasks"] for code in known[task].languages})
    one = entry["tasks"][0]
    none = f"`{one}` has no rows" if len(entry["tasks"]) == 1 else "none of its tasks has rows"
    for code in asked if isinstance(asked, list) else ():
        has_rows(key, code, every, none)
    toy = settings["toy"]["languages"] if settings["source"] == "toy" else every
    found = {}
    for task in entry["tasks"]:
        codes = known[task].languages
        home = known[task].home
        named = codes if asked == "all" else asked
        wanted = named or (codes if known[task].format == "mlm" or home is None else [home])
        if len(codes) == 1:
            wanted = codes
        there = sorted(c for c in codes if c in toy or known[task].own)
        found[task] = tuple(c for c in there if c in wanted)
        if one := [c for c in found[task] if not known[task].is_there(c, "train")]:
            path = ", ".join(known[task].files["train"])
            raise UserError(
                f"{key}: task `{task}` has no train rows of its own in {one[0]}: {path} is in"
                f" {known[task].home}; name files of each language with {{lang}}"
            )
        if settings["source"] == "toy" and not found[task] and not known[task].own:
            found[task] = tuple(there[:1])
        if not found[task]:
            raise UserError(
                f"{key}: task `{task}` has none of {', '.join(wanted)}"
                f" (it has {', '.join(there) or 'none in the toy world'})"
            )
    return found
