"""An encoder with its head is one of transformers' classes, or it is none."""

import numpy as np
import pytest
from tests import helpers

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from xstilts import formats  # noqa: E402
from xstilts.export import task_model  # noqa: E402
from xstilts.scoring import predict  # noqa: E402

SMALL = {
    "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 40, "initializer_range": 0.3,
}  # fmt: skip
LABELS = {"classification": ["a", "b", "c"], "tagging": ["A", "B"]}


def bert():
    return transformers.BertModel(transformers.BertConfig(**SMALL), add_pooling_layer=False)


def deberta():
    config = transformers.DebertaV2Config(
        **SMALL, relative_attention=True, pos_att_type=["p2c", "c2p"], position_biased_input=False
    )
    return transformers.DebertaV2Model(config)


def xlmr_xl():
    config = transformers.XLMRobertaXLConfig(**SMALL, pad_token_id=1)
    return transformers.XLMRobertaXLModel(config, add_pooling_layer=False)


@pytest.mark.parametrize(
    ("architecture", "format"),
    [
        *((bert, f) for f in ("classification", "regression", "tagging", "span", "choice")),
        (deberta, "classification"),
        (xlmr_xl, "classification"),
    ],
)
def test_the_class_of_the_architecture(architecture, format):
    torch.manual_seed(0)
    encoder = architecture().eval()
    labels = LABELS.get(format, [])
    head = formats.page(format).head(encoder, labels).eval()
    for weight in head.parameters():
        weight.data += 0.1 * torch.randn(weight.shape)
    model = task_model.build(encoder, head, format, labels)
    assert type(model).__name__.startswith(type(encoder).__name__.removesuffix("Model") + "For")
    names = [model.config.id2label[i] for i in range(len(labels))]
    assert names == labels
    ids, mask = torch.randint(5, 40, (3, 9)), torch.ones(3, 9, dtype=torch.bool)
    with torch.no_grad():
        ours = predict.outputs(encoder, head, {"ids": ids, "mask": mask})
        theirs = model(input_ids=ids[None] if format == "choice" else ids)
    if format == "regression":
        ours, theirs = ours[0], theirs.logits[:, 0]
    elif format == "span":
        theirs = torch.stack([theirs.start_logits, theirs.end_logits], -1)
    else:
        theirs = theirs.logits
    assert np.abs(ours.squeeze(-1).numpy() - theirs.squeeze(0).numpy()).max() < 1e-5


def test_a_head_that_reads_something_else_has_no_class():
    encoder = bert().eval()
    encoder.config.classifier_pooling = "mean"
    head = formats.page("classification").head(encoder, ["a", "b"]).eval()
    assert task_model.build(encoder, head, "classification", ["a", "b"]) is None


def test_an_architecture_without_such_a_class():
    config = transformers.DistilBertConfig(
        vocab_size=40, dim=16, n_layers=1, n_heads=2, hidden_dim=32, max_position_embeddings=40
    )
    config.hidden_dropout_prob = 0.0
    encoder = transformers.DistilBertModel(config).eval()
    head = formats.page("classification").head(encoder, ["a", "b"]).eval()
    # Its own head has a ReLU where ours has tanh.
    assert task_model.build(encoder, head, "classification", ["a", "b"]) is None


def test_types_of_tokens_are_those_of_training(tmp_path):
    """A template may give the second text type 1, which no training here has seen."""
    import json

    from xstilts.export import folder

    path = helpers.write_tokenizer(tmp_path / "m")
    content = json.loads(path.read_text())
    for piece in content["post_processor"]["pair"][-2:]:
        next(iter(piece.values()))["type_id"] = 1
    path.write_text(json.dumps(content))
    (tmp_path / "m/tokenizer_config.json").write_text('{"pad_token": "<pad>"}')

    class Trained:
        folder = tokenizer_folder = tmp_path / "m"
        max_length = 16

        class task:
            format = "classification"

    (tmp_path / "x").mkdir()
    folder._write_tokenizer(Trained, tmp_path / "x")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "x")
    assert tokenizer("the cat", "a dog").keys() == {"input_ids", "attention_mask"}
