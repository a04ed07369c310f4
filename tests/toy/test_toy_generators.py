"""What the generators make of one hand-written clause: twins, near misses, questions, entities."""

from dataclasses import replace
from itertools import islice
from random import Random

import pytest

from xstilts.toy import lexicon, nli, paraphrase, quiz, reading, stories, world
from xstilts.toy.entities import Scene, scenes, tagged
from xstilts.toy.forms import Clause, Pair, Thing
from xstilts.toy.inference import infer
from xstilts.toy.languages import grammar

EATS = Clause(Thing("anna"), "eat", Thing("apple", "red"), place="berlin")
SELLS = Clause(Thing("tom"), "sell", Thing("bread"))


def test_clauses_swap_what_is_heard_and_makes_sense():
    agents = replace(EATS, agent=Thing("tom")), replace(SELLS, agent=Thing("anna"))
    patients = replace(EATS, patient=Thing("bread")), replace(SELLS, patient=Thing("apple", "red"))
    places = replace(EATS, place=""), replace(SELLS, place="berlin")
    assert paraphrase.swaps(EATS, SELLS) == [agents, patients, places]
    car = replace(SELLS, patient=Thing("car"))
    assert len(paraphrase.swaps(EATS, car)) == 2, "nobody eats a car"
    who, what = replace(EATS, ask="agent"), replace(SELLS, ask="patient")
    assert paraphrase.swaps(who, what) == [(replace(who, place=""), replace(what, place="berlin"))]
    assert paraphrase.swaps(EATS, replace(EATS, verb="buy")) == []


def test_opposites_are_of_groups_of_two():
    assert paraphrase.opposites()["clean"] == "dirty"
    assert not {"red", "big", "old"} & set(paraphrase.opposites())


def test_twins_have_their_clauses_in_the_other_order():
    for item in islice(paraphrase.twins(Random(1), paraphrase.statements), 200):
        one, other = item.first, item.second
        assert (one.link, one.first.verb) == (other.link, other.second.verb)
        if item.first.second.quality:
            told, again = item.first.second, item.second.first
            turned = (told.quality != again.quality) + (told.negated != again.negated)
            assert item.same == (turned in (0, 2))
            assert told.quality == again.quality or (
                paraphrase.opposites()[told.quality] == again.quality
            )
        else:
            assert item.same == ((one.first, one.second) == (other.second, other.first))


def test_two_questions_end_in_one_question_mark():
    asked = Pair(replace(EATS, ask="agent"), "and", replace(SELLS, ask="patient"))
    text = "Who eats a red apple in Berlin and what does Tom sell?"
    assert grammar("en").sentence(asked).text == text


@pytest.mark.parametrize("asked", ["agent", "patient", "place"])
def test_a_near_miss_keeps_what_is_asked_for(asked):
    for seed in range(50):
        for miss in reading.near_misses(Random(seed), EATS, asked):
            changed = [
                part
                for part in ("agent", "verb", "patient", "place")
                if getattr(miss, part) != getattr(EATS, part)
            ]
            assert len(changed) <= 1 and asked not in changed
            assert world.fits(miss)


def test_nothing_in_an_unanswerable_passage_answers_its_question():
    clauses = (EATS, SELLS)
    item = reading.Passage(clauses, replace(EATS, ask="patient", place=""), 0)
    unanswerable = [
        found for seed in range(30) if (found := reading.make_unanswerable(Random(seed), item))
    ]
    assert unanswerable
    for found in unanswerable:
        assert not found.answerable and found.question == item.question
        assert not any(reading.answers(c, found.question) for c in found.clauses)
        assert found.clauses[1] == SELLS
        assert found.clauses[0].patient == EATS.patient, "there is something to mistake for it"


def test_what_came_before_is_the_other_way_round():
    assert stories.BEFORE["find"] == "lose" and len(stories.BEFORE) == len(stories.NEXT)
    for item in islice(stories.stories(Random(1), stories.BEFORE), 50):
        told = next(c for c in item.events if c.agent == item.hero)
        right = item.endings[item.right]
        assert stories.NEXT[right.verb] == told.verb
        assert right.patient.noun == told.patient.noun


def test_questions_come_in_fives_with_the_same_choices():
    asked = list(islice(quiz.questions(Random(1)), 500))
    for five in zip(*[iter(asked)] * 5, strict=True):
        assert len({frozenset(q.choices) for q in five}) == 1
        assert len({q.choices[q.right] for q in five}) == 5
    assert len({(q.text, frozenset(q.choices)) for q in asked}) == 500


def test_only_the_right_choice_is_right():
    facts = quiz.unambiguous(Random(1), quiz.kinds(), quiz.is_a)
    assert len(facts) == 5
    for general, _ in facts:
        assert sum(general in lexicon.ancestors(name) for _, name in facts) == 1
    assert quiz.unambiguous(Random(1), [("a", "x"), ("b", "x")], lambda about, x: True) in (
        [("a", "x")],
        [("b", "x")],
    )


def test_asides_say_nothing_of_the_hypothesis():
    item = nli.Inference(EATS, EATS, "entailment")
    found = nli.asides(Random(1), item, 20)
    assert len(found) == 20 and {infer(c, EATS) for c in found} == {"neutral"}
    located = nli.Inference(EATS, Clause(Thing("anna"), "be", place="park"), "neutral")
    assert all(c.agent.noun != "anna" for c in nli.asides(Random(1), located, 50))


HOTEL = Scene(replace(EATS, place="hotel"), second_name="peter", named_after="berlin")


@pytest.mark.parametrize(
    ("scene", "language", "expected"),
    [
        (HOTEL, "en", "Anna/B-PER Peter/I-PER eats a red apple in the Berlin/B-ORG hotel/I-ORG ."),
        (
            HOTEL,
            "de",
            "Anna/B-PER Peter/I-PER isst in dem Hotel/B-ORG Berlin/I-ORG einen roten Apfel .",
        ),
        (HOTEL, "zh", "安娜/B-PER 彼得/I-PER 在 柏林/B-ORG 酒店/I-ORG 吃 红色 的 苹果 。"),
        (Scene(EATS), "en", "Anna/B-PER eats a red apple in Berlin/B-LOC ."),
        (
            Scene(Clause(Thing("king", definite=True), "see", Thing("tom"), place="park")),
            "en",
            "The king sees Tom/B-PER in the park .",
        ),
        (
            Scene(Clause(Thing("anna"), "be", place="berlin"), country=True),
            "ru",
            "Анна/B-PER в Берлине/B-LOC ,/I-LOC Германия/I-LOC .",
        ),
    ],
)
def test_entities_of_a_scene(scene, language, expected):
    found = tagged(scene, grammar(language))
    assert " ".join(f"{word}/{tag}".removesuffix("/O") for word, tag in found) == expected


def test_tags_of_entities_are_whole_in_every_language():
    for item in islice(scenes(Random(1)), 300):
        for code in lexicon.LANGUAGES:
            tags = [tag for _, tag in tagged(item, grammar(code))]
            for before, tag in zip(["O", *tags], tags, strict=False):
                assert not tag.startswith("I-") or before[2:] == tag[2:]
            assert ("B-ORG" in tags) == bool(item.named_after)
