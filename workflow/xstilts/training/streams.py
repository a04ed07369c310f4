"""Seed streams: a training that collapsed is made again from other random numbers.

With `on_collapse: retry`, and at most `RETRIES` times. Stream 1 draws by the seed of the spec,
stream s by `seed_of`. Each is a training of its own with its own saved states, so one that is
killed goes on in the stream in which it was; what came of those before is in the state folder too.
The first that does not collapse is taken, else the one with the best dev score, and none is
forgotten: `streams` in `node.json` has a summary of each.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from xstilts.running import failure, garbage, ranks
from xstilts.running.errors import NotFinite
from xstilts.running.files import digest
from xstilts.training import collapse, storage

RETRIES = 2
FOLDER = "streams"  # in a state folder
# Of the record of a run, what stays of a stream; `best` and `history` as steps, losses and scores.
KEPT = ("steps", "seconds", "energy_joules", "tokens", "resumed_at", collapse.COLLAPSED)


class Stream(NamedTuple):
    """One of them: its number, from 1, the seed that it draws by, the folder of its saved states,
    and their fingerprint."""

    number: int
    seed: int
    state: Path
    fingerprint: str

    def name(self, out: str) -> str:
        """Return what trackers call it: the first has the name of the node."""
        return out if self.number == 1 else f"{out}/stream{self.number}"


# Weights and record of what is trained on one stream.
Run = Callable[[Stream], tuple[dict[str, dict], dict[str, Any]]]


def at_most(spec: Mapping[str, Any]) -> int:
    """Return the streams of a training, if all collapse."""
    return 1 + RETRIES if spec.get("on_collapse") == "retry" else 1


def seed_of(seed: int, stream: int) -> int:
    """Return the seed that a stream draws by, 0 to 2**32 - 1.

    Stream 1: the seed itself. Stream s: numpy's `SeedSequence([seed, s])`, its first word, which is
    the same on every machine. (torch's generator on the CPU reads no more than 32 bits, so a large
    number added would be no other seed.)
    """
    import numpy as np

    return seed if stream == 1 else int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])


def fit(
    run: Run, spec: Mapping[str, Any], state: Path, fingerprint: str
) -> tuple[dict[str, dict], dict[str, Any]]:
    """Return weights and record of a training, of the stream that is taken.

    Where there was more than one, the record has `stream`, its number, and `streams`: a `summary`
    of each.

    Args:
        run: trains one stream; the record says whether it collapsed (`collapse.mark`).
        spec: of the training.
        state: the state folder of the node.
        fingerprint: of all that the training follows from.

    Raises: what `run` does; after `NotFinite` the stream has no saved state.
    """
    home, count = state / FOLDER, at_most(spec)
    streams, taken = _read(home, fingerprint) if count > 1 else ([], None)
    for number in range(len(streams) + 1, count + 1):
        stream = _stream(number, spec["seed"], state, fingerprint)
        if number > 1:
            _clear(_stream(number - 1, spec["seed"], state, fingerprint))
            _say(f"trained again: stream {number} of {count}, seed {stream.seed}")
        try:
            weights, record = run(stream)
        except NotFinite:  # the next attempt would come to the same from a saved state
            _clear(stream)
            raise
        garbage.collect()  # the weights on the device, before the next stream has its own
        streams.append(summary(stream, record))
        collapsed = record.get(collapse.COLLAPSED)
        for line in collapse.lines(record):
            _say(line)
        if taken is None or not collapsed or _score(record) > _score(taken[1]):
            taken = weights, {**record, "stream": number}
        if not ranks.agreed(bool(collapsed)):
            break
        if number < count:
            _write(home, fingerprint, streams, *taken)
    assert taken
    weights, record = taken
    if len(streams) > 1:
        return weights, {**record, "streams": streams}
    return weights, {key: value for key, value in record.items() if key != "stream"}


def _stream(number: int, seed: int, state: Path, fingerprint: str) -> Stream:
    if number == 1:
        return Stream(1, seed, state, fingerprint)
    own = digest([fingerprint, number])
    return Stream(number, seed_of(seed, number), state / FOLDER / str(number), own)


def summary(stream: Stream, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stays of a stream: its number, seed, best score and step, `KEPT`; `curve` is step
    loss and score of every evaluation."""
    return {
        "stream": stream.number,
        "seed": stream.seed,
        "score": _score(record),
        "step": record["best"]["step"],
        **{key: record[key] for key in KEPT if key in record},
        "curve": [[point["step"], point["loss"], point["score"]] for point in record["history"]],
    }


def clear(state: Path) -> None:
    """Delete what is kept of the streams of a node: it is done."""
    shutil.rmtree(state / FOLDER, ignore_errors=True)


def _clear(stream: Stream) -> None:
    if ranks.rank() == 0:
        storage.clear(stream.state)


def _say(line: str) -> None:
    if ranks.rank() == 0:
        print(line, flush=True)


def _score(record: Mapping[str, Any]) -> float:
    return record["best"]["score"]


def _read(home: Path, fingerprint: str) -> tuple[list[dict[str, Any]], tuple[dict, dict] | None]:
    """Return the summaries of the streams that have collapsed, weights and record of the best; the
    weights are the first rank's or, if as many ranks have saved pieces of them, each one's."""
    saved = storage.load(home, fingerprint) if ranks.rank() == 0 else None
    found = ranks.agreed(saved and saved[0])
    if found is None:
        return [], None
    tensors = (saved or storage.read(home, len(found["streams"])))[1]
    own: Mapping[str, Any] = tensors if ranks.rank() == 0 else dict.fromkeys(tensors)
    if len(tensors.files) == ranks.size():
        file = tensors.files[ranks.rank()]
        pieces = {name: file.get_tensor(name) for name in list(file.keys())}
        own = {**dict.fromkeys(tensors), **pieces}
    weights: dict[str, dict] = {}
    for name, tensor in own.items():
        module, _, key = name.partition(" ")
        weights.setdefault(module, {})[key] = tensor
    _say(f"{len(found['streams'])} stream(s) before this one have collapsed")
    return found["streams"], (weights, found["record"])


def _write(
    home: Path, fingerprint: str, streams: list[dict[str, Any]], weights: dict, record: dict
) -> None:
    every = {f"{module} {k}": v for module, state in weights.items() for k, v in state.items()}
    tensors = {name: value for name, value in every.items() if value is not None}
    kept, checksum = {"streams": streams, "record": record}, ""
    in_pieces = all(ranks.every(bool(tensors))) and ranks.size() > 1
    try:
        if in_pieces:
            if ranks.rank() == 0:
                storage.make_room(home)
            ranks.agreed(None)  # the others wait for that
            checksum = storage.save_tensors(home, len(streams), tensors, ranks.rank())
        elif ranks.rank() == 0:
            storage.save(home, fingerprint, len(streams), kept, tensors)
    except Exception as error:  # a full disk costs what a next attempt knows, not the training
        if failure.kind(error) not in ("disk", "file-system"):
            raise
        print(f"the streams before are not saved: {error}", flush=True)
    if in_pieces:
        storage.settle(home, fingerprint, len(streams), kept, checksum)
