"""The table of words: whole, and without words that would break a label."""

from collections import defaultdict

from xstilts.toy import lexicon, stories, world
from xstilts.toy.inference import relation
from xstilts.toy.languages import GRAMMARS


def test_every_concept_has_a_word_in_every_language():
    assert set(GRAMMARS) == set(lexicon.LANGUAGES)
    assert len(lexicon.concepts()) >= 150
    for language in lexicon.LANGUAGES:
        words = lexicon.words(language)
        assert set(words) == set(lexicon.concepts())
        empty = [name for name, word in words.items() if not all(f.strip() for f in word.forms)]
        assert not empty, (language, empty)


def test_words_have_the_forms_and_genders_that_the_grammars_use():
    forms = {
        "en": {"noun": 2, "verb": 2},
        "de": {"noun": 2, "verb": 1},
        "ru": {"name": 2, "noun": 3, "mass": 2, "site": 2, "city": 2},
        "ar": {"noun": 2, "verb": 2, "adjective": 2},
        "hi": {"noun": 3, "site": 2, "verb": 2, "adjective": 3},
    }
    genders = {"de": "mfn", "ru": "mfn", "ar": "mf", "hi": "mf"}
    for name, concept in lexicon.concepts().items():
        for language, counts in forms.items():
            word = lexicon.words(language)[name]
            if concept.kind in counts:
                assert len(word.forms) == counts[concept.kind], (language, name)
        for language, known in genders.items():
            if concept.kind in ("noun", "mass"):
                assert lexicon.words(language)[name].gender in tuple(known), (language, name)


def test_no_two_concepts_share_a_word_in_a_language():
    # The pronouns of Hindi are one word, and Russian asks `what` with the word for `that`.
    for language in lexicon.LANGUAGES:
        owners = defaultdict(set)
        for name, word in lexicon.words(language).items():
            for form in word.forms:
                owners[form.lower()].add(name)
        shared = {f: names for f, names in owners.items() if len(names) > 1}
        assert set(map(frozenset, shared.values())) <= {frozenset({"he", "she"})}, (
            language,
            shared,
        )


def test_the_world_refers_to_concepts_that_exist():
    known = lexicon.concepts()
    groups = {c.group for c in known.values()} | {"name", "fact"}
    for concept in known.values():
        assert not concept.is_a or known[concept.is_a].kind in ("noun", "mass", concept.kind)
        assert set(concept.takes) <= groups, concept
    assert {*stories.NEXT, *stories.NEXT.values()} <= set(world.events())


def test_relations_of_concepts():
    assert relation("apple", "food") == "up"
    assert relation("food", "apple") == "down"
    assert relation("apple", "banana") == "other"
    assert relation("berlin", "germany") == "up"
    assert relation("berlin", "russia") == "excluded"
    assert relation("berlin", "park") == "other"
    assert relation("tiny", "big") == "excluded"
    assert relation("red", "") == "up"
    assert relation("", "red") == "down"
    assert relation("love", "hate") == "excluded"
