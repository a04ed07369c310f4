"""Pictures with captions and questions: COCO, VQA, GQA, xGQA.

As on the hub COCO's pictures are beside its captions, VQA's questions name pictures of COCO by
their number, GQA has pictures and questions in configs of their own, and xGQA has a split a
language.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from xstilts.toy import scenes
from xstilts.toy import schema as hub
from xstilts.toy.catalogue.table import Rows, Table, only, take
from xstilts.toy.forms import Clause
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

FIRST = {"train": 100_000, "validation": 900_000}  # number of the first picture of a split
ASTRAY = 10  # in VQA's dev set every tenth question is of a picture that COCO has to train on
Scenes = list[Clause]


def _scenes(spec: Spec, name: str) -> dict[str, Scenes]:
    """The scenes of a family by split, those of evaluation first, so that no two are the same."""
    stream, sizes = scenes.scenes(Random(f"{spec.seed}/{name}")), spec.sizes
    dev = take(stream, sizes.dev)
    return {"train": take(stream, sizes.train), "validation": dev}


def _image(scene: Clause, rng: Random, path: str) -> dict[str, Any]:
    return {"bytes": scenes.picture(scene, rng), "path": path}


def coco(spec: Spec) -> Iterator[Table]:
    """COCO's pictures, each with its captions."""
    for split, items in _scenes(spec, "coco").items():
        rng = Random(f"{spec.seed}/coco/{split}")
        rows: Rows = []
        for number, scene in enumerate(items, FIRST[split]):
            told = list(scenes.captions(scene))
            rows.append(
                {
                    "image": _image(scene, rng, f"{number:012}.png"),
                    "image_id": number,
                    "text": told[0],
                    "captions": told,
                    "split": {"validation": "val"}.get(split, split),
                }
            )
        yield Table("AKCIT/coco2017-captioning", "default", split, hub.COCO, rows)


def vqa(spec: Spec) -> Iterator[Table]:
    """VQA: a question of each picture of COCO."""
    items = _scenes(spec, "coco")
    numbered = {split: list(enumerate(of, FIRST[split])) for split, of in items.items()}
    astray = numbered["train"][: len(items["validation"]) // ASTRAY]
    for at, one in enumerate(astray, 1):
        numbered["validation"].insert(at * ASTRAY - 1, one)
    for split, pictures in numbered.items():
        rng = Random(f"{spec.seed}/vqa/{split}")
        rows: Rows = []
        for place, (number, scene) in enumerate(pictures):
            asked = scenes.question(scene, rng)
            text, told = scenes.asked(asked, grammar("en")), scenes.answer(asked)
            answers = [
                {"answer": told, "answer_confidence": "yes", "answer_id": each}
                for each in range(1, 11)
            ]
            rows.append(
                {
                    "question_type": text.split()[0].lower(),
                    "multiple_choice_answer": told,
                    "answers": answers,
                    "image_id": number,
                    "answer_type": "other",
                    "question_id": number * 1000 + place % 1000,
                    "question": text,
                }
            )
        yield Table("pminervini/VQAv2", "default", split, hub.VQA, rows)


def gqa_and_xgqa(spec: Spec) -> Iterator[Table]:
    """GQA in English; xGQA: other questions of its dev pictures, in every language."""
    items = _scenes(spec, "gqa")
    for split, name in (("train", "train"), ("validation", "testdev")):
        rng, asks = (Random(f"{spec.seed}/gqa/{of}") for of in (split, f"{split}/asked"))
        ids = [f"n{number}" for number in range(FIRST[split], FIRST[split] + len(items[split]))]
        images: Rows = []
        rows: Rows = []
        for number, (picture, scene) in enumerate(zip(ids, items[split], strict=True)):
            images.append({"id": picture, "image": _image(scene, rng, f"{picture}.png")})
            asked = scenes.question(scene, asks)
            rows.append(
                {
                    "id": f"{FIRST[split] + number:08}",
                    "imageId": picture,
                    "question": scenes.asked(asked, grammar("en")),
                    "answer": scenes.answer(asked),
                    "fullAnswer": scenes.captions(scene)[0],
                }
            )
        for kind, features, table in (
            ("images", hub.GQA_IMAGES, images), ("instructions", hub.GQA, rows)
        ):  # fmt: skip
            yield Table("lmms-lab/GQA", f"{name}_balanced_{kind}", name, features, table)
    rng = Random(f"{spec.seed}/xgqa")
    questions = [scenes.question(scene, rng) for scene in items["validation"]]
    for code in only(spec.languages, "de", "en", "ru", "zh"):
        rng = Random(f"{spec.seed}/gqa/validation")
        rows = []
        for picture, scene, asked in zip(ids, items["validation"], questions, strict=True):
            rows.append(
                {
                    "question": scenes.asked(asked, grammar(code)),
                    "answer": scenes.answer(asked),
                    "full_answer": scenes.captions(scene)[0],
                    "image_id": picture,
                    "image": _image(scene, rng, f"{picture}.png"),
                }
            )
        yield Table("floschne/xgqa", "default", code, hub.XGQA, rows)
