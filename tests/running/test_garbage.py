"""When garbage is collected."""

import gc
import weakref

from xstilts.running import garbage


class Thing:
    """Something in a cycle, as a compiled layer is."""

    def __init__(self):
        self.itself = self


def test_what_was_there_at_the_start_is_collected_when_asked_for():
    kept = Thing()
    try:
        garbage.collect_from_here()
        gone = weakref.ref(kept)
        del kept
        gc.collect()
        assert gone() is not None, "frozen"
        garbage.collect()
        assert gone() is None
    finally:
        gc.unfreeze()
