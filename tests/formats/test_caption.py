"""Masked captioning: half of a caption is hidden, and what is told of it is counted."""

import numpy as np
import pytest
from tests import helpers

from xstilts.formats import caption
from xstilts.models import checkpoint
from xstilts.models.execution import tensors
from xstilts.scoring import guessing, predict

ROWS = [
    {"id": "a", "text": "the cat sat on the mat", "image": "1"},
    {"id": "b", "text": "dog", "image": "2"},
    {"id": "c", "text": "<mask> €", "image": "2"},
]
MASK = helpers.VOCABULARY.index("<mask>")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def test_a_row_is_one_sequence_and_a_long_one_is_cut(tokenizer):
    data = helpers.encode(tokenizer, "caption", ROWS[:2], length=6)
    assert helpers.shown(data) == ["<s> ▁the ▁cat ▁sat ▁on </s>", "<s> ▁dog </s>"]
    assert (len(data), data.meta["cut"]) == (2, 1)
    assert data.arrays.keys() == {"tokens", "starts", "groups", "ordinary", "hidden"}


def test_half_of_the_ordinary_pieces_are_hidden_and_never_none(tokenizer):
    draw = np.random.default_rng(0)
    rows = [
        {"id": str(i), "text": " ".join(draw.choice(helpers.WORDS, draw.integers(1, 20)))}
        for i in range(2000)
    ]
    data = helpers.encode(tokenizer, "caption", rows)
    batch = caption.collate(data, np.arange(len(data)), (1, 2))
    hidden = batch["targets"] != -100
    assert (batch["ids"][hidden] == MASK).all() and (batch["ids"] == MASK).sum() == hidden.sum()
    assert hidden.sum(1).min() == 1, "of a single piece, that one"
    ordinary = data.arrays["ordinary"][data.arrays["tokens"]].sum()
    assert 0.48 < hidden.sum() / ordinary < 0.55
    assert batch["weight"] == len(batch["chosen"]) == len(batch["of"]) == hidden.sum()
    assert (np.bincount(batch["of"]) == hidden.sum(1)).all()


def test_what_is_hidden_in_scoring_follows_from_the_row_alone(tokenizer):
    data = helpers.encode(tokenizer, "caption", ROWS * 4)
    whole = caption.collate(data, np.arange(12))
    part = caption.collate(data, np.array([7, 3]))
    for row, example in enumerate([7, 3]):
        width = len(data.sequence(example))
        assert (part["targets"][row, :width] == whole["targets"][example, :width]).all()
    assert (caption.collate(data, np.arange(12), (1, 1))["targets"] != whole["targets"]).any()


def test_what_is_told_is_counted(tokenizer, tmp_path):
    """By the scores of all pieces, computed without the head's economy."""
    import torch

    data = helpers.encode(tokenizer, "caption", ROWS)
    encoder = checkpoint.load_encoder(helpers.write_model(tmp_path / "model"))
    head = caption.head(encoder, [])
    batch = tensors(caption.collate(data, np.arange(3)), torch.device("cpu"))
    outputs = predict.outputs(encoder, head, batch)
    counts = caption.reduce(outputs, batch).numpy()
    features, embeddings, bias = outputs
    guess = (features @ embeddings.T + bias).argmax(-1)
    hidden = batch["targets"] != -100
    assert counts[:, 1].tolist() == hidden.sum(1).tolist()
    assert counts[:, 0].tolist() == ((guess == batch["targets"]) & hidden).sum(1).tolist()
    assert counts[2].tolist() == [0, 0] or counts[2, 1] > 0


def test_the_score_is_the_share_of_all_hidden_pieces():
    told = caption.decode([np.array([7, 9]), np.array([1, 1]), np.array([0, 0])], None, ROWS)
    assert told == ["7/9", "1/1", "0/0"]
    values, each = caption.score(ROWS, told, "told", "en")
    assert values == {"told": 0.8} and each == [7 / 9, 1.0, 0.0]


def test_a_guess_is_the_most_frequent_word():
    rows = [{"text": "a cat on a mat"}, {"text": "a dog"}]
    guess = guessing.best("caption", "told", rows, "en")
    assert (guess.score, guess.how, guess.rows) == (3 / 7, "always a", 2)
