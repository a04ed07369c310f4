"""Classification: rows to sequences and labels, and back to names."""

import numpy as np
import pytest
from tests import helpers

from xstilts.formats import classification
from xstilts.running.errors import UserError

NLI = ("entailment", "neutral", "contradiction")
ROWS = [
    {"id": "a", "text": "the cat sat", "text_pair": "猫", "label": "neutral"},
    {"id": "b", "text": "a dog", "text_pair": None, "label": "entailment"},
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def test_rows_become_sequences_and_labels(tokenizer):
    data = helpers.encode(tokenizer, "classification", ROWS, NLI)
    assert helpers.shown(data) == [
        "<s> ▁the ▁cat ▁sat </s> </s> ▁ 猫 </s>",
        "<s> ▁a ▁dog </s>",
    ]
    assert data.arrays["labels"].tolist() == [1, 0]
    assert data.arrays["groups"].tolist() == [0, 1, 2]
    assert data.arrays.keys() == {"tokens", "starts", "groups", "labels"}
    assert data.meta["cut"] == 0


def test_special_tokens_in_a_text_stay_text(tokenizer):
    row = {"id": "a", "text": "a <mask>", "text_pair": "</s> on", "label": "neutral"}
    data = helpers.encode(tokenizer, "classification", [row], NLI)
    assert helpers.shown(data) == ["<s> ▁a ▁ < m a s k > </s> </s> ▁ < / s > ▁on </s>"]


def test_the_longer_text_is_cut_first_on_the_right(tokenizer):
    rows = [
        {"text": "the cat sat on the mat", "text_pair": "a dog", "label": "neutral"},
        {"text": "a dog", "text_pair": "the cat sat on the mat", "label": "neutral"},
        {"text": "a dog", "text_pair": "the cat", "label": "neutral"},
    ]
    data = helpers.encode(tokenizer, "classification", rows, NLI, length=9)
    assert helpers.shown(data) == [
        "<s> ▁the ▁cat ▁sat </s> </s> ▁a ▁dog </s>",
        "<s> ▁a ▁dog </s> </s> ▁the ▁cat ▁sat </s>",
        "<s> ▁a ▁dog </s> </s> ▁the ▁cat </s>",
    ]
    assert data.meta["cut"] == 2


def test_a_label_of_another_task_is_named(tokenizer):
    row = {"text": "a", "text_pair": None, "label": "maybe"}
    line = r"label `maybe` is none of the task.s .entailment, neutral"
    with pytest.raises(UserError, match=line):
        helpers.encode(tokenizer, "classification", [row], NLI)


def test_scores_become_names_and_names_become_accuracy(tokenizer):
    import torch

    data = helpers.encode(tokenizer, "classification", ROWS, NLI)
    batch = classification.collate(data, np.array([1, 0]))
    assert (batch["labels"].tolist(), batch["weight"]) == ([0, 1], 2)
    reduced = classification.reduce(torch.tensor([[0.1, 0.9, 0.2], [3.0, 1.0, 2.0]]), batch)
    names = classification.decode(reduced, data, ROWS)
    assert names == ["neutral", "entailment"]
    assert classification.score(ROWS, names, "accuracy", "en") == ({"accuracy": 1.0}, [1.0, 1.0])
    wrong = classification.score(ROWS, ["neutral", "neutral"], "accuracy", "en")
    assert wrong == ({"accuracy": 0.5}, [1.0, 0.0])
