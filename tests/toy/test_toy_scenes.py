import io
import itertools
from random import Random

import numpy as np
from PIL import Image

from xstilts.toy import lexicon, scenes
from xstilts.toy.catalogue import pictures
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Sizes, Spec

SPEC = Spec(sizes=Sizes(train=60, dev=20, test=12))
SCENE = Clause(Thing("anna"), "see", Thing("dog", "red"), place="park")


def drawn(count=200, seed="s"):
    return list(itertools.islice(scenes.scenes(Random(seed)), count))


def image(clause, seed=1):
    return np.asarray(Image.open(io.BytesIO(scenes.picture(clause, Random(seed)))))


def test_a_scene_says_all_that_is_drawn():
    for clause in drawn():
        concept = lexicon.concepts()[clause.patient.noun]
        assert concept.kind != "name" and concept.group != "person"
        assert clause.patient.adjective in scenes.COLOURS and clause.place
        assert not (clause.negated or clause.time or clause.adverb or clause.patient.number)
    assert len(set(drawn())) == 200


def test_every_colour_of_the_language_can_be_drawn():
    colours = {c.name for c in lexicon.of_kind("adjective") if c.group == "colour"}
    assert set(scenes.COLOURS) == colours


def test_a_picture_is_small_and_follows_from_its_scene():
    made = image(SCENE)
    assert made.shape == (32, 32, 3) and made.dtype == np.uint8
    assert scenes.picture(SCENE, Random(1)) == scenes.picture(SCENE, Random(1))
    assert (image(SCENE, 2) != made).mean() > 0.5, "other noise"


def test_each_quarter_is_of_one_part_of_the_scene():
    """Only the quarter changes of which the part is another; the patient's has its colour."""
    others = {
        "agent": Clause(Thing("omar"), "see", Thing("dog", "red"), place="park"),
        "verb": Clause(Thing("anna"), "feed", Thing("dog", "red"), place="park"),
        "patient": Clause(Thing("anna"), "see", Thing("cat", "red"), place="park"),
        "place": Clause(Thing("anna"), "see", Thing("dog", "red"), place="office"),
    }
    for part, clause in others.items():
        differs = (image(clause) != image(SCENE)).any(-1)
        left, top = scenes.PLACES[part]
        inside = differs[top : top + scenes.GLYPH, left : left + scenes.GLYPH]
        assert inside.sum() == differs.sum() > 20, part
    blue = Clause(Thing("anna"), "see", Thing("dog", "blue"), place="park")
    differs = (image(blue) != image(SCENE)).any(-1)
    left, top = scenes.PLACES["patient"]
    size, wide = scenes.GLYPH + scenes.FRAME, scenes.FRAME
    around = differs[top - wide : top + size, left - wide : left + size]
    assert around.sum() == differs.sum() > 100, "the frame, in its colour"
    assert not differs[top : top + scenes.GLYPH, left : left + scenes.GLYPH].any()


def test_glyphs_are_symmetric_and_all_different():
    names = list(lexicon.concepts())
    glyphs = {name: scenes.glyph(name) for name in names}
    assert all(np.array_equal(each, each[:, ::-1]) for each in glyphs.values())
    assert len({each.tobytes() for each in glyphs.values()}) == len(names)


def test_captions_and_questions_of_a_scene():
    assert scenes.captions(SCENE) == ("Anna sees a red dog in the park.", "Anna sees a red dog.")
    asked = {form.ask: form for seed in range(30) if (form := scenes.question(SCENE, Random(seed)))}
    english = {ask: scenes.asked(form, grammar("en")) for ask, form in asked.items()}
    assert english == {
        "agent": "Who sees a red dog in the park?",
        "patient": "What does Anna see in the park?",
        "place": "Where does Anna see a red dog?",
    }
    answers = {ask: scenes.answer(form) for ask, form in asked.items()}
    assert answers == {"agent": "Anna", "patient": "dog", "place": "park"}
    assert scenes.asked(asked["place"], grammar("ru")) == "Где Анна видит красную собаку?"


def tables(make):
    return {(t.repository, t.config, t.split): t.rows for t in make(SPEC)}


def test_vqa_asks_of_pictures_of_coco():
    coco, vqa = tables(pictures.coco), tables(pictures.vqa)
    ids = {split: {r["image_id"] for r in rows} for (_, _, split), rows in coco.items()}
    of = {split: rows for (_, _, split), rows in vqa.items()}
    assert len(ids["train"]) == 60 and len(ids["validation"]) == 20
    assert {row["image_id"] for row in of["train"]} == ids["train"]
    astray = [row for row in of["validation"] if row["image_id"] not in ids["validation"]]
    assert len(astray) == 2 and all(row["image_id"] in ids["train"] for row in astray)
    assert len({row["question_id"] for row in of["train"]}) == 60


def test_no_scene_that_is_scored_is_trained_on():
    for make in (pictures.coco, pictures.gqa_and_xgqa):
        of = {}
        for (_, _, split), rows in tables(make).items():
            kind = "train" if split == "train" else "dev"
            texts = (row.get("text") or row.get("fullAnswer") or "" for row in rows)
            of.setdefault(kind, set()).update(filter(None, texts))
        assert of["train"] and of["dev"] and not of["train"] & of["dev"]


def test_xgqa_asks_the_same_in_every_language_of_the_pictures_of_gqa():
    found = tables(pictures.gqa_and_xgqa)
    [images] = (rows for (_, c, s), rows in found.items() if c == "testdev_balanced_images")
    by_language = {
        split: rows for (name, _, split), rows in found.items() if name == "floschne/xgqa"
    }
    assert set(by_language) == {"de", "en", "ru", "zh"}
    for rows in by_language.values():
        assert [r["image_id"] for r in rows] == [r["id"] for r in images]
        assert all(r["image"] == i["image"] for r, i in zip(rows, images, strict=True))
        assert [r["answer"] for r in rows] == [r["answer"] for r in by_language["en"]]
    assert by_language["ru"][0]["question"] != by_language["en"][0]["question"]
