"""What is known of a model before it is fetched, and what it is refused for then."""

import pytest

from xstilts.experiment import backbones
from xstilts.experiment.architecture import Architecture, told_kind
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.running.files import write_json

BASE = {
    "source": "hub",
    "models": {
        "xlmr": {"from": "FacebookAI/xlm-roberta-base"}, "qwen": {"from": "Qwen/Qwen3-0.6B"},
    },
    "intermediates": {
        "mnli": {"tasks": ["mnli"]}, "mixed": {"tasks": ["mnli", "mlm"]},
        "later": {"tasks": ["squad"], "after": "mixed"},
    },
    "targets": ["xnli"],
    "exclude": [{"model": {"architecture": "decoder"}, "intermediate": ["mixed", "later"]}],
}  # fmt: skip


def of(**models):
    return load({**BASE, "models": {**BASE["models"], **models}, "exclude": BASE["exclude"]})


def refused(**models):
    with pytest.raises(UserError) as error:
        of(**models)
    return str(error.value)


def test_the_kind_is_what_the_config_tells_else_what_is_known_of_the_name():
    assert told_kind({"model_type": "qwen3"}) == "decoder"
    assert told_kind({"model_type": "mt5", "is_encoder_decoder": False}) == "encoder-decoder"
    assert told_kind({"model_type": "new", "is_encoder_decoder": True}) == "encoder-decoder"
    assert told_kind({"model_type": "new", "architectures": ["NewForCausalLM"]}) == "decoder"
    assert told_kind({"model_type": "new", "architectures": ["NewForMaskedLM"]}) == "encoder"
    assert told_kind({"model_type": "bert", "architectures": ["BertLMHeadModel"]}) == "encoder"
    assert told_kind({"model_type": "bert", "is_decoder": True}) == "decoder"
    assert told_kind({"model_type": "new", "xstilts": {"kind": "decoder"}}) == "decoder"
    assert told_kind({"model_type": "new", "architectures": ["NewModel"]}) is None


def test_the_architecture_of_a_config_json():
    config = {
        "model_type": "xglm", "d_model": 64, "num_layers": 3, "dropout": 0.2, "init_std": 0.05,
        "attention_dropout": 0.1, "xstilts": {"kind": "decoder", "word": "last"},
    }  # fmt: skip
    assert Architecture.of(config) == Architecture(
        "xglm", "decoder", "last", "last", False, 64, 3, ("dropout", "attention_dropout"), 0.2,
        0.05, 1e-5,
    )  # fmt: skip
    t5 = {"model_type": "mt5", "d_model": 64, "num_layers": 3, "initializer_factor": 0.5,
          "dropout_rate": 0.0, "layer_norm_epsilon": 1e-6}  # fmt: skip
    assert Architecture.of(t5) == Architecture(
        "mt5", "encoder-decoder", "first", "mean", True, 64, 3, ("dropout_rate",), 0.0, 0.0625, 1e-6
    )
    inner = {"model_type": "t5gemma", "encoder": {"hidden_size": 8, "num_hidden_layers": 2}}
    assert (Architecture.of(inner).width, Architecture.of(inner).layers) == (8, 2)


@pytest.mark.parametrize(
    ("told", "pooled"),
    [({}, "cls"), ({"model_type": "llama"}, "last"), ({"model_type": "umt5"}, "mean"),
     ({"classifier_pooling": "mean"}, "mean"), ({"classifier_pooling": "late"}, "mean"),
     ({"model_type": "llama", "classifier_pooling": "cls"}, "cls")],
)  # fmt: skip
def test_what_is_pooled(told, pooled):
    assert Architecture.of(told).pooling == pooled


def test_masked_language_modelling_of_a_decoder():
    assert of().settings["models"]["qwen"]["from"] == "Qwen/Qwen3-0.6B"
    with pytest.raises(UserError) as error:
        load({**BASE, "exclude": [{"model": "qwen", "intermediate": "mixed"}]})
    assert str(error.value) == (
        "intermediates: later: masked language modelling is for encoders, and model `qwen` is of"
        " the kind decoder, which sees no token after it; leave the two out together: `exclude:"
        " [{model: qwen, intermediate: later}]`"
    )


def test_attention_of_what_is_no_decoder_and_of_alibi():
    assert refused(m={"from": "FacebookAI/xlm-roberta-base", "attention": "causal"}) == (
        "models: m: attention: is for decoders, and this is an encoder (xlm-roberta), whose tokens"
        " see all others; leave it out"
    )
    assert refused(m={"from": "bigscience/bloom-560m", "attention": "bidirectional"}).startswith(
        "models: m: attention: bloom cannot be bidirectional: by ALiBi,"
    )
    assert "did you mean `bidirectional`" in refused(m={"from": "o/m", "attention": "bidirect"})


def test_a_retrieval_layer_above_the_model():
    assert refused(m={"from": "Qwen/Qwen3-0.6B", "retrieval_layer": 29}) == (
        "models: m: retrieval_layer: 29 is above the 28 layers of Qwen/Qwen3-0.6B"
    )


def test_a_folder_tells_by_its_config(tmp_path):
    (tmp_path / "m").mkdir()
    write_json(tmp_path / "m/config.json", {"model_type": "new", "architectures": ["XForMaskedLM"],
                                            "num_hidden_layers": 3})  # fmt: skip
    entry = {"from": str(tmp_path / "m"), "base": ""}
    assert backbones.kind(entry, {"source": "hub"}) == "encoder"
    assert "this is an encoder (new)" in refused(m={"from": entry["from"], "attention": "causal"})
    assert "above the 3 layers" in refused(m={"from": entry["from"], "retrieval_layer": 4})
    (tmp_path / "m/config.json").write_text("[")
    assert backbones.kind(entry, {"source": "hub"}) is None
    mirror = {"from": "o/m"}
    (tmp_path / "models/o/m").mkdir(parents=True)
    write_json(tmp_path / "models/o/m/config.json", {"model_type": "umt5"})
    assert backbones.kind(mirror, {"source": str(tmp_path)}) == "encoder-decoder"
    assert backbones.kind(mirror, {"source": "hub"}) is None


def test_the_spec_has_what_is_asked_and_first_is_cls():
    grid = Grid(of(
        a={"from": "Qwen/Qwen3-4B", "attention": "bidirectional", "pooling": "first"},
        b={"from": "Qwen/Qwen3-4B", "pooling": "cls"},
    ))  # fmt: skip
    a, b = (grid.model_spec(name) for name in "ab")
    assert a == b | {"attention": "bidirectional"}
    assert b["pooling"] == "cls"


def test_what_reads_pictures_is_no_model():
    line = "models: m: facebook/dinov2-base reads no text; name it in `vision`"
    assert refused(m={"from": "facebook/dinov2-base"}) == line
