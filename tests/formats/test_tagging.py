"""Tagging: a tag a word, read off its first real token, every word scored once."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import helpers

from xstilts.encoding import encode
from xstilts.formats import tagging

TAGS = ("DET", "NOUN", "VERB", "PUNCT")
ROWS = [
    {"id": "a", "tokens": ["the", "cat", "sat"], "tags": ["DET", "NOUN", "VERB"]},
    {"id": "b", "tokens": ["猫", "看见", "dogs"], "tags": ["NOUN", "VERB", "NOUN"]},
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def at(data):
    """The token that each word is read from."""
    spans, starts = data.arrays["spans"], data.arrays["starts"]
    return [
        helpers.VOCABULARY[data.arrays["tokens"][starts[example] + place]]
        for example in range(len(data))
        for place in data.arrays["at"][spans[example] : spans[example + 1]]
    ]


def test_a_word_is_read_from_its_first_token_that_is_not_a_lone_space(tokenizer):
    data = helpers.encode(tokenizer, "tagging", ROWS, TAGS)
    assert helpers.shown(data) == ["<s> ▁the ▁cat ▁sat </s>", "<s> ▁ 猫 ▁ 看见 ▁dog s </s>"]
    assert data.arrays["at"].tolist() == [1, 2, 3, 2, 4, 5]
    assert at(data) == ["▁the", "▁cat", "▁sat", "猫", "看见", "▁dog"]
    assert data.arrays["tags"].tolist() == [0, 1, 2, 1, 2, 1]
    assert data.arrays["spans"].tolist() == [0, 3, 6]
    assert data.arrays["row"].tolist() == [0, 1]
    assert data.arrays["scored"].tolist() == [True] * 6
    assert data.arrays.keys() == {
        "tokens",
        "starts",
        "groups",
        "row",
        "at",
        "tags",
        "spans",
        "scored",
    }
    assert data.meta["cut"] == 0


def test_a_word_without_tokens_still_has_a_place_and_a_tag(tokenizer):
    row = {"tokens": ["the", "\u200b", "cat"], "tags": ["DET", "PUNCT", "NOUN"]}
    data = helpers.encode(tokenizer, "tagging", [row], TAGS)
    assert helpers.shown(data) == ["<s> ▁the <unk> ▁cat </s>"]
    assert at(data) == ["▁the", "<unk>", "▁cat"]


def test_special_tokens_as_words_stay_text(tokenizer):
    row = {"tokens": ["<mask>", "</s>"], "tags": ["PUNCT", "PUNCT"]}
    data = helpers.encode(tokenizer, "tagging", [row], TAGS)
    assert helpers.shown(data) == ["<s> ▁ < m a s k > ▁ < / s > </s>"]
    assert at(data) == ["<", "<"]


def test_a_long_sentence_becomes_windows_that_share_the_scoring(tokenizer):
    words = ["the", "cat", "sat", "on", "a", "mat", "is", "big"]
    row = {"tokens": words, "tags": ["DET"] * 8}
    data = helpers.encode(tokenizer, "tagging", [row], TAGS, length=8)
    assert helpers.shown(data) == [
        "<s> ▁the ▁cat ▁sat ▁on ▁a ▁mat </s>",
        "<s> ▁a ▁mat ▁is ▁big </s>",
    ]
    # Of the two words in both windows, each is scored where it is farther from the cut.
    assert data.arrays["scored"].tolist() == [*[True] * 5, False, False, True, True, True]
    assert data.arrays["row"].tolist() == [0, 0]
    assert data.arrays["spans"].tolist() == [0, 6, 10]
    assert data.meta["cut"] == 0


def test_a_word_longer_than_a_window_loses_tokens_and_is_counted(tokenizer):
    row = {"tokens": ["the", "zzzzzzzzzz", "cat"], "tags": ["DET", "NOUN", "VERB"]}
    data = helpers.encode(tokenizer, "tagging", [row], TAGS, length=8)
    assert helpers.shown(data) == [
        "<s> ▁the </s>",
        "<s> ▁ z z z z z </s>",
        "<s> ▁cat </s>",
    ]
    assert at(data) == ["▁the", "z", "▁cat"]
    assert data.arrays["scored"].all()
    assert data.meta["cut"] == 1


def test_windows_by_hand():
    assert tagging.windows([1, 1, 1], 5, 2) == [(0, 3, range(0, 3))]
    assert tagging.windows([1] * 6, 4, 2) == [(0, 4, range(0, 3)), (2, 6, range(3, 6))]
    assert tagging.windows([3, 3, 3], 4, 2) == [
        (0, 1, range(0, 1)),
        (1, 2, range(1, 2)),
        (2, 3, range(2, 3)),
    ]


@given(st.integers(1, 20), st.data())
def test_every_word_is_scored_in_exactly_one_window_that_holds_it(window_size, data):
    sizes = data.draw(st.lists(st.integers(1, window_size), max_size=60))
    overlap = data.draw(st.integers(0, window_size))
    windows = tagging.windows(sizes, window_size, overlap)
    assert [word for _, _, scored in windows for word in scored] == list(range(len(sizes)))
    for first, last, scored in windows:
        assert sum(sizes[first:last]) <= window_size
        assert not scored or (first <= scored[0] and scored[-1] < last)
    for (_, end, _), (start, _, _) in itertools.pairwise(windows):
        assert sum(sizes[start:end]) <= overlap


@given(
    st.lists(
        st.sampled_from([*helpers.WORDS, *helpers.UNSPACED, "dogs", "\u200b"]),
        min_size=1,
        max_size=50,
    )
)
def test_predicting_the_gold_tags_gives_them_back_for_any_sentence(tokenizer, words):
    rows = [{"tokens": words, "tags": [TAGS[len(w) % 4] for w in words]}] * 2
    data = helpers.encode(tokenizer, "tagging", rows, TAGS, length=16)
    spans = data.arrays["spans"]
    gold = [data.arrays["tags"][a:b] for a, b in itertools.pairwise(spans)]
    predictions = tagging.decode(gold, data, rows)
    assert predictions == [" ".join(rows[0]["tags"])] * 2
    assert tagging.score(rows, predictions, "tagging", "en")[0] == {"accuracy": 1.0, "f1": 1.0}


def test_tags_are_read_where_their_words_are(tokenizer):
    import torch

    data = helpers.encode(tokenizer, "tagging", ROWS, TAGS)
    batch = tagging.collate(data, np.array([1, 0]))
    assert batch["at"].tolist() == [[2, 4, 5], [1, 2, 3]]
    assert batch["tags"].tolist() == [[1, 2, 1], [0, 1, 2]]
    assert batch["weight"] == 6
    tensors = {k: torch.from_numpy(v) for k, v in batch.items() if isinstance(v, np.ndarray)}
    outputs = torch.zeros(2, 8, 4)
    outputs[0, 2, 1] = outputs[0, 4, 2] = outputs[0, 5, 3] = 5.0
    reduced = tagging.reduce(outputs, tensors)
    assert [r.tolist() for r in reduced] == [[1, 2, 3], [0, 0, 0]]
    texts = tagging.decode([reduced[1], reduced[0]], data, ROWS)
    assert texts == ["DET DET DET", "NOUN VERB PUNCT"]
    metrics, values = tagging.score(ROWS, texts, "tagging", "en")
    assert metrics["accuracy"] == 0.5
    assert values == [pytest.approx(1 / 3), pytest.approx(2 / 3)]


def test_words_that_are_not_there_do_not_count_in_the_loss(tokenizer):
    import torch

    rows = [*ROWS[:1], {"tokens": ["cat"], "tags": ["NOUN"]}]
    data = helpers.encode(tokenizer, "tagging", rows, TAGS)
    batch = tagging.collate(data, np.array([0, 1]))
    assert batch["tags"].tolist() == [[0, 1, 2], [1, -100, -100]]
    tensors = {k: torch.from_numpy(v) for k, v in batch.items() if isinstance(v, np.ndarray)}
    loss = tagging.loss(torch.zeros(2, 5, 4), tensors)
    assert loss.item() == pytest.approx(4 * np.log(4), abs=1e-5)
    assert batch["weight"] == 4


def test_a_tag_that_no_training_row_has_gives_no_loss_and_is_wrong(tokenizer):
    import torch

    rows = [{"tokens": ["a", "cat"], "tags": ["S/NP", "NOUN"]}]
    data = helpers.encode(tokenizer, "tagging", rows, TAGS)
    batch = tagging.collate(data, np.array([0]))
    assert batch["tags"].tolist() == [[-100, 1]]
    tensors = {k: torch.from_numpy(v) for k, v in batch.items() if isinstance(v, np.ndarray)}
    width = batch["ids"].shape[1]
    loss = tagging.loss(torch.zeros(1, width, 4), tensors)
    assert loss.item() == pytest.approx(np.log(4), abs=1e-5), "of the one known tag"
    predictions = tagging.decode([np.array([1, 1])], data, rows)
    metrics, values = tagging.score(rows, predictions, "tagging", "en")
    assert (predictions, metrics["accuracy"], values) == (["NOUN NOUN"], 0.5, [0.5])


def test_the_tags_of_an_open_set_are_those_of_the_training_rows(tokenizer):
    rows = [{"tokens": ["a"], "tags": ["NP/N"]}, {"tokens": ["a", "cat"], "tags": ["NP/N", "N"]}]
    labels = encode.labels_of(rows)
    assert labels == ["N", "NP/N"]
    data = helpers.encode(tokenizer, "tagging", rows, labels)
    data.meta["labels"], data.meta["spec"]["labels"] = labels, []  # as the encode step does
    assert tagging.decode([np.array([1]), np.array([1, 0])], data, rows) == ["NP/N", "NP/N N"]
