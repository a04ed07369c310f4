"""Pictures in training: what is read, learned and recorded; interruptions change nothing of it."""
# ruff: noqa: F811 (fixtures of another module are imported)

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file
from safetensors.torch import load_file
from tests import helpers
from tests.training import seeing
from tests.training.test_resume import (  # noqa: F401
    attempts,
    crash,
    handlers,
    interrupt,
    same,
    terminate,
)

from xstilts.encoding import encoded, features
from xstilts.encoding.features import Pictures
from xstilts.models.execution import Execution
from xstilts.running.errors import UserError
from xstilts.scoring import predict
from xstilts.training import grounding, loop
from xstilts.training.tasks import TrainingTask, with_heads


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tokenizer):
    """Captions trained with their pictures, with others, and without: folder -> record."""
    made = {}
    for order in ("pictures", "shuffled", "none"):
        folder = tmp_path_factory.mktemp(order)
        training = seeing.Training(folder, tokenizer, ["caption"], order, epochs=5)
        made[order] = folder / "out", training.run(folder / "out")
    return made


def test_captions_are_told_from_their_pictures_and_not_from_others(trained):
    _, record = trained["pictures"]
    found = record["grounding"]["a caption"]
    assert (found["metric"], found["rows"], found["trained"]) == ("told", 120, "pictures")
    rows = [row["image"] for row in seeing.rows_of("caption", "dev")]
    assert [rows.index(image) for image in rows] == [
        found["images"].index(number) for number in found["images"]
    ]
    assert sorted(set(found["images"])) == list(range(60))
    own, others, none = (found[name] for name in ("pictures", "shuffled", "none"))
    assert own["score"] > 0.9 > 0.7 > max(others["score"], none["score"])
    assert own["loss"] < 0.5 * min(others["loss"], none["loss"])
    assert all(len(under["values"]) == 120 for under in (own, others, none))
    assert own["score"] == pytest.approx(record["best"]["dev"]["told"], abs=1e-6)


def test_what_is_trained_on_shuffled_pictures_does_not_use_them(trained):
    found = trained["shuffled"][1]["grounding"]["a caption"]
    own, others = found["pictures"], found["shuffled"]
    assert found["trained"] == "shuffled"
    assert abs(own["score"] - others["score"]) < 0.1 and others["score"] < 0.7
    best = trained["shuffled"][1]["best"]["dev"]["told"]
    assert others["score"] == pytest.approx(best, abs=1e-6), "its own dev rows are shuffled too"


def test_text_alone_is_judged_on_text_alone_and_takes_the_same_steps(trained):
    found = trained["none"][1]["grounding"]["a caption"]
    assert found["trained"] == "none" and "pictures" not in found and "shuffled" not in found
    drawn = [record["drawn"]["a caption"]["en"] for _, record in trained.values()]
    assert len({one["examples"] for one in drawn}) == len({one["batches"] for one in drawn}) == 1
    assert drawn[0]["tokens"] == drawn[1]["tokens"]
    assert drawn[0]["tokens"] == drawn[2]["tokens"] + seeing.POSITIONS * drawn[2]["examples"]


def test_the_encoder_is_an_ordinary_one_and_its_head_has_the_projector(trained):
    import transformers

    folder, record = trained["pictures"]
    names = set(load_file(folder / "model.safetensors"))
    init = set(load_file(folder.parent / "init" / "model.safetensors"))
    assert names == init
    assert transformers.AutoModel.from_pretrained(folder).config.model_type == "xlm-roberta"
    head = {name for name in load_file(folder / "head.safetensors") if "pictures" in name}
    parts = ("norm.weight", "norm.bias", "out.weight", "out.bias", "place")
    assert head == {f"pictures.{part}" for part in parts}
    assert not any("pictures" in k for k in load_file(trained["none"][0] / "head.safetensors"))
    pins = {"datasets/o/pictures": "r3", "models/o/vision": "r4"}
    assert pins.items() <= record["pins"].items()


def test_the_projector_has_a_learning_rate_of_its_own():
    import torch

    from xstilts.experiment.recipe import Recipe
    from xstilts.formats.heads import PooledHead
    from xstilts.formats.pictures import Projector, add
    from xstilts.training.optimizer import make_optimizer

    encoder = helpers.make_encoder()
    head, other = (PooledHead(encoder.config, 3) for _ in range(2))
    projector = Projector(6, 4, encoder.get_input_embeddings())
    for one in (head, other):
        add(one, projector)
    recipe = Recipe(learning_rate=1e-5, image_learning_rate=1e-3, weight_decay=0.1)
    groups = make_optimizer([encoder, head, other], recipe).param_groups
    assert [(g["peak"], g["weight_decay"]) for g in groups] == [
        (1e-5, 0.1), (1e-5, 0.0), (1e-3, 0.1), (1e-3, 0.0),
    ]  # fmt: skip
    own = [{id(p) for p in g["params"]} for g in groups]
    assert own[2] | own[3] == {id(p) for p in projector.parameters()}
    each = [p for g in groups for p in g["params"]]
    assert len(each) == len({id(p) for p in each}), "a part that heads share is there once"
    assert torch.optim.AdamW(encoder.parameters())  # of text alone there are two groups
    assert len(make_optimizer([encoder], recipe).param_groups) == 2


@pytest.mark.parametrize("format", ["caption", "classification", "choice", "span", "tagging"])
@pytest.mark.parametrize("packed", [False, True])
def test_gradients_do_not_depend_on_how_a_batch_is_cut(tmp_path, tokenizer, format, packed):
    import torch
    from tests.training.test_loop import TOYS

    if format == "caption":
        rows, labels = seeing.rows_of("caption", "train")[:12], ()
    else:
        make, labels, _ = TOYS[format]
        rows = [row | {"image": f"p{at * 3 % 11}"} for at, row in enumerate(make(12, 1))]
    data = seeing.encode(tokenizer, format, rows, labels)
    opened = features.load(seeing.write_features(tmp_path, "train"))
    data = dataclasses.replace(data, pictures=Pictures(opened))
    encoder = helpers.make_encoder()
    execution = Execution.prepare(encoder) if packed else Execution()
    torch.manual_seed(0)
    task = TrainingTask("t", format, 16, labels, {"en": data}, trained_with="pictures")
    [task] = with_heads([task], encoder)
    examples, found = np.arange(len(data)), {}
    modules = [encoder, task.head]
    for most in (1, 90, 10**6):
        for module in modules:
            module.zero_grad()
            module.eval()
        device = torch.device("cpu")
        loss, tokens = loop.accumulate_gradients(
            encoder, task, data, examples, (1, 0), device, most, execution
        )
        assert (
            tokens
            == data.tokens.sum()
            == len(data.arrays["tokens"]) + 4 * len(data.arrays["image"])
        )
        named = [pair for module in modules for pair in module.named_parameters()]
        found[most] = {"loss": loss, **{n: p.grad.clone() for n, p in named if p.grad is not None}}
    assert any(name.startswith("pictures") and v.abs().max() > 1e-4 for name, v in found[1].items())
    for most in (90, 10**6):
        for name, value in found[most].items():
            assert (value - found[1][name]).abs().max() < 1e-5 * max(1, value.abs().max()), name


@pytest.mark.parametrize("what", [crash, terminate])
def test_a_mix_that_is_interrupted_ends_with_the_same_bytes(tmp_path, tokenizer, interrupt, what):
    both = seeing.Training(
        tmp_path, tokenizer, ["caption", "classification"], max_steps=24, eval_every=7, dropout=0.1
    )
    whole = both.run(tmp_path / "whole")
    interrupt([3, 11, 17], what)
    every = 0 if what is crash else 600
    attempts(lambda: both.run(tmp_path / "out", save_every=every))
    record = same(tmp_path / "whole", tmp_path / "out")
    assert record["attempts"] == 4 and record["grounding"] == whole["grounding"]
    assert record["grounding"].keys() == {
        "a caption",
        "a classification",
    }
    head = load_file(tmp_path / "out" / "head.safetensors")
    assert sum("pictures" in name for name in head) == 5, "the projector is there once"
    assert all(name.startswith(("pictures.", "a caption.", "a classification.")) for name in head)


def test_an_adapter_is_trained_with_pictures(tmp_path, tokenizer):
    training = seeing.Training(tmp_path, tokenizer, ["classification"], max_steps=60)
    adapter = {"method": "lora", "rank": 4, "alpha": 8, "dropout": 0.0, "on": "all-linear"}
    training.spec["adapter"] = adapter
    record = training.run(tmp_path / "out")
    found = record["grounding"]["a classification"]
    assert found["pictures"]["score"] > found["shuffled"]["score"] + 0.2
    assert not any("pictures" in k for k in load_file(tmp_path / "out/adapter_model.safetensors"))


# ---- features files


def damaged(path, how):
    content = path.read_bytes()
    path.write_bytes(content[:-10] if how == "cut" else b"\x00" * len(content))


@pytest.mark.parametrize("how", ["cut", "zeros"])
def test_features_that_are_cut_off_are_refused_in_one_line(tmp_path, how):
    path = seeing.write_features(tmp_path, "dev")
    assert len(features.load(path)) == 60
    damaged(path, how)
    with pytest.raises(UserError, match=r"dev\.safetensors: damaged, or cut off; delete it"):
        features.load(path)


def test_features_that_become_shorter_while_they_are_read(tmp_path):
    path = seeing.write_features(tmp_path, "dev")
    opened = features.load(path)
    damaged(path, "cut")
    with pytest.raises(UserError, match="was cut off"):
        opened.rows(np.array([3, 59]))


def test_features_of_another_spec_set_or_size(tmp_path, tokenizer):
    training = seeing.Training(tmp_path, tokenizer, ["caption"], max_steps=1)
    training.features.reverse()
    with pytest.raises(UserError, match=r"dev\.json: made by another spec"):
        training.run(tmp_path / "out")
    training.features.reverse()
    smaller = features.load(training.features[1]).rows(np.arange(9))
    save_file({"features": smaller}, training.features[1])
    with pytest.raises(UserError, match=r"dev\.st: is not of the 9 pictures of its set; delete it"):
        training.run(tmp_path / "out")
    save_file({"features": smaller.astype(np.float32)}, training.features[1])
    with pytest.raises(UserError, match=r"dev\.safetensors: damaged"):
        training.run(tmp_path / "out")
    training.features[0].unlink()
    with pytest.raises(UserError, match=r"train\.safetensors: there is no such file"):
        training.run(tmp_path / "out")


def test_features_of_dev_pictures_of_another_shape(tmp_path, tokenizer):
    training = seeing.Training(tmp_path, tokenizer, ["caption"], max_steps=1)
    one = features.load(training.features[1]).rows(np.arange(60))[:, :1]  # would be broadcast
    seeing.write(training.features[1], one, "dev")
    line = (
        "^things: its features to train on are of 4 positions and 12 wide, those of dev of 1 and 12"
    )
    with pytest.raises(UserError, match=line):
        training.run(tmp_path / "out")


def test_a_projector_takes_the_shape_alone_that_it_was_made_for():
    import torch

    from xstilts.formats.pictures import Projector

    projector = Projector(6, 4, helpers.make_encoder().get_input_embeddings())
    for shape in ((2, 1, 6), (2, 4, 5)):
        with pytest.raises(UserError, match=f"^features of {shape[1]} positions and {shape[2]} wi"):
            projector(torch.zeros(shape))


def test_rows_of_pictures_at_another_pin(tmp_path, tokenizer):
    training = seeing.Training(tmp_path, tokenizer, ["caption"], max_steps=1)
    rows = seeing.rows_of("caption", "dev")
    data = seeing.encode(tokenizer, "caption", rows, split="dev")
    for pin, whole in (("r3", True), ("r9", False)):
        pins = data.meta["pins"] | {"datasets/o/pictures": pin}
        one = dataclasses.replace(data, meta=data.meta | {"pins": pins})
        shown = Pictures(features.load(training.features[1]))
        if whole:
            assert encoded.behind("dev.st", one, shown).pictures is shown
            continue
        with pytest.raises(UserError, match=r"^dev\.st: of o/pictures at r9, and .* at r3; delete"):
            encoded.behind("dev.st", one, shown)


def test_what_tells_pieces_is_judged_in_batches_of_training(monkeypatch, tmp_path, tokenizer):
    """For each hidden piece there is a number for each of the vocabulary; a class has few."""
    found = {}

    def reduced(told, encoder, head, data, device, most, *rest):
        found[data.meta["spec"]["format"]] = most
        return predict.reduced(told, encoder, head, data, device, most, *rest)

    monkeypatch.setattr(grounding, "predict", SimpleNamespace(reduced=reduced))
    for name in ("caption", "classification"):
        training = seeing.Training(tmp_path / name, tokenizer, [name], max_steps=1)
        training.run(tmp_path / f"{name}.out", budget=500)
    assert found == {"caption": 500, "classification": 2000}


def test_rows_of_features_are_those_of_the_array(tmp_path):
    opened = features.load(seeing.write_features(tmp_path, "dev"))
    whole = load_arrays(tmp_path / "dev.safetensors")["features"]
    numbers = np.array([3, 3, 59, 0])
    assert (opened.rows(numbers) == whole[numbers]).all() and opened.shape == whole.shape
    assert opened.rows(np.array([], int)).shape == (0, *whole.shape[1:])
    instead = features.derangement(60, 1, "things dev")
    assert (Pictures(opened, instead).of(numbers) == whole[instead[numbers]]).all()


def test_a_derangement_leaves_no_picture_in_its_place():
    for size in (2, 3, 17, 500):
        one = features.derangement(size, 1, "coco train")
        assert sorted(one) == list(range(size)) and (one != np.arange(size)).all()
    one, again = (features.derangement(99, 1, "coco train") for _ in range(2))
    assert (one == again).all()
    for other in (
        features.derangement(99, 2, "coco train"),
        features.derangement(99, 1, "coco dev"),
    ):
        assert (one != other).any()
    with pytest.raises(UserError, match=r"shuffled: coco dev has 1 picture"):
        features.derangement(1, 1, "coco dev")
