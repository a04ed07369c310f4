"""Keeper: saves the position of a training by time and at its end, and finds it again."""

import time
from pathlib import Path

from xstilts.running import failure, ranks, stop
from xstilts.training import storage
from xstilts.training.state import Position


class Keeper:
    """Keeps the position of one node's training in its state folder."""

    def __init__(self, folder: str | Path, fingerprint: str, every: float) -> None:
        """Save into `folder`, for the training of this fingerprint, once in `every` seconds."""
        self.folder, self.fingerprint, self.every = Path(folder), fingerprint, every
        self.saved, self.at = time.monotonic(), -1

    def resume(self, position: Position) -> None:
        """Go to the position that an earlier attempt has saved, if there is one."""
        found = storage.load(self.folder, self.fingerprint) if ranks.rank() == 0 else None
        step = ranks.agreed(found and found[0]["step"])
        if step is not None:
            found = found or storage.read(self.folder, step)
            position.unpack(*found)
            self.at = position.done
            print(f"goes on after step {position.done}, saved by an earlier attempt", flush=True)

    def keep(self, position: Position) -> None:
        """Save if it is time to, or if the process is asked to end; called before every step.

        Raises:
            Stopped: the process was asked to end, and the position is saved.
        """
        late = time.monotonic() - self.saved >= self.every
        asked, due = map(int, ranks.most(stop.asked(), late))  # all ranks save at the same step
        if asked or due:
            self._save(position)
        if asked:
            raise stop.Stopped(
                f"ended by {stop.name(asked)} after step {position.done};"
                f" the next attempt goes on after step {max(self.at, 0)}",
                asked,
            )

    def _save(self, position: Position) -> None:
        if position.done != self.at:
            packed = position.packed()
            try:
                if ranks.rank() == 0:
                    storage.save(self.folder, self.fingerprint, position.done, *packed)
                self.at = position.done
            except Exception as error:  # a full disk costs the state, not the training
                if failure.kind(error) not in ("disk", "file-system"):
                    raise
                print(f"the state of step {position.done} is not saved: {error}", flush=True)
        self.saved = time.monotonic()
