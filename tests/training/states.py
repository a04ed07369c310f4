"""A training's state without its data, for tests of saved states, sharded or not."""

from tests.training.test_loop import TOYS

from xstilts import formats
from xstilts.experiment.recipe import Recipe
from xstilts.models import checkpoint, shard_loading, shards
from xstilts.models.execution import hidden_states
from xstilts.training.optimizer import make_optimizer
from xstilts.training.state import TrainingState
from xstilts.training.tasks import TrainingTask, snapshot

LABELS = TOYS["classification"][1]


def make_state(folder, kind, sharded=False):
    """Return the state of a training that has not begun."""
    import torch

    cpu = torch.device("cpu")
    torch.manual_seed(5)
    if sharded:
        encoder = shard_loading.load(folder, cpu, dropout=0.0)
    else:
        encoder = checkpoint.load_encoder(folder, dropout=0.0)
    head = formats.page("classification").head(encoder, list(LABELS), [])
    if sharded:
        shards.shard(cpu, head)
    task = TrainingTask("toy", "classification", 4, LABELS, {}, head)
    optimizer = make_optimizer([encoder, head], Recipe(learning_rate=1e-3, optimizer=kind))
    return TrainingState(encoder, [task], optimizer, [], 100)


def batch_loss(encoder, head=None):
    """Return a number of all hidden states of a batch with padding, and of a head's outputs."""
    import torch

    ids = torch.tensor([[0, 7, 9, 11, 2], [0, 8, 2, 1, 1]])
    states = hidden_states(encoder, {"ids": ids, "mask": ids != 1})
    loss = (states[ids != 1] ** 2 * torch.arange(states.shape[-1])).mean()
    return loss if head is None else loss + (head(states, ids != 1) ** 2).mean()


def train(state, steps, share=1):
    """Take some steps; a rank's share of the loss is 1 in `share`. The weights are the best."""
    for _ in range(steps):
        loss = batch_loss(state.encoder, state.tasks[0].head)
        (loss / share).backward()
        state.optimizer.step()
        state.optimizer.zero_grad()
        state.step += 1
    state.best, state.best_weights = {"score": 1.0}, snapshot(state.encoder, state.tasks)
