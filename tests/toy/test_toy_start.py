"""Weights before pre-training: words by the dictionary, attention to what is alike elsewhere."""

from random import Random

import pytest

torch = pytest.importorskip("torch")

from torch.nn.functional import cosine_similarity  # noqa: E402

from xstilts.toy import corpus, pretrain, spec, start  # noqa: E402

WIDTH = 128


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(1)
    model = pretrain.build(spec.Pretrain(width=WIDTH, heads=4), 2000)
    words = {f"concept {i}": [10 + 2 * i, 11 + 2 * i] for i in range(500)}
    start.words(model, words, share=0.6)
    start.attention(model)
    return model


def test_words_of_a_concept_are_near_each_other(encoder):
    weights = encoder.embeddings.word_embeddings.weight.data
    same = cosine_similarity(weights[10:1010:2], weights[11:1010:2])
    other = cosine_similarity(weights[10:1008:2], weights[13:1010:2])
    assert same.mean().item() == pytest.approx(0.6, abs=0.03)
    assert other.mean().item() == pytest.approx(0.0, abs=0.03)
    assert weights[10:].norm(dim=1).mean().item() == pytest.approx(
        start.WORDS * WIDTH**0.5, rel=0.05
    )
    assert not weights[1].any(), "padding"


def test_positions_and_words_do_not_overlap(encoder):
    last = start.position_width(WIDTH)
    assert last == 32
    assert not encoder.embeddings.word_embeddings.weight[:, -last:].any()
    positions = encoder.embeddings.position_embeddings.weight
    assert not positions[:, :-last].any()
    assert positions.norm(dim=1).allclose(torch.tensor(start.WORDS * (last / 2) ** 0.5))


def test_attention_is_on_the_same_word_in_another_place(encoder):
    own = encoder.encoder.layer[0].attention.self
    product = own.query.weight.T @ own.key.weight
    last = start.position_width(WIDTH)
    ideal = torch.ones(WIDTH)
    ideal[-last:] = -1
    assert (product.diagonal() * ideal).min() > 0.5 * start.LOOK**2
    off = product - torch.diag(product.diagonal())
    assert off.abs().mean() < 0.1 * start.LOOK**2


def test_what_attention_finds_is_taken_away(encoder):
    own = encoder.encoder.layer[0].attention
    product = own.output.dense.weight @ own.self.value.weight
    ideal = torch.diag(torch.full((WIDTH,), -start.TAKE))
    ideal[-start.position_width(WIDTH) :] = 0
    assert product.allclose(ideal, atol=1e-5)


def test_the_last_layer_is_left_as_it_was(encoder):
    own = encoder.encoder.layer[-1].attention.self
    product = own.query.weight.T @ own.key.weight
    assert product.diagonal().abs().mean() < 0.1


def test_what_is_aligned_means_the_same():
    rng, languages = Random(1), ("en", "zh")
    for _ in range(20):
        whole = corpus.aligned_sentence(rng, languages)
        for (text,), span in zip(whole.texts, whole.spans, strict=True):
            assert span == (0, len(text))
        part = corpus.aligned_part(rng, languages)
        texts = [text[a:b] for (text,), (a, b) in zip(part.texts, part.spans, strict=True)]
        assert all(texts) and texts[0] != texts[1]
        judged = corpus.aligned_inference(rng, languages)
        assert [len(pair) for pair in judged.texts] == [2, 2] and judged.first_token
