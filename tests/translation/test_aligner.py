"""Words are aligned by a tiny encoder, whose states are compared with those of the model alone."""

import numpy as np
import pytest
import torch
from tests import helpers

from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.models import checkpoint
from xstilts.translation import aligner as aligners
from xstilts.translation.aligner import WordAligner


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return helpers.write_model(tmp_path_factory.mktemp("m"), layers=2)


def test_words_are_the_means_of_their_tokens_at_a_layer(model):
    words = ("the", "cat", "xyz", "sat")  # `xyz` is of several tokens
    (found,) = WordAligner(str(model), 1).states([words])
    tokenizer = load_tokenizer(model / "tokenizer.json")
    pieces = [[i for i, _ in tokenizer.encode_words(words)[word]] for word in words]
    before, after = tokenizer.template
    ids = torch.tensor([[*before, *(i for one in pieces for i in one), *after]])
    encoder = checkpoint.load_encoder(model)
    with torch.no_grad():
        states = encoder(ids, output_hidden_states=True).hidden_states[1][0].numpy()
    at = len(before)
    for vector, own in zip(found.vectors, pieces, strict=True):
        mean = states[at : at + len(own)].mean(0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)
        at += len(own)
    assert len(pieces[2]) > 1
    assert found.words == [range(i, i + 1) for i in range(4)]


def test_the_layer_is_that_of_retrieval_unless_it_is_asked_for(model):
    words = [("the", "cat")]
    default, second, first = (WordAligner(str(model), n).states(words) for n in (None, 2, 1))
    middle = checkpoint.retrieval_layer(checkpoint.load_encoder(model).config, None)
    expected = {1: first, 2: second}[middle]
    np.testing.assert_array_equal(default[0].vectors, expected[0].vectors)
    assert not np.allclose(first[0].vectors, second[0].vectors)


def test_characters_of_one_token_are_aligned_together(model):
    (found,) = WordAligner(str(model), 1).states([("猫", "看", "见", "狗", "x")])
    assert found.words == [range(0, 1), range(1, 3), range(3, 4), range(4, 5)]
    how = WordAligner(str(model), 1, "mutual")(("猫", "看", "见"), ("猫", "看", "见"))
    assert how.links == ((0, 0), (1, 1), (1, 2), (2, 1), (2, 2))
    assert how.nearest == (0, 1, 1)


def test_a_text_is_aligned_with_itself_word_by_word(model):
    words = ("the", "big", "red", "dog", "sees", "a", "cat")
    for method in ("mutual", "assigned"):
        how = WordAligner(str(model), 1, method)(words, words)
        assert how.links == tuple((i, i) for i in range(7))


def test_batches_and_windows_change_nothing_but_what_a_window_sees(model, monkeypatch):
    texts = [("the", "cat", "sat"), ("a", "dog"), ("der", "hund", "der", "katze", "sieht")]
    aligner = WordAligner(str(model), 1)
    together = aligner.states(texts)
    for text, states in zip(texts, together, strict=True):
        (alone,) = aligner.states([text])
        np.testing.assert_allclose(states.vectors, alone.vectors, atol=1e-5)
    monkeypatch.setattr(aligners, "LENGTH", 6)
    long = ("the", "big", "red", "dog", "sees", "a", "cat") * 3
    (cut,) = WordAligner(str(model), 1).states([long])
    assert cut.vectors.shape[0] == 21
    np.testing.assert_allclose(np.linalg.norm(cut.vectors, axis=1), 1, atol=1e-5)


def test_nothing_to_align(model):
    aligner = WordAligner(str(model), 1)
    aligner.prepare([])
    assert aligner.known == {}
    assert aligner(("the",), ()).links == ()
