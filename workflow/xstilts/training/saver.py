"""Saves the state of a training at intervals and when it is stopped, and resumes from it."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from xstilts.models import shards
from xstilts.running import failure, ranks, stop
from xstilts.training import host, storage
from xstilts.training.state import TrainingState


class StateSaver:
    """Saves the state of one node's training in its state folder.

    On a GPU a thread writes what was copied, one state at a time, while training goes on. Of a
    sharded model each rank writes its pieces, and the record is there when all are.
    """

    def __init__(self, folder: str | Path, fingerprint: str, interval: float) -> None:
        """Save into `folder`, for the training of this fingerprint, once in `interval` seconds."""
        self.folder, self.fingerprint, self.interval = Path(folder), fingerprint, interval
        self.last_save, self.saved_step = time.monotonic(), -1
        self.thread = ThreadPoolExecutor(1, "saver")
        # The step of the state, its record, and the hash of what this rank writes.
        self.writing: tuple[int, dict[str, Any], Future[str]] | None = None

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

        It is not time while a state is being written.

        Raises:
            Stopped: the process was asked to stop, and the state is saved.
        """
        busy = int(self.writing is not None and not self.writing[2].done())
        late = not busy and time.monotonic() - self.last_save >= self.interval
        late = late and ranks.rank() == 0  # whose clock it goes by: all save at the same step
        signal, due, busy = map(int, ranks.most(stop.asked(), late, busy))
        if not busy:
            self.finish()
        if signal or (due and not busy):
            self._save(state)
        if signal:
            self.finish()
            raise stop.Stopped(
                f"ended by {stop.name(signal)} after step {state.step};"
                f" the next attempt goes on after step {max(self.saved_step, 0)}",
                signal,
            )

    def finish(self) -> None:
        """Wait for what is being written; a full disk costs the state, not the training. Of a
        sharded model all ranks have to call this."""
        if not self.writing:
            return
        (step, record, written), self.writing = self.writing, None
        checksum = ""
        try:
            checksum = written.result()
        except Exception as error:
            if failure.kind(error) not in ("disk", "file-system"):
                raise
            print(f"the state of step {step} is not saved: {error}", flush=True)
        if shards.sharded():
            checksum = storage.settle(self.folder, self.fingerprint, step, record, checksum)
        if checksum:
            self.saved_step = step

    def close(self, _=None, raised: BaseException | None = None, *rest: object) -> None:
        """Finish, and end the thread, as the exit of a context does; what has ended the training
        is not hidden by what ends the writing."""
        self.thread.shutdown()
        if raised is not None and shards.sharded():
            return  # the other ranks may be anywhere; the state before is whole
        try:
            self.finish()
        except Exception as error:
            if raised is None:
                raise
            print(f"nor is the last state saved: {error}", flush=True)

    def _save(self, state: TrainingState) -> None:
        self.finish()
        if state.step != self.saved_step:
            beside = host.is_beside(state.encoder.device)
            if shards.sharded() and ranks.rank() == 0:
                storage.make_room(self.folder)  # which the others wait for: a state is of all ranks
            record, tensors = state.to_saved(beside)
            if shards.sharded() or ranks.rank() == 0:
                arrived = host.arrival(state.encoder.device)
                written = self.thread.submit(self._write, arrived, state.step, record, tensors)
                self.writing = state.step, record, written
            if not beside:
                self.finish()
        self.last_save = time.monotonic()

    def _write(self, arrived, step: int, record: dict, tensors: dict) -> str:
        arrived()
        if shards.sharded():
            return storage.save_tensors(self.folder, step, tensors, ranks.rank())
        return storage.save(self.folder, self.fingerprint, step, record, tensors)
