"""Trainings of an adapter: what changes, what is handed on, what is saved, in every format."""
# ruff: noqa: F811 (fixtures of another module are imported)

import numpy as np
import pytest
from tests import helpers
from tests.training.test_loop import (  # noqa: F401
    TEXT,
    TOYS,
    cpu,
    folder,
    make_task,
    mixed,
    node,
    refused,
    spec,
    start,
    tokenizer,
)
from tests.training.test_resume import (  # noqa: F401
    attempts,
    crash,
    handlers,
    interrupt,
    recipe_of,
)

from xstilts import formats
from xstilts.models import adapters, checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import read_json
from xstilts.scoring import predict
from xstilts.training import loop

ADAPTER = {"rank": 4, "alpha": 32, "dropout": 0.05, "on": "all-linear"}
PARAMETERS = 4 * (4 * (32 + 32) + 2 * (32 + 64))  # of the tiny model: one layer, 32 and 64 wide


@pytest.mark.parametrize("format", TOYS)
def test_each_format_learns_and_the_checkpoint_predicts_the_same(
    folder, tokenizer, tmp_path, format
):
    """The backbone stays what it was, bit for bit; merged it predicts as in the training."""
    import torch

    make, labels, _ = TOYS[format]
    rows = make(60, 2)
    data, dev = (
        helpers.encode(tokenizer, format, r, labels, length=24) for r in (make(240, 1), rows)
    )
    page = formats.page(format)
    encoder, head = start(folder, format, train=[data])
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    adapters.attach(encoder, {**ADAPTER, "dropout": 0.0}, folder)
    task = make_task(format, head, data, dev, rows)
    weights, record = loop.fit(encoder, [task], spec(format, learning_rate=1e-2), cpu(), 2000)
    assert max(point["score"] for point in record["history"]) > 0.6  # by guessing 0.4
    after = {k.replace(".base_layer", ""): v for k, v in encoder.state_dict().items()}
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all("lora_" in name for name in weights["encoder"])
    assert sum(value.numel() for value in weights["encoder"].values()) == PARAMETERS

    checkpoint.save(weights, folder, tmp_path / "out", ADAPTER)
    merged = checkpoint.load_encoder(tmp_path / "out")
    other = page.head(merged, list(labels), [data])
    checkpoint.load_head(other, tmp_path / "out")
    ours, theirs = (
        predict.reduced(page, *both, dev, cpu(), 2000)
        for both in ((encoder, head), (merged, other))
    )
    for one, two in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)


def test_masked_language_modelling_trains_an_adapter(folder, tokenizer):
    make, labels, _ = TEXT["mlm"]
    data = helpers.encode(tokenizer, "mlm", make(12, 1), labels, length=24)
    encoder, head = start(folder, "mlm")
    adapters.attach(encoder, ADAPTER, folder)
    task = make_task("mlm", head, data)
    loop.accumulate_gradients(encoder, task, data, np.arange(12), (1, 0), cpu(), 2000)
    grown = {name for name, p in encoder.named_parameters() if p.grad is not None}
    assert grown == {name for name in encoder.state_dict() if "lora_" in name}


def test_two_stages(folder, node, tmp_path):
    """Stage 2 starts from stage 1's adapter, or from its sum with the backbone."""
    import torch
    from safetensors.torch import load_file

    first = node.run(folder, tmp_path / "first", adapter=ADAPTER)
    record = read_json(first / "node.json")
    base = read_json(folder / "node.json")["weights"]
    assert record["adapter"]["parameters"] == PARAMETERS and record["adapter"]["backbone"] == base
    assert record["spec"]["adapter"] == ADAPTER and record["weights"] not in (base, "")
    begun = {}
    for how in ("continue", "merge"):
        second = node.run(first, tmp_path / how, adapter={**ADAPTER, "start": how})
        config = read_json(second / "adapter_config.json")
        assert config["base_model_name_or_path"] == str(folder)
        begun[how] = load_file(second / "adapter_model.safetensors"), config["r"]
    (on, rank), (summed, twice) = begun["continue"], begun["merge"]
    assert (rank, twice) == (4, 8) and on.keys() == summed.keys()
    before = load_file(first / "adapter_model.safetensors")
    for name, value in before.items():
        assert not torch.equal(on[name], value), name  # was trained on
        kept = summed[name][:4] if "lora_A" in name else summed[name][:, :4]
        assert torch.equal(kept, value), name  # the first is in the sum as it was
    with pytest.raises(UserError, match="made by another spec"):
        node.run(first, tmp_path / "other", parent="0123", adapter=ADAPTER)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(folder, node, tmp_path):
    runs = [
        node.run(folder, tmp_path / name, seed=seed, adapter=ADAPTER)
        for name, seed in [("a", 1), ("b", 1), ("c", 2)]
    ]
    first, again, other = ((r / "adapter_model.safetensors").read_bytes() for r in runs)
    assert first == again != other


def test_one_that_is_interrupted_ends_with_the_same_bytes(folder, mixed, tmp_path, interrupt):
    """With dropout in the adapter, several heads, and saved states of what is trained alone."""
    from safetensors import safe_open

    recipe = recipe_of(max_steps=30, eval_every=7)
    whole = mixed(folder, tmp_path / "whole", recipe=recipe, adapter=ADAPTER)
    out, seen = tmp_path / "out", []

    def look():
        for path in (tmp_path / "out.state").glob("[0-9]*.safetensors"):
            with safe_open(path, "pt") as file:
                seen.append({name for name in sorted(file.keys()) if " encoder " in name})
        crash()

    interrupt([9, 20], look)
    attempts(lambda: mixed(folder, out, save_every=0, recipe=recipe, adapter=ADAPTER))
    for name in ("adapter_model.safetensors", "head.safetensors", "adapter_config.json"):
        assert (whole / name).read_bytes() == (out / name).read_bytes(), name
    assert read_json(out / "node.json")["resumed_at"] == [9, 20]
    assert seen and all(names and all("lora_" in name for name in names) for names in seen)


def test_a_module_that_is_not_there_is_said_before_data_is_read(folder, node):
    (node.root / "train.safetensors").unlink()
    line = r"adapter: on: the model has no linear module `qeury`; did you mean `query`\?"
    with pytest.raises(UserError, match=line):
        # The rows of a fingerprint are read by their header; those of a training are not.
        from argparse import Namespace

        from xstilts.steps import train

        asked = {**node.spec, "parent": parent(folder), "adapter": {**ADAPTER, "on": ["qeury"]}}
        train.train(Namespace(init=str(folder), trial="no"), asked, "", asked, {})


def parent(folder):
    from xstilts.running.files import digest

    return digest(read_json(folder / "node.json")["spec"])
