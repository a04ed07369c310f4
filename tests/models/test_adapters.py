"""Adapters: what is trained, what is stored, what they are merged into, what is refused."""

import os
import re

import pytest
from tests import helpers

from xstilts.models import adapters, checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json

SPEC = {"rank": 4, "alpha": 8, "dropout": 0.0, "on": "all-linear"}
ONE, TWO = "results/encoders/m/mnli/seed1", "results/tuned/m/mnli/seed1/"


def moved(init, spec, seed):
    """An encoder whose adapter was moved somewhere, in place of a training."""
    import torch

    encoder = checkpoint.load_encoder(adapters.start(init, spec), dropout=0.0)
    torch.manual_seed(seed)
    adapters.attach(encoder, spec, init)
    for parameter in encoder.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn_like(parameter)
    return encoder.eval()


def write(encoder, init, folder, spec):
    import torch

    weights = {"encoder": adapters.trained(encoder), "head": {"bias": torch.zeros(1)}}
    checkpoint.save(weights, init, folder, spec)


def states(encoder):
    import torch

    ids = torch.arange(4, 22).reshape(2, 9)
    with torch.inference_mode():
        return encoder.eval()(input_ids=ids, output_hidden_states=True)


def distance(one, other):
    return float((one.last_hidden_state - other.last_hidden_state).abs().max())


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder of results: a model, a stage 1, a stage 2 of each kind; what came out of each."""
    root, here = tmp_path_factory.mktemp("adapters"), os.getcwd()
    os.chdir(root)
    try:
        base = "results/models/m"
        helpers.write_model(root / base, layers=3)
        encoder = moved(base, SPEC, 1)
        found = {ONE: states(encoder)}
        write(encoder, base, ONE, SPEC)
        for start in ("continue", "merge"):
            spec = {**SPEC, "start": start}
            encoder = moved(ONE, spec, 2)
            found[TWO + start] = states(encoder)
            write(encoder, ONE, TWO + start, spec)
        yield root, found
    finally:
        os.chdir(here)


def test_a_checkpoint_has_the_adapter_alone_and_names_its_backbone(root):
    folder = root[0] / ONE
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "head.safetensors", "tokenizer.json",
    ]  # fmt: skip
    config = read_json(folder / "adapter_config.json")
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 4, 8)
    assert config["base_model_name_or_path"] == "results/models/m"
    assert "encoder.layer.2.attention.self.value" in config["target_modules"]
    assert len(config["target_modules"]) == 3 * 6
    assert adapters.backbone(folder) == root[0] / "results/models/m"
    assert adapters.backbone(root[0] / "results/models/m") == root[0] / "results/models/m"


@pytest.mark.parametrize("name", [ONE, TWO + "continue", TWO + "merge"])
def test_merged_it_comes_to_what_was_trained_and_to_what_peft_makes_of_it(root, name):
    from peft import PeftModel

    folder, trained = root[0] / name, root[1][name]
    assert distance(states(checkpoint.load_encoder(folder)), trained) < 1e-5
    base = checkpoint.load_encoder(adapters.backbone(folder))
    assert distance(states(base), trained) > 0.1
    model = PeftModel.from_pretrained(base, folder)
    assert distance(states(model), trained) < 1e-5
    assert distance(states(model.merge_and_unload()), trained) < 1e-5


def test_stage_2_goes_on_with_the_adapter_or_has_a_new_one_on_the_sum(root):
    """Whatever becomes of the first, the second checkpoint is whole beside the backbone."""
    shapes = {}
    for start in ("continue", "merge"):
        config = read_json(root[0] / (TWO + start) / "adapter_config.json")
        shapes[start] = config["r"], config["lora_alpha"], config["base_model_name_or_path"]
    assert shapes == {
        "continue": (4, 8, "results/models/m"), "merge": (8, 16, "results/models/m"),
    }  # fmt: skip
    import torch

    encoder = checkpoint.load_encoder(adapters.start(root[0] / ONE, {**SPEC, "start": "merge"}))
    adapters.attach(encoder, {**SPEC, "start": "merge"}, root[0] / ONE)
    new = {name: value for name, value in adapters.trained(encoder).items() if "lora_B" in name}
    assert new and not any(torch.any(value) for value in new.values())
    assert distance(states(encoder), root[1][ONE]) < 1e-5  # so it starts from where stage 1 ended


def test_the_lowest_layers_alone_have_their_adapters_merged(root):
    whole = states(checkpoint.load_encoder(root[0] / ONE)).hidden_states[2]
    cut = states(checkpoint.load_encoder(root[0] / ONE, layers=2)).last_hidden_state
    assert float((whole - cut).abs().max()) < 1e-6


def test_modules_by_the_end_of_their_name():
    known = ["layer.0.self.query", "layer.0.self.key", "layer.0.output.dense", "layer.1.self.query"]
    assert adapters.targets(known, "all-linear") == known
    assert adapters.targets(known, ["query"]) == [known[0], known[3]]
    assert adapters.targets(known, ["output.dense", "layer.1.self.query"]) == known[2:]
    with pytest.raises(UserError) as error:
        adapters.targets(known, ["query", "keys"])
    assert str(error.value) == (
        "adapter: on: the model has no linear module `keys`; did you mean `key`? (it has query,"
        " key, dense)"
    )
    with pytest.raises(UserError, match="no linear module `uery`"):
        adapters.targets(known, ["uery"])


def test_modules_that_are_not_there_are_refused_before_anything_is_loaded(root):
    for init in ("results/models/m", ONE):
        with pytest.raises(UserError, match=r"no linear module `qeury`; did you mean `query`\?"):
            adapters.check(root[0] / init, {**SPEC, "on": ["qeury"]})
        adapters.check(root[0] / init, {**SPEC, "on": ["query", "attention.output.dense"]})
    encoder = checkpoint.load_encoder(root[0] / "results/models/m")
    with pytest.raises(UserError, match="no linear module `word_embeddings`"):
        adapters.attach(encoder, {**SPEC, "on": ["word_embeddings"]}, root[0])


def test_of_a_file_no_embeddings_no_head_and_no_decoder_are_offered():
    t5 = "encoder.block.0.layer.0.SelfAttention"
    names = [
        "shared", "encoder.embed_tokens", f"{t5}.q", f"{t5}.relative_attention_bias", "lm_head",
        "decoder.block.0.layer.1.EncDecAttention.q", "decoder.block.0.layer.0.SelfAttention.q",
    ]  # fmt: skip
    assert adapters._linear(names) == [f"{t5}.q"]
    bert = [
        "embeddings.word_embeddings", "encoder.rel_embeddings", "encoder.embedding_hidden_mapping",
        "encoder.layer.0.self.query", "pooler.dense", "lm_head.dense",
    ]  # fmt: skip
    assert adapters._linear(bert) == ["encoder.embedding_hidden_mapping", bert[3]]
    assert adapters._linear(["wte", "decoder.layers.0.fc1"]) == ["decoder.layers.0.fc1"]


def test_an_embedding_is_refused_before_anything_is_loaded(root):
    with pytest.raises(UserError, match="no linear module `word_embeddings`") as error:
        adapters.check(root[0] / ONE, {**SPEC, "on": ["word_embeddings"]})
    assert "embeddings" not in str(error.value).partition("(it has")[2]


def test_only_what_is_asked_for_is_trained(root):
    encoder = checkpoint.load_encoder(root[0] / "results/models/m")
    adapters.attach(encoder, {**SPEC, "on": ["query", "value"]}, root[0] / "results/models/m")
    names = adapters.trained(encoder)
    assert names.keys() == {n for n, p in encoder.named_parameters() if p.requires_grad}
    assert len(names) == 3 * 2 * 2 and all(re.search(r"(query|value)\.lora_", n) for n in names)


def test_frozen_weights_in_bf16_are_what_autocast_makes_of_them(root):
    import torch

    full, half = (moved("results/models/m", SPEC, 1) for _ in range(2))
    assert len(adapters.halve(half)) == 3 * 6
    assert half.encoder.layer[0].output.dense.base_layer.weight.dtype == torch.bfloat16
    assert {p.dtype for p in half.parameters() if p.requires_grad} == {torch.float32}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert distance(states(full), states(half)) == 0


def test_a_first_pass_that_fails_leaves_the_weights_in_fp32(root, monkeypatch, capsys):
    import torch

    class Cuda:
        type = "cuda"

    encoder = moved("results/models/m", SPEC, 1)
    monkeypatch.setattr(adapters.devices, "has_bf16", lambda: True)
    monkeypatch.setattr(type(encoder), "to", lambda self, device: self)
    # There is no such device, and the error of the trial is what this is about.
    assert adapters.place(encoder, Cuda()) is encoder
    assert capsys.readouterr().out.startswith("frozen weights are in fp32, not bf16: ")
    assert {p.dtype for p in encoder.parameters()} == {torch.float32}
    other = moved("results/models/m", SPEC, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # in which they are run all the same
        assert distance(states(encoder), states(other)) == 0


@pytest.mark.parametrize("training", [False, True])
def test_our_layer_computes_what_peft_s_does(training):
    """Outputs and all gradients; with dropout, of which nothing is drawn twice, in evaluation."""
    import torch
    from peft import LoraConfig
    from peft.tuners.lora import Linear

    from xstilts.models import low_rank

    torch.manual_seed(0)
    x, config = torch.randn(2, 5, 8, requires_grad=True), LoraConfig(r=3, lora_alpha=6)
    config.lora_dropout = 0.0 if training else 0.5
    base, found = torch.nn.Linear(8, 6).requires_grad_(False), {}
    for kind in (Linear, low_rank.Layer):
        layer = kind(base, "default", config=config, r=3, lora_alpha=6)
        torch.manual_seed(1)
        for parameter in (layer.lora_A["default"].weight, layer.lora_B["default"].weight):
            parameter.data.normal_()
        own = x.detach().clone().requires_grad_()
        out = layer.train(training)(own)
        (out**2).sum().backward()
        grown = {n: p.grad for n, p in layer.named_parameters() if p.requires_grad}
        found[kind] = {"out": out, "x": own.grad, **grown}
    ours, theirs = found[low_rank.Layer], found[Linear]
    assert ours.keys() == theirs.keys() and len(ours) == 4
    assert all(torch.allclose(ours[k], theirs[k], rtol=1e-5, atol=1e-5) for k in ours)


def test_the_places_that_are_dropped():
    """As many as that, anywhere, neighbours as often as by chance; the product is without them."""
    import torch

    from xstilts.models import low_rank

    torch.manual_seed(0)
    size, p = 400_000, 0.05
    places = low_rank.dropped(size, p)
    assert len(places) == len(places.unique()) and places.min() >= 0 and places.max() < size
    assert abs(len(places) - size * p) < 5 * (size * p) ** 0.5
    assert abs(int((places.diff() == 1).sum()) - size * p * p) < 5 * (size * p * p) ** 0.5
    by_tenth = torch.bincount(places * 10 // size, minlength=10)
    assert (by_tenth - size * p / 10).abs().max() < 5 * (size * p / 10) ** 0.5

    x, a = torch.randn(3, 4, 5, requires_grad=True), torch.randn(2, 5, requires_grad=True)
    at = torch.tensor([0, 7, 31, 59])
    kept = torch.ones(60).index_fill(0, at, 0.0).view(3, 4, 5)
    gradient = torch.randn(3, 4, 2)
    got, wanted = low_rank._Dropped.apply(x, a, at), (x * kept) @ a.t()
    assert torch.allclose(got, wanted)
    for one, other in zip(
        *(torch.autograd.grad(o, (x, a), gradient) for o in (got, wanted)), strict=True
    ):
        assert torch.allclose(one, other, atol=1e-6)


def test_dropout_keeps_the_mean(root):
    """Of the adapter's part over many draws: what is kept is scaled up."""
    import torch
    from peft import LoraConfig

    from xstilts.models import low_rank

    torch.manual_seed(0)
    config = LoraConfig(r=2, lora_alpha=4, lora_dropout=0.4)
    layer = low_rank.Layer(
        torch.nn.Linear(6, 4), "default", config=config, r=2, lora_alpha=4, lora_dropout=0.4
    )
    layer.lora_B["default"].weight.data.normal_()
    x = torch.randn(1, 6)
    with torch.no_grad():
        expected = layer.eval()(x)
        drawn = layer.train()(x.expand(40_000, 6))
    assert (drawn - expected).abs().max() > 0.01
    assert torch.allclose(drawn.mean(0, keepdim=True), expected, atol=0.02)


def damaged(folder, name):
    (folder / name).write_bytes(b"cut off")


def of_another(folder, name):
    config = read_json(folder / name)
    write_json(folder / name, {k: v for k, v in config.items() if k != "r"})


@pytest.mark.parametrize(
    ("name", "how", "line"),
    [
        ("adapter_model.safetensors", damaged, "adapter_model.safetensors: cannot be loaded"),
        ("adapter_config.json", of_another, "adapter_config.json: is of no adapter"),
    ],
)
def test_what_cannot_be_merged_is_said_in_a_line(root, name, how, line):
    import shutil

    folder = root[0] / "results/encoders/m/broken/seed1"
    shutil.copytree(root[0] / ONE, folder)
    how(folder, name)
    try:
        with pytest.raises(UserError, match=line):
            checkpoint.load_encoder(folder)
    finally:
        shutil.rmtree(folder)


def test_an_adapter_of_another_model_is_refused(root, tmp_path):
    import shutil

    shutil.copytree(root[0] / "results", tmp_path / "results")
    shutil.rmtree(tmp_path / "results/models/m")
    helpers.write_model(tmp_path / "results/models/m", layers=2)
    with pytest.raises(UserError, match=r"its adapter is not of .*results/models/m"):
        checkpoint.load_encoder(tmp_path / ONE)
    shutil.rmtree(tmp_path / "results/models/m")
    helpers.write_model(tmp_path / "results/models/m", layers=3, hidden=16)
    with pytest.raises(UserError, match="its adapter does not fit"):
        checkpoint.load_encoder(tmp_path / ONE)


def decoder(folder, parts=4):
    """Qwen3 0.6B, four of its layers, in each direction a part of its size."""
    import torch
    import transformers

    config = transformers.Qwen3Config(
        vocab_size=151936 // parts, hidden_size=1024 // parts, intermediate_size=3072 // parts,
        num_hidden_layers=4, num_attention_heads=16, num_key_value_heads=8,
        head_dim=128 // parts, pad_token_id=0, dtype=torch.float32,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.Qwen3Model(config).save_pretrained(folder)
    helpers.write_tokenizer(folder)
    return folder


def test_of_a_decoder_it_takes_less_than_a_fiftieth(tmp_path):
    """The vocabulary that a decoder has is most of one of four layers, and little of one of 28."""
    base, spec = decoder(tmp_path / "m"), {**SPEC, "rank": 16 // 4}
    encoder = moved(base, spec, 1)
    write(encoder, base, tmp_path / "a", spec)
    assert distance(states(checkpoint.load_encoder(tmp_path / "a")), states(encoder)) < 1e-4
    own = sum(path.stat().st_size for path in (tmp_path / "a").iterdir())
    assert own < 0.02 * (base / "model.safetensors").stat().st_size
