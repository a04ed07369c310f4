"""Saves the state of a training at intervals and when it is stopped, and resumes from it."""

import time
from pathlib import Path

from xstilts.running import failure, ranks, stop
from xstilts.training import storage
from xstilts.training.state import TrainingState


class StateSaver:
    """Saves the state of one node's training in its state folder."""

    def __init__(self, folder: str | Path, fingerprint: str, interval: float) -> None:
        """Save into `folder`, for the training of this fingerprint, once in `interval` seconds."""
        self.folder, self.fingerprint, self.interval = Path(folder), fingerprint, interval
        self.last_save, self.saved_step = time.monotonic(), -1

    def resume(self, state: TrainingState) -> None:
        """Restore the state that an earlier attempt has saved, if there is one."""
        saved = storage.load(self.folder, self.fingerprint) if ranks.rank() == 0 else None
        step = ranks.agreed(saved and saved[0]["step"])
        if step is not None:
            state.restore(*(saved or storage.read(self.folder, step)))
            self.saved_step = state.step
            print(f"goes on after step {state.step}, saved by an earlier attempt", flush=True)

    def save_if_due(self, state: TrainingState) -> None:
        """Save if it is time to, or if the process is asked to stop; called before every step.

        Raises:
            Stopped: the process was asked to stop, and the state is saved.
        """
        late = time.monotonic() - self.last_save >= self.interval
        signal, due = map(int, ranks.most(stop.asked(), late))  # all ranks save at the same step
        if signal or due:
            self._save(state)
        if signal:
            raise stop.Stopped(
                f"ended by {stop.name(signal)} after step {state.step};"
                f" the next attempt goes on after step {max(self.saved_step, 0)}",
                signal,
            )

    def _save(self, state: TrainingState) -> None:
        if state.step != self.saved_step:
            record, tensors = state.to_saved()
            try:
                if ranks.rank() == 0:
                    storage.save(self.folder, self.fingerprint, state.step, record, tensors)
                self.saved_step = state.step
            except Exception as error:  # a full disk costs the state, not the training
                if failure.kind(error) not in ("disk", "file-system"):
                    raise
                print(f"the state of step {state.step} is not saved: {error}", flush=True)
        self.last_save = time.monotonic()
