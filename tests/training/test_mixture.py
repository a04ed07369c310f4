"""A mixture: shares by hand, the number of steps, and what is drawn."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.experiment.recipe import Recipe
from xstilts.training import mixture
from xstilts.training.tasks import TrainingTask


class Rows:
    """As much of encoded rows as drawing needs: `size` examples of lengths 1, 2, ..."""

    def __init__(self, size):
        self.size = size

    sample = None

    @property
    def chosen(self):
        return np.arange(self.size)

    def __len__(self):
        return self.size

    def shapes(self):
        return np.arange(1, self.size + 1), np.ones(self.size, dtype=int)


def make_task(name, batch_size=8, format="classification", **sizes):
    train = {lang: Rows(size) for lang, size in sizes.items()}
    return TrainingTask(name, format, batch_size, (), train)


def shares(tasks, cap):
    return {(s.task.name, s.lang): s.share for s in mixture.make_streams(tasks, cap, 1)}


def test_a_task_weighs_its_examples_up_to_the_cap():
    tasks = [make_task("big", en=900), make_task("small", en=100)]
    assert shares(tasks, None) == {("big", "en"): 0.9, ("small", "en"): 0.1}
    assert shares(tasks, 300) == {("big", "en"): 0.75, ("small", "en"): 0.25}
    assert shares(tasks, 50) == {("big", "en"): 0.5, ("small", "en"): 0.5}


def test_languages_share_by_size_and_those_of_plain_text_by_smoothed_size():
    tasks = [make_task("nli", de=300, sw=100), make_task("text", format="mlm", de=3200, sw=100)]
    share = shares(tasks, 400)
    assert share[("nli", "de")] == pytest.approx(0.375)
    assert share[("nli", "sw")] == pytest.approx(0.125)
    # 32 ** 0.3 is 2 ** 1.5.
    assert share[("text", "de")] == pytest.approx(0.5 * 2**1.5 / (2**1.5 + 1))
    assert share[("text", "sw")] == pytest.approx(0.5 / (2**1.5 + 1))


@given(
    st.dictionaries(st.text(min_size=1), st.integers(1, 10**9), min_size=1, max_size=9),
    st.floats(0.01, 1),
)
def test_smoothing_keeps_the_order_and_moves_towards_equal_shares(sizes, alpha):
    smooth, plain = mixture.smoothed(sizes, alpha), mixture.smoothed(sizes, 1.0)
    assert sum(smooth.values()) == pytest.approx(1)
    assert max(smooth.values()) <= max(plain.values()) * (1 + 1e-9)
    assert min(smooth.values()) >= min(plain.values()) * (1 - 1e-9)
    ranked = sorted(sizes, key=lambda lang: sizes[lang])
    assert [smooth[lang] for lang in ranked] == sorted(smooth.values())


def test_an_epoch_is_the_sum_of_the_batches_of_all_tasks():
    tasks = [make_task("a", batch_size=8, en=100), make_task("b", batch_size=4, de=30, ru=31)]
    assert mixture.total_steps(tasks, None, Recipe(epochs=2)) == 2 * (13 + 16)
    assert mixture.total_steps(tasks, 50, Recipe(epochs=2)) == 2 * (7 + 13)
    assert mixture.total_steps(tasks, 50, Recipe(epochs=2, max_steps=9)) == 9
    assert mixture.total_steps(tasks, 50, Recipe(epochs=0.001)) == 1


def test_the_schedule_follows_from_the_seed_and_keeps_to_the_shares():
    drawn = mixture.schedule([0.7, 0.2, 0.1], 5000, seed=1)
    assert np.abs(np.bincount(drawn) / 5000 - [0.7, 0.2, 0.1]).max() < 0.03
    assert (mixture.schedule([0.7, 0.2, 0.1], 5000, seed=1) == drawn).all()
    assert (mixture.schedule([0.7, 0.2, 0.1], 5000, seed=2) != drawn).any()
    assert mixture.schedule([1.0], 3, seed=1).tolist() == [0, 0, 0]


def test_a_stream_reads_every_example_once_an_epoch_and_counts_them():
    (stream,) = mixture.make_streams([make_task("a", batch_size=4, en=10)], None, seed=3)
    epochs = [[stream.batch(3 * epoch + n) for n in range(3)] for epoch in range(2)]
    for epoch in epochs:
        assert sorted(np.concatenate(epoch)) == list(range(10))
        assert sorted(map(len, epoch)) == [2, 4, 4]
    assert [b.tolist() for b in epochs[0]] != [b.tolist() for b in epochs[1]]
    for batch in (*epochs[0], *epochs[1]):
        stream.count(len(batch), 7)
    assert mixture.record([stream]) == {
        "a": {"en": {"share": 1.0, "available": 10, "batches": 6, "examples": 20, "tokens": 42}}
    }


def test_heads_are_shared_where_format_and_labels_are_equal(tmp_path):
    from xstilts.training.tasks import named_heads, snapshot, with_heads

    torch = pytest.importorskip("torch")
    config = SimpleNamespace(
        hidden_size=4, hidden_dropout_prob=0.0, initializer_range=0.02, vocab_size=9,
        layer_norm_eps=1e-5,
    )  # fmt: skip
    encoder = torch.nn.Linear(2, 2)
    encoder.config, encoder.device = config, torch.device("cpu")
    encoder.get_input_embeddings = lambda: torch.nn.Embedding(9, 4)
    wanted = [
        ("anli", "classification", ("e", "n", "c")), ("hs", "choice", ()),
        ("mnli", "classification", ("e", "n", "c")), ("csqa", "choice", ()),
        ("qqp", "classification", ("0", "1")), ("text", "mlm", ()),
    ]  # fmt: skip
    tasks = with_heads(
        [TrainingTask(name, f, 8, labels, {}) for name, f, labels in wanted], encoder
    )
    heads = {task.name: task.head for task in tasks}
    assert heads["anli"] is heads["mnli"]
    assert list(named_heads(tasks)) == ["anli", "hs", "csqa", "qqp", "text"]
    assert len({id(head) for head in heads.values()}) == 5
    saved = snapshot(encoder, tasks)
    assert {key.split(".")[0] for key in saved["head"]} == set(named_heads(tasks))
    assert saved["head"]["anli.out.weight"].shape == (3, 4)
    assert saved["head"]["qqp.out.weight"].shape == (2, 4)
    assert "text.dense.weight" in saved["head"] and len(saved["encoder"]) == 2
    assert snapshot(encoder, tasks[:1])["head"].keys() == heads["anli"].state_dict().keys()
