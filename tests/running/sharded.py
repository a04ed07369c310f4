"""What each of two ranks does for `test_sharded.py`: `torchrun ... sharded.py FOLDER KINDS`.

FOLDER has `model` (stored in fp16) and, for each kind of optimizer, `whole KIND` (a state saved by
one process). They write `pieces KIND`, and the same weights whole, together (`expected KIND`) and
by the first rank (`full KIND`), and `found.json`.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tests.training.states import batch_loss, make_state, train

from xstilts.models import checkpoint, checkpointing, shard_loading, shards, shared_file
from xstilts.running import ranks
from xstilts.training import optimizer as optimizers
from xstilts.training import storage
from xstilts.training.tasks import weights

CPU = torch.device("cpu")


def main(folder: Path) -> None:
    """Check loading, gradients and states; see the module."""
    found = {}
    encoder = shard_loading.load(folder / "model", CPU, dropout=0.1)
    plain = checkpoint.load_encoder(folder / "model", dropout=0.1)
    found["weights"] = {
        name: torch.equal(parameter.full_tensor(), plain.state_dict()[name])
        for name, parameter in encoder.named_parameters()
    }
    found["buffers"] = all(
        torch.equal(one, other)
        for one, other in zip(encoder.buffers(), plain.buffers(), strict=True)
    )
    found["rows"] = [len(p.to_local()) for p in encoder.parameters()] == [
        after - first for first, after in map(shards.rows, encoder.parameters())
    ]
    loss, expected = gradients(plain)
    for key in ("sharded", "checkpointed"):
        own, grads = gradients(encoder)
        found[key] = max(float((g - expected[n]).abs().max()) for n, g in grads.items())
        found[f"{key} loss"] = abs(own - loss)
        found[f"{key} is"] = encoder.is_activation_checkpointing
        checkpointing.enable(encoder)
    for kind in sys.argv[2:]:
        found[kind] = saved(folder, kind)
    if ranks.rank() == 0:
        (folder / "found.json").write_text(json.dumps(found))


def gradients(encoder):
    """Return loss and gradients of a batch with dropout; each rank's loss is half of it."""
    torch.manual_seed(3)
    encoder.train()
    share = 2 if shards.is_cut(next(encoder.parameters())) else 1
    loss = batch_loss(encoder)
    (loss / share).backward()
    grads = {name: p.grad for name, p in encoder.named_parameters() if p.grad is not None}
    full = {n: g.full_tensor() if shards.is_cut(g) else g.clone() for n, g in grads.items()}
    encoder.zero_grad()
    return float(loss), full


def saved(folder: Path, kind: str) -> bool:
    """Go on from what one process has saved, and save in pieces; return whether it was the same."""
    state = make_state(folder / "model", kind, sharded=True)
    record, tensors = storage.load(folder / f"whole {kind}", "f")
    state.restore(record, tensors)
    same = [
        torch.equal(value.full_tensor(), tensors[f"now {module} {key}"])
        for module, own in weights(state.encoder, state.tasks).items()
        for key, value in own.items()
    ]
    if kind == "adamw":
        same += [
            torch.equal(v.full_tensor() if shards.is_cut(v) else v, tensors[f"optimizer {name}"])
            for name, v in optimizers.moments(state.optimizer).items()
        ]
    train(state, steps=1, share=2)
    pieces = folder / f"pieces {kind}"
    if ranks.rank() == 0:
        storage.make_room(pieces)
    record, own = state.to_saved(beside=False)
    checksum = storage.save_tensors(pieces, 3, own, ranks.rank())
    assert storage.settle(pieces, "f", 3, record, checksum)
    # And back again, by as many ranks: the same bytes.
    again = make_state(folder / "model", kind, sharded=True)
    again.restore(*storage.read(pieces, 3))
    _, twice = again.to_saved(beside=False)
    same += [own.keys() == twice.keys(), *(torch.equal(own[name], twice[name]) for name in own)]
    every = {name: v for name, v in own.items() if name.startswith("now encoder")}
    shared_file.save(every, folder / f"expected {kind}.safetensors", {"format": "pt"})
    full = {n: p.full_tensor() for n, p in state.encoder.named_parameters()}
    if ranks.rank() == 0:
        save_file(full, folder / f"full {kind}.safetensors")
    return all(ranks.every(all(same)))


if __name__ == "__main__":
    with ranks.joined(600):
        main(Path(sys.argv[1]))
