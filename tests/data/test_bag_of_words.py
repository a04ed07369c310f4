"""What is told of train rows by their words alone."""

import tracemalloc

import numpy as np
import pytest

from xstilts.data import bag_of_words

N = 60


def pair(number, label, text_pair, text="A dog sleeps."):
    return {"id": f"r{number}", "text": text, "text_pair": text_pair, "label": label}


def test_a_word_that_gives_a_label_away_is_found_and_a_wrong_label_is_below_chance():
    rows = [
        pair(n, "contradiction" if n % 2 else "entailment", "It does not." if n % 2 else "It does.")
        for n in range(N)
    ]
    assert bag_of_words.correct(rows, "classification").tolist() == [1.0] * N
    rows[7]["label"] = "entailment"
    found = bag_of_words.correct(rows, "classification")
    assert found[7] == 0 and found.sum() == N - 1


def test_a_word_counts_on_its_side_alone():
    told = [pair(n, "ab"[n % 2], "x" if n % 2 else "y", "y" if n % 2 else "x") for n in range(N)]
    assert bag_of_words.correct(told, "classification").mean() == 1


def test_labels_that_words_say_nothing_of_are_at_chance():
    drawn = np.random.default_rng(0).integers(0, 2, 600)
    words = np.random.default_rng(1).integers(0, 20, 600)
    rows = [pair(n, "ab"[drawn[n]], f"w{words[n]}") for n in range(600)]
    assert 0.4 < bag_of_words.correct(rows, "classification").mean() < 0.6


def test_a_choice_is_known_by_its_words_or_by_those_that_it_shares():
    rows = [
        {
            "id": f"r{n}",
            "context": f"c{n}",
            "choices": [f"c{n}", "z"] if n % 2 else ["z", f"c{n}"],
            "label": 1 - n % 2,
        }
        for n in range(N)
    ]
    assert bag_of_words.correct(rows, "choice").tolist() == [1.0] * N


def test_a_tag_is_the_most_frequent_of_the_word():
    rows = [{"id": f"r{n}", "tokens": ["The", "dog"], "tags": ["DET", "NOUN"]} for n in range(N)]
    rows[3] = {"id": "r3", "tokens": ["the", "cat"], "tags": ["DET", "VERB"]}
    found = bag_of_words.correct(rows, "tagging")
    assert found[3] == 0.5 and found.sum() == N - 0.5


@pytest.mark.parametrize(("start", "right"), [(20, 1.0), (0, 0.0)])
def test_an_answer_is_in_the_sentence_that_shares_most_with_the_question(start, right):
    context = "Paris is in France. Rome is the capital of Italy. It rains."
    answers = {"text": ["Rome"], "start": [start]}
    row = {"id": "q", "question": "What is the capital of Italy?", "context": context}
    assert bag_of_words.correct([{**row, "answers": answers}], "span").tolist() == [right]


def test_the_words_of_all_rows_are_not_in_memory_at_once():
    text = [" ".join(f"w{(31 * i + 7 * j) % 997}" for j in range(40)) for i in range(1000)]
    rows = [
        {"id": str(i), "text": own, "text_pair": None, "label": "ab"[i % 2]}
        for i, own in enumerate(text)
    ]
    tracemalloc.start()
    bag_of_words.correct(rows, "classification")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * len(rows)  # bytes: 8 a word, in some arrays; sets take 6,000
