"""Tagging on cases worked out by hand, and against seqeval."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.metrics import tagging


def test_ner_by_hand():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    predicted = [["B-PER", "I-PER", "O", "B-ORG"], ["B-ORG", "I-ORG"]]
    # Chunks: gold 3, predicted 3, in common the person.
    assert tagging.chunk_f1(gold, predicted) == {"accuracy": 3 / 6, "f1": pytest.approx(1 / 3)}


def test_a_chunk_ends_with_its_sentence():
    assert tagging.chunks(["B-PER", "I-PER"]) == [("PER", 0, 2)]
    two = tagging.chunk_f1([["B-PER"], ["I-PER"]], [["B-PER"], ["I-PER"]])
    assert two == {"accuracy": 1.0, "f1": 1.0}


def test_runs_of_equal_pos_tags_are_one_chunk():
    gold = [["NOUN", "NOUN", "VERB", "NOUN"]]
    predicted = [["NOUN", "VERB", "VERB", "NOUN"]]
    assert tagging.chunks(gold[0]) == [("NOUN", 0, 2), ("VERB", 2, 3), ("NOUN", 3, 4)]
    # One word of four is wrong, but two chunks of three: this is why F1 is below accuracy.
    assert tagging.chunk_f1(gold, predicted) == {"accuracy": 0.75, "f1": pytest.approx(1 / 3)}


def test_first_letters_of_pos_tags_are_read_as_positions():
    assert tagging.chunks(["SCONJ", "SCONJ"]) == [("SCONJ", 0, 1), ("SCONJ", 1, 2)]
    assert tagging.chunks(["INTJ", "INTJ"]) == [("INTJ", 0, 2)]


def test_conjunctions_are_not_confused():
    """Where today's seqeval is not followed; `chunks` says why."""
    gold, predicted = [["CCONJ", "NOUN"]], [["SCONJ", "NOUN"]]
    assert tagging.chunk_f1(gold, predicted)["f1"] == 0.5
    assert seqeval_f1(gold, predicted) == 1.0


def test_an_x_at_the_end_of_a_sentence_is_a_chunk():
    gold, predicted = [["NOUN", "X"]], [["NOUN", "NOUN"]]
    assert tagging.chunks(gold[0]) == [("NOUN", 0, 1), ("X", 1, 2)]
    assert tagging.chunk_f1(gold, gold)["f1"] == 1.0
    assert tagging.chunk_f1(gold, predicted)["f1"] == 0.0


def test_no_chunks_at_all_is_zero_as_in_seqeval():
    assert tagging.chunk_f1([["O", "O"]], [["O", "O"]]) == {"accuracy": 1.0, "f1": 0.0}


def test_sentences_of_unequal_length_are_named():
    with pytest.raises(ValueError, match="sentence 1 has 2 gold tags but 1 predicted ones"):
        tagging.chunk_f1([["O"], ["O", "O"]], [["O"], ["O"]])


IOBES = ["O", *(f"{letter}-{kind}" for letter in "BIES" for kind in ("PER", "LOC", "A-B"))]
UPOS = ["ADJ", "ADP", "CCONJ", "DET", "INTJ", "NOUN", "PUNCT", "SCONJ", "SYM", "VERB", "X", "_"]
PENN = [".", ",", "NN", "EX", "IN", "BOS", "O"]


def tag_pairs(tags):
    """Return a strategy of (gold, predicted): sentences of equal length over `tags`."""
    pair = st.tuples(st.sampled_from(tags), st.sampled_from(tags))
    sentences = st.lists(st.lists(pair, min_size=1, max_size=12), min_size=1, max_size=6)
    return sentences.map(
        lambda rows: ([[g for g, _ in row] for row in rows], [[p for _, p in row] for row in rows])
    )


def seqeval_f1(gold, predicted):
    from seqeval.metrics import f1_score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f1_score(gold, predicted)


@given(tag_pairs(IOBES))
def test_iobes_equals_seqeval(pair):
    assert tagging.chunk_f1(*pair)["f1"] == pytest.approx(seqeval_f1(*pair), abs=1e-12)


@pytest.mark.parametrize("tags", [UPOS, PENN])
def test_bare_tags_equal_seqeval_told_the_whole_tag(tags):
    """`N-<NOUN>` tells today's seqeval what 0.0.12 read off `NOUN`: letter N, a kind of its own."""

    def spelt_out(sentences):
        return [[tag if tag in "O." else f"{tag[0]}-<{tag}>" for tag in tags] for tags in sentences]

    @given(tag_pairs(tags))
    def check(pair):
        f1 = seqeval_f1(*map(spelt_out, pair))
        assert tagging.chunk_f1(*pair)["f1"] == pytest.approx(f1, abs=1e-12)

    check()
