"""Rows of translations by the toy world, and how right their labels are."""

from collections import Counter

import pytest

from xstilts.toy import entities, reading
from xstilts.toy.catalogue.qa import squad_rows
from xstilts.toy.catalogue.tagging import udpos_rows, wikiann_rows
from xstilts.toy.grammar import UPOS_OF_KIND
from xstilts.toy.languages import grammar
from xstilts.toy.schema import NER, UPOS
from xstilts.translation import projection, rows
from xstilts.translation.links import Alignment
from xstilts.translation.toy import Toy
from xstilts.translation.truth import ToyTruth

SPEC = {"engine": "toy", "from": "en", "to": "de", "mistakes": {}, "seed": 1}


def spec(**mistakes):
    return {**SPEC, "mistakes": mistakes}


def translated(page, english, of):
    toy = Toy(of["from"], of["to"], of["mistakes"], of["seed"])
    texts = {text for row in english for text in page.texts(row)}
    return {text: toy.line(text) for text in texts}


def questions(count=12):
    from itertools import islice
    from random import Random

    items = list(islice(reading.passages(Random("projection")), count))
    found = []
    for row in squad_rows(items, grammar("en"), "q"):
        answers = {"text": row["answers"]["text"], "start": row["answers"]["answer_start"]}
        found.append({**row, "answers": answers, "strata": {"asks": "who"}})
    return found


class ByPlace:
    """Aligns the words of two texts by their places."""

    def __init__(self):
        self.prepared = 0

    def prepare(self, pairs):
        self.prepared += len(pairs)

    def __call__(self, source, target):
        links = tuple((i, i) for i in range(min(len(source), len(target))))
        return Alignment(links, tuple(min(i, len(source) - 1) for i in range(len(target))))


def test_answers_by_marks_are_right():
    page, english = rows.page("span"), questions()
    truth = ToyTruth(SPEC, 300, False)
    found = projection.rebuilt(page, english, translated(page, english, SPEC), None, truth)
    assert found.dropped == Counter()
    count = len(english)
    assert found.projected == {"marks": {"rows": count, "known": count, "right": count, "share": 1}}
    for row in found.rows:
        text, start = row["answers"]["text"][0], row["answers"]["start"][0]
        assert row["context"][start : start + len(text)] == text
        assert "strata" not in row


def test_answers_whose_marks_are_lost_are_found_by_words_or_dropped():
    page, english, of = rows.page("span"), questions(), spec(lost_mark=1.0)
    texts = translated(page, english, of)
    without = projection.rebuilt(page, english, texts)
    assert without.rows == []
    assert without.dropped == {"answer is not found in the translation": len(english)}
    assert without.projected == {}
    aligner = ByPlace()
    found = projection.rebuilt(page, english, texts, aligner, ToyTruth(of, 300, False))
    assert aligner.prepared == len(english)
    words = found.projected["words"]
    assert words["rows"] == len(found.rows) > 0
    # By their places some are right, since German and English say much in the same order.
    assert 0 < words["right"] < words["known"] == words["rows"]


@pytest.mark.parametrize("format", ["names", "upos"])
def test_tags_by_words_are_compared_with_those_of_the_words_that_say_the_same(format):
    from itertools import islice
    from random import Random

    from xstilts.toy.catalogue.tagging import sentences

    rng = Random("tags")
    if format == "names":
        items = [i for i in islice(entities.scenes(rng), 60) if not i.second_name]
        english = [
            {"id": str(n), "tokens": row["tokens"], "tags": [NER[t] for t in row["ner_tags"]]}
            for n, row in enumerate(wikiann_rows(items, grammar("en")))
        ]
    else:
        english = [
            {"id": str(n), "tokens": row["tokens"], "tags": [UPOS[t] for t in row["pos_tags"]]}
            for n, row in enumerate(udpos_rows(list(islice(sentences(rng), 30)), grammar("en")))
        ]
    page, truth = rows.page("tagging"), ToyTruth(SPEC, 300, False)
    texts = translated(page, english, SPEC)
    found = projection.rebuilt(page, english, texts, ByPlace(), truth)
    words = found.projected["words"]
    assert words["known"] > 0.8 * words["rows"]
    assert 0 < words["right"] < words["known"]
    for row in found.rows:
        assert len(row["tokens"]) == len(row["tags"])


def test_the_truth_of_a_row_by_hand():
    source = {"tokens": ["Anna", "buys", "bread", "in", "Berlin", "."]}
    source["tags"] = ["B-PER", "O", "O", "O", "B-LOC", "O"]
    toy = Toy("en", "de", {}, 1)
    assert toy.line("Anna buys bread in Berlin.") == "Anna kauft in Berlin Brot."
    truth = ToyTruth(SPEC, 300, False)
    right = ["B-PER", "O", "O", "B-LOC", "O", "O"]
    made = {"tokens": ["Anna", "kauft", "in", "Berlin", "Brot", "."], "tags": right}
    assert truth.right(source, made) == 1
    # Of 22 characters, the 6 of Berlin and the 4 of Brot are tagged wrongly.
    wrong = {**made, "tags": ["B-PER", "O", "O", "O", "B-LOC", "O"]}
    assert truth.right(source, wrong) == pytest.approx(1 - 10 / 22)
    assert truth.right(source, {**made, "tokens": ["x"], "tags": ["O"]}) is None
    assert set(UPOS_OF_KIND.values()) <= set(UPOS)


def test_what_is_said_of_several_shards_together():
    one = {"marks": {"rows": 2, "known": 2, "right": 2, "share": 1.0}}
    two = {"marks": {"rows": 2, "known": 1, "right": 0, "share": 0.25}, "words": {"rows": 3}}
    assert projection.summed([one, two]) == {
        "marks": {"rows": 4, "known": 3, "right": 2, "share": 0.75},
        "words": {"rows": 3},
    }
    assert projection.summed([{}, {}]) == {}


def test_formats_whose_labels_stay_have_nothing_projected():
    page = rows.page("classification")
    english = [{"id": "1", "text": "Anna sleeps.", "text_pair": "Tom.", "label": "neutral"}]
    texts = {"Anna sleeps.": "Anna schläft.", "Tom.": "Tom."}
    assert projection.rebuilt(page, english, texts).projected == {}
