"""The toy world's grammars as a translator."""

from itertools import islice
from random import Random

import pytest

from xstilts.toy import analysis, nli, reading, world
from xstilts.toy.languages import grammar
from xstilts.toy.lexicon import LANGUAGES
from xstilts.translation.toy import MISTAKES, Toy, unmarked

TEXT = "Anna buys [a red car] in the park. Who buys five big apples?"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_a_grammar_writes_it_reads(lang):
    """Statements of all sorts, premises, hypotheses and questions: the form that is read is
    written as the same text."""
    rng, of = Random(7), grammar(lang)
    forms = [world.sentence(rng) for _ in range(60)]
    forms += [f for i in islice(nli.inferences(Random(3)), 20) for f in (i.premise, i.hypothesis)]
    forms += [i.question for i in islice(reading.passages(Random(4)), 30)]
    for text in (of.sentence(form).text for form in forms):
        found = analysis.parse(text, lang)
        assert found is not None and of.sentence(found).text == text


def test_no_sentence_of_the_grammar():
    """What no grammar writes has no form."""
    assert analysis.parse("Colourless green ideas sleep furiously.", "en") is None


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("de", "Anna kauft in dem Park [ein rotes Auto]. Wer kauft fünf große Äpfel?"),
        ("ru", "Анна покупает [красную машину] в парке. Кто покупает пять больших яблок?"),
        ("zh", "安娜在公园买[红色的汽车]。谁买五个大的苹果？"),
    ],
)
def test_translates_and_back(lang, text):
    """Sentence by sentence, marks around what they were around."""
    assert Toy("en", lang, {}, 1).line(TEXT) == text
    assert Toy(lang, "en", {}, 1).line(text) == TEXT


def test_the_same_as_the_world_has():
    """Without mistakes it is what the toy world itself has for a row in another language."""
    rng = Random(5)
    for form in (world.statement(rng) for _ in range(40)):
        text = grammar("en").sentence(form).text
        assert Toy("en", "de", {}, 1).line(text) == grammar("de").sentence(form).text


def test_words_that_are_not_known():
    """Outside of the grammar word by word, what is not known as it is."""
    assert Toy("en", "de", {}, 1).line("In 1999 Anna sees tofu!") == "in 1999 Anna sieht tofu!"


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes(kind):
    """Each kind changes the text in its way, the same whatever stands around the line."""
    right = Toy("en", "de", {}, 1).line(TEXT)
    toy = Toy("en", "de", {kind: 1.0}, 1)
    wrong = toy.translate(["Tom is in Berlin.", TEXT])[1]
    assert wrong != right and wrong == toy.line(TEXT)
    if kind == "lost_mark":
        assert wrong == right.replace("[", "").replace("]", "")
    if kind == "english_left":
        assert "buy" in wrong and "kauft" not in wrong
    if kind == "dropped_word":
        assert not any(c.isalpha() for c in wrong)
    if kind == "other_order":
        assert sorted(wrong) == sorted(right)


def test_rate_of_mistakes():
    """A rate is a share of the words."""
    rng = Random(2)
    texts = [grammar("en").sentence(world.event(rng)).text for _ in range(400)]
    right = Toy("en", "ru", {}, 1).translate(texts)
    found = Toy("en", "ru", {"dropped_word": 0.1}, 1).translate(texts)
    words, left = (sum(len(text.split()) for text in each) for each in (right, found))
    assert 0.07 < 1 - left / words < 0.13


def test_marks():
    """A pair of marks, each once and in order."""
    assert unmarked("a [b] c") == ("a b c", "[]", 2, 3)
    assert unmarked("a ]b[ c") == ("a ]b[ c", "", 0, 0)
    assert unmarked("a [b] [c]") == ("a [b] [c]", "", 0, 0)
