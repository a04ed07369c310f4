"""What of a model's folder cannot be used, in one line each."""

import json

import pytest

from xstilts.models import repository
from xstilts.running.errors import UserError
from xstilts.toy import backbones

FILES = {"config.json", "tokenizer.json"}


@pytest.mark.parametrize(
    "weights",
    [
        "model.safetensors", "model-00001-of-00003.safetensors", "pytorch_model.bin",
        "pytorch_model-00001-of-00003.bin",
    ],
)  # fmt: skip
def test_weights_by_their_names(weights):
    repository.check_names("o/m", FILES | {weights})
    for other in (f"onnx/{weights}", "training_args.bin", "tf_model.h5"):
        with pytest.raises(UserError, match=r"^model o/m: no weights; model.safetensors \(or "):
            repository.check_names("o/m", FILES | {other})


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {"model_type": "NewKind", "auto_map": {"AutoModel": "modeling.New"}},
            "needs code of its own repository (`auto_map`), which is not run, and `NewKind` is not",
        ),
        ({"auto_map": {"AutoModel": "x.New"}}, "needs code of its own repository (`auto_map`), w"),
        (
            {"model_type": "qwen3", "quantization_config": {"quant_method": "fp8"}},
            "its weights are quantised (fp8), which are not trained; give the checkpoint that",
        ),
        (
            {"model_type": "gemma3", "vision_config": {},
             "text_config": {"model_type": "gemma3_text"}},
            "reads images, too (gemma3); its text part alone, gemma3_text, could be used: save",
        ),
        (
            {"model_type": "odd", "vision_config": {}},
            "reads images, too (odd), and has no text part that could be taken alone",
        ),
        ({"model_type": "vit", "image_size": 224}, "reads images (vit), not text"),
    ],
)  # fmt: skip
def test_configs_that_cannot_be_used(config, line):
    with pytest.raises(UserError) as raised:
        repository.check_config("o/m", config)
    assert str(raised.value).startswith(f"model o/m: {line}")
    assert "\n" not in str(raised.value)


def test_code_beside_a_native_class_is_left_alone():
    repository.check_config("o/m", {"model_type": "eurobert", "auto_map": {"AutoModel": "x.Y"}})


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"model_type": "quen3"}, r"`quen3` is not in transformers .*; did you mean `qwen3`"),
        ({}, r"its config\.json names no `model_type`"),
        ({"model_type": "wav2vec2"}, r"reads input_values \(wav2vec2\), not text"),
        ({"model_type": "phobert"}, "`phobert` is not in transformers"),
    ],
)
def test_classes_that_cannot_be_used(config, line, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=f"^model o/m: .*{line}"):
        repository.check_classes(tmp_path, "o/m", FILES)


@pytest.mark.parametrize("named", [True, False])
def test_no_fast_tokenizer(named, tmp_path):
    kind = "bert-japanese" if named else "canine"  # by its own file, or by its architecture
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert" if named else kind}))
    if named:
        about = {"tokenizer_class": "BertJapaneseTokenizer"}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(about))
    with pytest.raises(
        UserError, match=r"has no fast tokenizer \((BertJapanese|Canine)Tokenizer\)"
    ):
        repository.check_classes(tmp_path, "o/m", {"config.json", "vocab.txt"})
    repository.check_classes(tmp_path, "o/m", {"config.json", "tokenizer.json"})


@pytest.mark.parametrize("model_type", backbones.BACKBONES)
def test_text_backbones_can_be_used(model_type, tmp_path):
    backbones.write(model_type, tmp_path, width=16)
    repository.check_folder(tmp_path, "o/m")
    repository.check_classes(tmp_path, "o/m", {"config.json", "tokenizer.model"})


def test_a_damaged_config(tmp_path):
    for content, line in (("{", "is damaged"), ("[]", "is no config of a model")):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(UserError, match=f"model o/m: .*config.json {line}"):
            repository.read_config(tmp_path, "o/m")
