"""When Python looks for garbage: not while libraries are imported.

A grid is a thousand processes, and of the seven seconds that loading a model takes, two would be
spent on looking for garbage among modules, then and at the end.
"""

import gc


def wait() -> None:
    """Collect nothing until `collect_from_here`."""
    gc.disable()


def collect_from_here() -> None:
    """Say that what is there stays, and that from here on garbage is collected."""
    gc.freeze()
    gc.enable()


def collect() -> None:
    """Collect all there is, what was said to stay too: an encoder was there then, and if it is in a
    cycle, as compiled layers are, it would hold its memory until the end."""
    gc.unfreeze()
    gc.collect()
