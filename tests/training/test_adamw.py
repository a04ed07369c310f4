"""The lazy update of a table is the dense one: result, choice, saved state."""
# ruff: noqa: F811 (fixtures of another module are imported)

import numpy as np
import pytest
import torch
from tests.training.test_loop import folder, node, tokenizer  # noqa: F401
from tests.training.test_resume import (  # noqa: F401
    attempts,
    crash,
    handlers,
    interrupt,
    recipe_of,
    same,
)
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from xstilts.experiment.recipe import Recipe
from xstilts.formats.heads import MaskedLMHead
from xstilts.models import checkpoint
from xstilts.running import ranks
from xstilts.training import lazy_steps, loop, optimizer
from xstilts.training.lazy_embedding import LazyEmbedding
from xstilts.training.optimizer import lr_factor, make_optimizer

VOCABULARY, WIDTH, PADDING = 3000, 8, 1


class Encoder(nn.Module):
    """Embeddings, a hidden layer, LayerNorm: enough for gradients that depend on each other."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(VOCABULARY, WIDTH, padding_idx=PADDING)
        self.hidden, self.norm = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
        nn.init.normal_(self.table.weight, std=0.3)

    def get_input_embeddings(self):
        return self.table

    def set_input_embeddings(self, table):
        self.table = table

    def forward(self, ids):
        return self.norm(torch.tanh(self.hidden(self.table(ids).mean(1))))


class Run:
    """A training of that encoder, with its optimizer; ids by Zipf's law, the upper half never."""

    def __init__(self, lazy, recipe, steps, dtype=torch.float32):
        torch.manual_seed(0)
        torch.set_num_threads(1)
        self.recipe, self.steps, self.done = recipe, steps, 0
        self.encoder, self.head = Encoder().to(dtype), nn.Linear(WIDTH, 3).to(dtype)
        optimizer.MIN_LAZY = 1 if lazy else 10**9  # the fixture puts it back
        self.optimizer = make_optimizer([self.encoder, self.head], recipe, steps)
        assert isinstance(self.encoder.table, LazyEmbedding) == lazy
        self.parameters = [*self.encoder.parameters(), *self.head.parameters()]
        self.losses, self.norms = [], []

    def batch(self, step):
        """Ids of two micro-batches: one is seen once in every 50 steps, some are padding."""
        generator = np.random.default_rng([7, step])
        ids = 2 + np.minimum(generator.zipf(1.3, (2, 8, 6)), VOCABULARY // 2 - 2 - 20)
        if step % 50 == 3:
            ids[0, 0, 0] = VOCABULARY // 2 - 1 - step // 50
        ids[1, :4, 4:] = PADDING
        return ids

    def backward(self, ids):
        if isinstance(self.encoder.table, LazyEmbedding):
            self.encoder.table.gather(list(ids))
        total = 0.0
        for part in ids:
            labels = torch.from_numpy(part[:, 0] % 3)
            scores = self.head(self.encoder(torch.from_numpy(part)))
            loss = nn.functional.cross_entropy(scores, labels) / 2
            loss.backward()
            total += loss.item()
        return total

    def update(self):
        given = self.optimizer.gradients_of(self.parameters)
        norm = torch.nn.utils.clip_grad_norm_(given, self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return norm

    def go(self, until, catch_up=()):
        for step in range(self.done, until):
            factor = lr_factor(step, self.steps, self.recipe.warmup)
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.learning_rate * factor
            self.losses.append(self.backward(self.batch(step)))
            self.norms.append(self.update().item())
            if step in catch_up:
                self.optimizer.catch_up()
        self.done = until
        return self

    def numbers(self):
        """Name -> weights and moments, after all is caught up."""
        self.optimizer.catch_up()
        named = [*self.encoder.named_parameters(), *self.head.named_parameters(prefix="head")]
        found = {name: p.detach() for name, p in named}
        for name, p in named:
            state = self.optimizer.state[p]
            found |= {f"{name} {key}": state[key] for key in ("exp_avg", "exp_avg_sq")}
        return {name: tensor.double().clone() for name, tensor in found.items()}


@pytest.fixture(autouse=True)
def large_enough(monkeypatch):
    monkeypatch.setattr(optimizer, "MIN_LAZY", 1)


@pytest.fixture
def early(monkeypatch):
    """For what does not depend on how precise the series is."""
    monkeypatch.setattr(lazy_steps, "FIRST", 20)


def differences(run, other):
    """Relative to the norm of each tensor, and of the losses and gradient norms."""
    one, two = run.numbers(), other.numbers()
    found = {name: float((one[name] - two[name]).norm() / two[name].norm()) for name in two}
    found["loss"] = np.abs(np.array(run.losses) / other.losses - 1).max()
    found["norm"] = np.abs(np.array(run.norms) / other.norms - 1).max()
    return found


RECIPE = Recipe(learning_rate=2e-4, weight_decay=0.1, clip=0.4)


def test_in_double_precision_the_lazy_update_is_the_dense_one():
    lazy, dense = (Run(way, RECIPE, 300, torch.float64).go(300, {250}) for way in (True, False))
    found = differences(lazy, dense)
    assert max(found.values()) < 1e-9, found


def test_a_thousand_steps_are_those_of_the_dense_update():
    lazy, dense = (Run(way, RECIPE, 1000).go(1000, {500, 777}) for way in (True, False))
    found = differences(lazy, dense)
    assert max(found.values()) < 1e-5, found
    before = Run(False, RECIPE, 1000).encoder.table.weight.detach()
    after = lazy.numbers()
    moved = (after["table.weight"] / before - 1).abs()
    assert moved[VOCABULARY // 2 :].min() > 1e-3, "rows that are never read decay"
    assert not after["table.weight exp_avg"][VOCABULARY // 2 :].any()
    once = VOCABULARY // 2 - 20
    assert (after["table.weight exp_avg_sq"][once : VOCABULARY // 2].sum(1) > 0).all()
    assert 0.05 < np.mean(np.array(dense.norms) > RECIPE.clip) < 0.95, "clipped at times"
    assert dense.losses[-1] < 0.99 * dense.losses[0]


def test_rows_are_updated_where_they_are_read_alone(early):
    run = Run(True, Recipe(), 60).go(30)
    table, before = run.encoder.table, run.encoder.table.weight.detach().clone()
    ids = run.batch(30)
    run.backward(ids)
    assert table.weight.grad is None
    assert table.rows.shape == (len(np.unique(ids)), WIDTH)
    assert not table.rows.grad[np.searchsorted(np.unique(ids), PADDING)].any()
    run.update()
    changed = (table.weight != before).any(1)
    assert set(changed.nonzero().ravel().tolist()) <= set(ids.ravel().tolist())
    assert changed.any()


def test_an_attempt_that_is_undone_leaves_nothing(early):
    runs = [Run(True, Recipe(learning_rate=1e-3), 60).go(30) for _ in range(2)]
    runs[1].backward(runs[1].batch(77))
    runs[1].optimizer.zero_grad()  # as after running out of memory
    one, other = (run.go(50).numbers() for run in runs)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_not_up_to_date_cannot_be_read(early):
    run = Run(True, Recipe(), 60).go(30)
    with pytest.raises(AssertionError, match="neither gathered nor caught up"):
        run.encoder(torch.tensor([[5]]))
    run.encoder.table.gather([np.array([5, 7])])
    run.encoder(torch.tensor([[7, 5]]))
    run.encoder.table.gather([np.array([8, 7])])  # the ids before are of an attempt undone
    run.encoder(torch.tensor([[7, 8]]))
    for ids in (5, 6):
        with pytest.raises(IndexError):
            run.encoder(torch.tensor([[ids]]))
    run = Run(True, Recipe(), 60).go(30)
    run.optimizer.catch_up()
    run.encoder(torch.tensor([[6]]))


# --- The choice -----------------------------------------------------------------------------------


def test_the_update_stays_dense_where_it_must(folder, monkeypatch):
    def lazy(steps=900, head=None, **recipe):
        encoder = checkpoint.load_encoder(folder)
        modules = [encoder, head(encoder) if head else nn.Linear(4, 2)]
        make_optimizer(modules, Recipe(**recipe), steps)
        return isinstance(encoder.get_input_embeddings(), LazyEmbedding)

    assert lazy()
    assert not lazy(steps=0), "the schedule is not known"
    assert not lazy(steps=200)
    assert not lazy(head=MaskedLMHead)
    assert not lazy(learning_rate=0.1, weight_decay=0.2)
    numbers = checkpoint.load_encoder(folder).get_input_embeddings().weight.numel()
    for least, wanted in ((numbers, True), (numbers + 1, False)):
        monkeypatch.setattr(optimizer, "MIN_LAZY", least)
        assert lazy() is wanted
    monkeypatch.setattr(optimizer, "MIN_LAZY", 1)
    monkeypatch.setattr(ranks, "size", lambda: 2)
    assert not lazy()


# --- Saved states ---------------------------------------------------------------------------------


def saved(run):
    """What a saved state has of it: copies."""
    state = run.optimizer.state_dict()["state"]
    return (
        [{k: v.clone() for k, v in m.state_dict().items()} for m in (run.encoder, run.head)],
        {index: {k: v.clone() for k, v in of.items()} for index, of in state.items()},
    )


def resumed(state, lazy, recipe, steps, done):
    run = Run(lazy, recipe, steps)
    for module, weights in zip((run.encoder, run.head), state[0], strict=True):
        module.load_state_dict(weights)
    groups = run.optimizer.state_dict()["param_groups"]
    run.optimizer.load_state_dict({"state": state[1], "param_groups": groups})
    run.done = done
    return run


@pytest.mark.parametrize("step", [7, 30, 59])
def test_a_run_that_is_resumed_anywhere_ends_with_the_same_bytes(early, step):
    recipe = Recipe(learning_rate=1e-3)
    run = Run(True, recipe, 60).go(step)
    again = resumed(saved(run), True, recipe, 60, step)
    one, other = run.go(60).numbers(), again.go(60).numbers()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("before", "after", "step"), [(True, False, 220), (False, True, 120)])
def test_a_state_of_the_other_update_is_read(before, after, step):
    """Of an earlier version, or of another number of ranks."""
    recipe = Recipe(learning_rate=1e-4)
    run = Run(before, recipe, 240).go(step)
    other = resumed(saved(run), after, recipe, 240, step)
    found = differences(other.go(240), resumed(saved(run), before, recipe, 240, step).go(240))
    assert max(found.values()) < 1e-5, found
    assert ("last" in other.optimizer.state[other.encoder.table.weight]) == after


def test_a_node_that_is_interrupted_ends_with_the_same_bytes(
    folder, node, tmp_path, interrupt, monkeypatch
):
    monkeypatch.setattr(lazy_steps, "FIRST", 3)
    real, made = loop.make_optimizer, []
    monkeypatch.setattr(loop, "make_optimizer", lambda *a: made.append(real(*a)) or made[-1])
    recipe = recipe_of(max_steps=14, eval_every=6, batch_size=8)
    whole = node.run(folder, tmp_path / "whole", recipe=recipe)
    interrupt([2, 5, 9, 13], crash)
    out = tmp_path / "out"
    messages = attempts(lambda: node.run(folder, out, save_every=0, recipe=recipe))
    assert len(messages) == 4
    assert same(whole, out)["resumed_at"] == [2, 5, 9, 13]
    assert all(each.table is not None for each in made)


# --- No waiting for the device --------------------------------------------------------------------


class Calls(TorchDispatchMode):
    """Records the operators that are called."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.add(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "is_nonzero", "equal"}


@pytest.mark.parametrize("lazy", [True, False])
def test_nothing_of_an_update_waits_for_the_device(early, lazy):
    """On a GPU each of these operators would; a number that is read is `_local_scalar_dense`."""
    run = Run(lazy, Recipe(), 60).go(30)
    ids = run.batch(30)
    with Calls() as gathering:
        if lazy:
            run.encoder.table.gather(list(ids))
    run.backward(ids)
    with Calls() as updating:
        run.update()
    assert not (gathering.names | updating.names) & WAITING
    assert "_fused_adamw_" in updating.names
    assert ("index_select" in gathering.names) is lazy
    with Calls() as reading:
        run.losses.append(float(torch.ones(1)[0]))
    assert reading.names & WAITING, "the list is of what it is for"
