"""An adapter leaves as an ordinary model: with its backbone, as one."""

import re

import pytest
from tests.export.made import Made

from xstilts import formats
from xstilts.experiment.nodes import ADAPTER
from xstilts.export import folder, trained
from xstilts.models import adapters, checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json
from xstilts.scoring import predict

PATH = "results/encoders/m/mnli/seed1"


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    """A folder with a stage 1, trained by nobody; its encoder and head."""
    import torch

    entry = {"from": "o/tiny", "retrieval_layer": 1, "adapter": {"rank": 4}}
    made = Made(tmp_path_factory.mktemp("adapted"), models={"m": entry})
    base, spec = made.encoder("none"), made.grid.encoder_spec("m", "mnli", "seed1")
    encoder = checkpoint.load_encoder(base)
    adapters.attach(encoder, spec["adapter"], base)
    torch.manual_seed(1)
    for parameter in encoder.parameters():
        if parameter.requires_grad:
            parameter.data += 0.3 * torch.randn_like(parameter)
    head = formats.page("classification").head(encoder, list(spec["labels"]))
    weights = {"encoder": adapters.trained(encoder), "head": head.state_dict()}
    checkpoint.save(weights, base, made.root / PATH, spec["adapter"])
    node = {**read_json(base / "node.json"), "spec": spec, "heads": {"mnli": "mnli"}}
    write_json(made.root / PATH / "node.json", node | adapters.record(made.root / PATH, str(base)))
    return made, encoder.eval(), head.eval()


def test_as_a_task_model(adapted, tmp_path):
    import torch
    from transformers import AutoModelForSequenceClassification

    made, encoder, head = adapted
    found = trained.find("m/mnli/seed1", directory=made.root)
    assert folder.write(found, tmp_path / "out") == "XLMRobertaForSequenceClassification"
    assert not any((tmp_path / "out" / name).exists() for name in ADAPTER[:2])
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    ids = torch.arange(4, 22).reshape(2, 9)
    with torch.inference_mode():
        theirs = model(input_ids=ids).logits
        ours = predict.outputs(encoder, head, {"ids": ids, "mask": torch.ones_like(ids).bool()})
    assert (ours - theirs).abs().max() < 1e-5


def test_as_an_encoder_alone(adapted, tmp_path):
    import torch
    from transformers import AutoModel

    made, merged = adapted[0], checkpoint.load_encoder(adapted[0].root / PATH)
    found = trained.find("m/mnli/seed1/tatoeba", directory=made.root)
    assert found.layer == 1 and folder.write(found, tmp_path / "out") is None
    model = AutoModel.from_pretrained(tmp_path / "out", add_pooling_layer=False).eval()
    ids = torch.arange(4, 22).reshape(2, 9)
    with torch.inference_mode():
        ours, theirs = (m(input_ids=ids).last_hidden_state for m in (merged, model))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (f"{PATH}/{ADAPTER[0]}", "its weights were dropped after their evaluation"),
        ("results/models/m/model.safetensors", "is missing, which its adapter is on"),
    ],
)
def test_what_is_missing_is_said_with_the_command_that_makes_it(adapted, path, line):
    root = adapted[0].root
    away = (root / path).rename(root / "away")
    try:
        with pytest.raises(UserError, match=rf"{line}.*--notemp {re.escape(path)}"):
            trained.find("m/mnli/seed1", directory=root)
    finally:
        away.rename(root / path)
