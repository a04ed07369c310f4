"""Nothing but the meaning gives a label away: what a linear model of the words cannot do."""

from collections import Counter
from itertools import islice
from random import Random

import numpy as np
import pytest

from xstilts.data import passages, rows
from xstilts.toy import hops, nli, paraphrase, quiz, reading, stories, world
from xstilts.toy.catalogue import linking, multihop
from xstilts.toy.languages import grammar


def scores(texts, labels):
    """Held-out scores of a logistic model of the words of each text, a column a label."""
    words = sorted({word for text in texts for word in text})
    index = {word: i for i, word in enumerate(words)}
    features = np.zeros((len(texts), len(words) + 1), np.float32)
    features[:, -1] = 1
    for row, text in enumerate(texts):
        features[row, [index[word] for word in text]] = 1
    names = sorted(set(labels))
    gold = np.eye(len(names), dtype=np.float32)[[names.index(name) for name in labels]]
    split = len(texts) * 3 // 4
    weights = np.zeros((len(words) + 1, len(names)), np.float32)
    speed = np.zeros_like(weights)
    # Below 4 / mean squared length of a row, gradient descent converges; momentum hurries it.
    rate = 2 / features.sum(1).mean()
    for _ in range(200):
        found = features[:split] @ weights
        chances = np.exp(found - found.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        error = features[:split].T @ (chances - gold[:split]) / split + 1e-3 * weights
        speed = 0.9 * speed - rate * error
        weights += speed
    return features[split:] @ weights


def accuracy(texts, labels):
    """Held-out accuracy of that model."""
    names = sorted(set(labels))
    guesses = scores(texts, labels).argmax(1)
    gold = labels[len(texts) * 3 // 4 :]
    return np.mean([names[guess] == name for guess, name in zip(guesses, gold, strict=True)])


def words_of(form):
    return {token.text.lower() for token in grammar("en").sentence(form).tokens}


def words_in(form, code):
    return {token.text.lower() for token in grammar(code).sentence(form).tokens}


def marked(first, second):
    """The words of two texts, of either and of the second alone."""
    return (
        {"1:" + w for w in first}
        | {"2:" + w for w in second}
        | {"new:" + w for w in second - first}
    )


def test_a_shortcut_is_found_where_there_is_one():
    rng = Random(1)
    labels = [rng.choice("ab") for _ in range(400)]
    texts = [{label, rng.choice("xyz")} for label in labels]
    assert accuracy(texts, labels) == 1


def test_no_shortcut_gives_the_label_of_an_inference_away():
    items = list(islice(nli.inferences(Random("shortcuts")), 1500))
    assert set(Counter(item.label for item in items).values()) == {500}
    assert len({(item.premise, item.hypothesis) for item in items}) == len(items)
    labels = [item.label for item in items]
    premise = [words_of(item.premise) for item in items]
    hypothesis = [words_of(item.hypothesis) for item in items]
    new = [h - p for p, h in zip(premise, hypothesis, strict=True)]
    both = [marked(p, h) for p, h in zip(premise, hypothesis, strict=True)]
    figures = [accuracy(texts, labels) for texts in (hypothesis, new, premise, both)]
    print(figures)
    assert all(f < most for f, most in zip(figures, (0.40, 0.45, 0.60, 0.60), strict=True)), figures


@pytest.mark.parametrize("draw", [paraphrase.statements, paraphrase.questions])
def test_the_words_of_twins_do_not_tell_whether_they_mean_the_same(draw):
    items = list(islice(paraphrase.twins(Random("shortcuts"), draw), 2000))
    labels = [item.same for item in items]
    assert 0.45 < np.mean(labels) < 0.55
    first = [words_of(item.first) for item in items]
    second = [words_of(item.second) for item in items]
    both = [marked(a, b) for a, b in zip(first, second, strict=True)]
    figures = [accuracy(texts, labels) for texts in (first, second, both)]
    print(draw.__name__, figures)
    assert max(figures) < 0.57, figures


def test_twins_are_as_long_and_keep_their_words_whether_or_not_they_mean_the_same():
    items = list(islice(paraphrase.twins(Random("length"), paraphrase.statements), 3000))
    for measure in (
        lambda item: len(words_of(item.first)) - len(words_of(item.second)),
        lambda item: len(words_of(item.second) - words_of(item.first)),
    ):
        means = [np.mean([measure(i) for i in items if i.same is same]) for same in (True, False)]
        assert abs(means[0] - means[1]) < 0.1, means


def test_the_words_of_a_question_do_not_tell_whether_it_is_answered():
    items = list(islice(reading.with_unanswerable(Random("shortcuts")), 2000))
    labels = [item.answerable for item in items]
    most = np.mean(labels)
    assert 0.6 < most < 0.72
    read = [reading.render(item, grammar("en")) for item in items]
    asked = [set(r["question"].rstrip("?").split()) for r in read]
    said = [set(r["context"].replace(".", "").split()) for r in read]
    figures = [
        accuracy(asked, labels),
        accuracy([marked(c, q) for c, q in zip(said, asked, strict=True)], labels),
    ]
    print(most, figures)
    assert max(figures) < most + 0.03, figures


def story_choices(chain):
    """The choices of stories, and which is right."""
    items = list(islice(stories.stories(Random("shortcuts"), chain), 1200))
    texts = [[grammar("en").sentence(c).text for c in item.endings] for item in items]
    return texts, [item.right for item in items]


def fewer(chain, count):
    """The choices of Social IQa (three) and COPA (two)."""
    found = stories.choices(stories.stories(Random("shortcuts"), chain), Random("choices"), count)
    items = list(islice(found, 1200))
    texts = [[grammar("en").sentence(c).text for c in item.endings] for item in items]
    return texts, [item.right for item in items]


def quiz_choices():
    """The choices of questions without a context, and which is right."""
    items = list(islice(quiz.questions(Random("shortcuts")), 1200))
    return [list(item.choices) for item in items], [item.right for item in items]


@pytest.mark.parametrize(
    "make",
    [
        lambda: story_choices(stories.NEXT),
        lambda: story_choices(stories.BEFORE),
        lambda: fewer(stories.NEXT, 3),
        lambda: fewer(stories.NEXT, 2),
        lambda: fewer(stories.BEFORE, 2),
        quiz_choices,
    ],
    ids=["next", "before", "siqa", "copa-effect", "copa-cause", "quiz"],
)
def test_neither_place_nor_length_nor_the_words_of_a_choice_tell_that_it_is_right(make):
    texts, right = make()
    count = len(texts[0])
    places = Counter(right)
    assert max(places.values()) < 1.2 * len(texts) / count, places
    for pick in (min, max):
        lengths = [[len(text) for text in row] for row in texts]
        hits = [row.index(pick(row)) == answer for row, answer in zip(lengths, right, strict=True)]
        assert abs(np.mean(hits) - 1 / count) < 0.05, np.mean(hits)
    alone = [set(text.rstrip(".").split()) for row in texts for text in row]
    labels = [i == answer for row, answer in zip(texts, right, strict=True) for i in range(count)]
    guesses = scores(alone, labels)[:, 1].reshape(-1, count).argmax(1)
    assert np.mean(guesses == right[-len(guesses) :]) < 1 / count + 0.07


def test_neither_deed_nor_thing_that_most_choices_share_is_right_more_often():
    found = stories.choices(stories.stories(Random("shared")), Random("choices"), 3)
    hits = Counter()
    for item in islice(found, 900):
        parts = [(c.verb, c.patient) for c in item.endings]
        shares = [
            sum(a == b for other in parts for a, b in zip(p, other, strict=True)) for p in parts
        ]
        hits[shares[item.right] == max(shares)] += 1
    assert abs(hits[True] / 900 - 1 / 3) < 0.05, hits


def test_the_name_alone_does_not_find_an_entity_nor_the_words_of_another_language():
    items = list(islice(linking.entities(Random("shortcuts")), 300))
    facts = [fact for item in items for fact in item.facts]
    assert len(set(facts)) == len(facts), "one person alone does this"
    names = Counter(item.facts[0].agent for item in items)
    assert len(names) == len(world.names("name")) and max(names.values()) < 50
    words = {code: [words_in(item.facts[0], code) for item in items] for code in ("en", "de")}
    hits = 0
    for number, asked in enumerate(words["de"]):
        shared = [len(asked & other) for other in words["en"]]
        best = [i for i, n in enumerate(shared) if n == max(shared)]
        hits += (number in best) / len(best)
    assert hits / 300 < 0.25, hits


@pytest.mark.parametrize(
    ("shape", "code", "number"),
    [
        ("hotpot", "en", 2), ("hotpot", "de", 2), ("hotpot", "zh", 2),
        ("musique", "en", 3), ("musique", "en", 4), ("multiq", "ru", 2),
    ],
)  # fmt: skip
def test_neither_the_words_nor_one_sentence_tell_a_place_that_is_several_hops_away(
    shape, code, number
):
    """Each of the places of a question is right as often, whatever the question says beside the
    sentence that has it; where it stands; and, of two hops, what else its paragraph says."""
    language, read = grammar(code), rows.ROW_FUNCTIONS[shape]
    items = list(islice(hops.puzzles(Random(f"{shape}/{number}"), (number,)), 500))
    raw = {
        "hotpot": lambda: multihop.hotpot_rows(items, language, "validation"),
        "musique": lambda: multihop.musique_rows(items, "validation"),
        "multiq": lambda: [multihop.multiq_row(item, language) for item in items],
    }[shape]()
    alone, beside, labels, ranks = [], [], [], Counter()
    for at, (item, row) in enumerate(zip(items, raw, strict=True)):
        made = passages.assemble({"id": str(at), **read(row)}, "all")
        asked, found = words_in(item.question, code), []
        for clause in item.clauses:
            if clause.verb == "be":
                sentence = language.sentence(clause)
                (paragraph,) = [p for p in read(row)["paragraphs"] if sentence.text in p["text"]]
                others = item.clauses if shape == "multiq" else [
                    c for c in item.clauses if language.sentence(c).text in paragraph["text"]
                ]  # fmt: skip
                alone.append(marked(asked, words_in(clause, code)))
                beside.append(marked(asked, set().union(*(words_in(c, code) for c in others))))
                right = made["answers"]["text"] == [sentence.span("place")[1]]
                labels.append(str(right))
                found.append((made["context"].index(sentence.text), right))
        assert sum(right for _, right in found) == 1
        ranks[[right for _, right in sorted(found)].index(True)] += 1
    count = len(found)
    # Of a longer chain the paragraph of the last person says less than that of one on the way: it
    # finds half of them.
    for texts in (alone, beside) if number == 2 else (alone,):
        guesses = scores(texts, labels)[:, 1].reshape(-1, count).argmax(1)
        gold = np.array(labels).reshape(-1, count)[-len(guesses) :]
        hits = np.mean(gold[np.arange(len(guesses)), guesses] == "True")
        assert hits < 1 / count + 0.1
    assert max(ranks.values()) < 1.3 * len(items) / count, ranks


def test_a_claim_is_true_as_often_whatever_its_words():
    items = list(islice(hops.puzzles(Random("claims"), (2,), 1.0), 1500))
    labels = [str(item.answer) for item in items]
    asked = [words_of(item.question) for item in items]
    context = [set().union(*map(words_of, item.clauses)) for item in items]
    both = [marked(c, q) for c, q in zip(context, asked, strict=True)]
    assert all(accuracy(found, labels) < 0.56 for found in (asked, context, both))
