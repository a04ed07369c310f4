"""Dual encoder: pairs to two sequences each, the loss of a batch, the nearest passages."""

import json
import math

import numpy as np
import pytest
from tests import helpers

from xstilts.formats import dual
from xstilts.scoring import guessing

ROWS = [
    {"id": "a", "text": "who sees", "text_pair": "the cat sees the dog", "group": "g"},
    {"id": "b", "text": "what", "text_pair": "a mat", "group": "g"},
    {"id": "c", "text": "where is the cat", "text_pair": "on", "group": None},
    {"id": "d", "text": "where", "text_pair": "a mat", "group": None},
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    tokenizer = helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return helpers.encode(tokenizer, "dual", ROWS, length=5)


def test_a_pair_is_two_sequences(data):
    assert helpers.shown(data)[:4] == [
        "<s> ▁who ▁sees </s>",
        "<s> ▁the ▁cat ▁sees </s>",
        "<s> ▁what </s>",
        "<s> ▁a ▁mat </s>",
    ]
    assert data.arrays["groups"].tolist() == [0, 2, 4, 6, 8]
    assert data.arrays["group"].tolist() == [0, 0, 1, 2], "without one, each has its own"
    assert data.arrays["passage"].tolist() == [0, 1, 2, 1]
    assert data.arrays.keys() == {"tokens", "starts", "groups", "group", "passage"}
    assert data.meta["cut"] == 2, "a row counts once"


def test_a_batch_has_whole_pairs_or_sequences(data):
    batch = dual.collate(data, np.array([3, 0]))
    assert batch["sequences"].tolist() == [6, 7, 0, 1]
    assert batch["group"].tolist() == [2, 2, 0, 0] and batch["weight"] == 2
    batch = dual.collate(data.separate, np.array([1, 3, 6]))
    assert batch["sequences"].tolist() == [1, 3, 6]
    assert batch["passage"].tolist() == [0, 1, 1] and batch["weight"] == 1


def loss(similarity, scale=2.0, group=(0, 1, 2), passage=(0, 1, 2), order=None):
    """The loss where query i and passage j have the similarity [i][j]: of passages that are the
    unit vectors."""
    import torch

    similarity = torch.tensor(similarity)
    rows = torch.stack([similarity, torch.eye(len(similarity))], 1).flatten(0, 1)
    numbers = {"group": group, "passage": passage}
    batch = {name: torch.tensor(each).repeat_interleave(2) for name, each in numbers.items()}
    batch["sequences"] = torch.arange(len(rows)) + 10
    if order is not None:
        rows, batch = rows[order], {name: each[order] for name, each in batch.items()}
    return float(dual.loss((rows, torch.tensor([scale])), batch))


def test_the_loss_by_hand():
    similarity = [[0.5, 0.0, -0.5], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]]

    def own(right, *wrong):
        return -math.log(math.exp(right) / sum(map(math.exp, (right, *wrong))))

    expected = own(1, 0, -1) + own(2, 0, 0) + own(0, 1, 1)
    assert loss(similarity) == pytest.approx(expected)
    assert loss(similarity, order=[3, 0, 5, 4, 1, 2]) == pytest.approx(expected)
    # The first two are of a group; then the last two have one passage.
    assert loss(similarity, group=(0, 0, 2)) == pytest.approx(own(1, -1) + own(2, 0) + own(0, 1, 1))
    assert loss(similarity, passage=(0, 1, 1)) == pytest.approx(
        own(1, 0, -1) + own(2, 0) + own(0, 1)
    )
    assert loss(similarity, group=(0, 0, 0)) == 0, "nothing is wrong"


def test_the_embeddings_become_ids_and_these_a_score():
    import torch

    outputs = torch.tensor([[1.0, 0.0]] * 8), torch.tensor([3.0])
    assert dual.reduce(outputs, {}).shape == (4, 2, 2)
    queries = [[1.0, 0.1], [0.1, 1.0], [1.0, 0.2], [0.0, 1.0]]
    passages = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 1.0]]
    reduced = [np.float32(pair) for pair in zip(queries, passages, strict=True)]
    found = dual.decode(reduced, None, ROWS)
    assert [json.loads(one) for one in found] == [
        ["a", "b", "c"], ["b", "a", "c"], ["a", "b", "c"], ["b", "a", "c"],
    ]  # fmt: skip
    values, each = dual.score(ROWS, found, "map20", "en")
    assert each == [1.0, 1.0, 1 / 3, 1.0], "the passage of d is that of b"
    assert values == {"map20": pytest.approx(sum(each) / 4)}


def test_guessing_ranks_the_passages_in_any_order():
    guess = guessing.best("dual", "map20", ROWS, "en")
    assert guess.score == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert guess.how == "any passages" and guess.rows == 4
    many = [{"text_pair": str(i)} for i in range(1000)]
    expected = sum(1 / rank for rank in range(1, 21)) / 1000
    assert guessing.best("dual", "map20", many, "en").score == pytest.approx(expected)


@pytest.mark.parametrize("scale", [None, 20.0])
def test_the_head_embeds_at_length_1_and_learns_its_scale_or_not(scale):
    import torch

    encoder = helpers.make_encoder()
    head = dual.head(encoder, [], scale=scale)
    hidden, mask = torch.randn(3, 4, 32), torch.ones(3, 4, dtype=torch.bool)
    embeddings, found = head(hidden, mask)
    assert embeddings.shape == (3, 32)
    assert torch.allclose(embeddings.norm(dim=1), torch.ones(3))
    assert float(found.detach()) == pytest.approx(scale or 100.0)
    assert found.requires_grad is (scale is None)
    assert head.state_dict().keys() == {"dense.weight", "dense.bias", "log_scale"}
