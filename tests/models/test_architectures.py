"""Every architecture with every format, on tiny random checkpoints that the tests make.

`PYTHONPATH=workflow python -m tests.models.test_architectures` prints the table of docs/models.md.
"""

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from tests import helpers

from xstilts import formats
from xstilts.data import pin
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.experiment.architecture import KIND_OF
from xstilts.models import architecture, attention, checkpoint
from xstilts.models.architecture import Architecture
from xstilts.models.execution import Execution, hidden_states, tensors
from xstilts.running.errors import UserError
from xstilts.running.files import read_json
from xstilts.scoring import predict
from xstilts.steps import model as model_step
from xstilts.toy import backbones
from xstilts.training.tasks import TrainingTask, snapshot

ARCHITECTURES = tuple(backbones.BACKBONES)
FORMATS = ("classification", "regression", "choice", "span", "tagging", "dual", "mlm", "retrieval")
DECODERS = [name for name in ARCHITECTURES if KIND_OF[name] == "decoder"]
TURNED = [name for name in DECODERS if name != "bloom"]
# The norm after the last layer, of architectures whose layers end in none.
LAST_NORM = {
    "bloom": "ln_f", "eurobert": "norm", "gemma3_text": "norm", "llama": "norm",
    "modernbert": "final_norm", "mt5": "encoder.final_layer_norm", "qwen3": "norm",
    "t5gemma": "encoder.norm", "umt5": "encoder.final_layer_norm", "xglm": "layer_norm",
    "xlm-roberta-xl": "encoder.LayerNorm",
}  # fmt: skip
WORDS = {"trained": "T", "batches": "B", "packed": "P", "saved": "S"}  # in the docs
STEPS, LEARNING_RATE, TOLERANCE = 12, 5e-3, 2e-5

A, B = "Anna sees the small dog in the garden.", "The teacher reads 12 new books."
C = "Der kleine Hund schläft."
LABELS = {"classification": ("yes", "no"), "tagging": ("NOUN", "X")}
ROWS = {
    "classification": [
        {"text": A, "text_pair": B, "label": "yes"}, {"text": C, "text_pair": None, "label": "no"},
        {"text": B, "text_pair": C, "label": "no"}, {"text": A, "text_pair": None, "label": "yes"},
    ],
    "regression": [
        {"text": A, "text_pair": B, "label": 4.0}, {"text": C, "text_pair": None, "label": 1.5},
        {"text": B, "text_pair": C, "label": 2.0}, {"text": A, "text_pair": None, "label": 5.0},
    ],
    "choice": [
        {"context": A, "choices": [B, C], "label": 0},
        {"context": C, "choices": [A, B, "It sleeps."], "label": 2},
    ],
    "span": [
        {"question": "Who sees it?", "context": A, "answers": {"text": ["Anna"], "start": [0]}},
        {"question": "Where?", "context": A, "answers": {"text": ["garden"], "start": [31]}},
        {"question": "How many?", "context": B, "answers": {"text": ["12"], "start": [18]}},
    ],
    "tagging": [
        {"tokens": ["Anna", "sees", "dogs"], "tags": ["NOUN", "X", "NOUN"]},
        {"tokens": ["Der", "kleine", "Hund", "schläft", "."],
         "tags": ["X", "X", "NOUN", "X", "X"]},
    ],
    "dual": [
        {"id": "1", "text": A, "text_pair": C, "group": None},
        {"id": "2", "text": "How many?", "text_pair": B, "group": None},
        {"id": "3", "text": "Where?", "text_pair": f"{B} {A}", "group": None},
    ],
    "mlm": [{"text": f"{A} {B} {C}"}, {"text": f"{B} {A}"}],
    "retrieval": [
        {"id": "1", "side": "source", "text": A, "gold": "2"},
        {"id": "2", "side": "target", "text": C, "gold": None},
        {"id": "3", "side": "target", "text": f"{B} {A}", "gold": None},
    ],
}  # fmt: skip


class Made:
    """Checkpoints as public ones are (`source`), and as the `model` step makes them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders: dict[str, Path] = {}

    def source(self, name: str, head: bool = True) -> Path:
        folder = self.root / f"models/o/{name}-{head}"
        if not folder.exists():
            backbones.write(name, folder, head=head)
        return folder

    def folder(self, name: str, head: bool = True, **asked) -> Path:
        key = f"{name}-{head}-{'-'.join(map(str, asked.values()))}"
        if key not in self.folders:
            self.source(name, head)
            out, model = self.root / f"out/{key}", f"o/{name}-{head}"
            pinned = pin.resolve("models", str(self.root), str(self.root), model, "main")
            out.mkdir(parents=True)
            (out / "pin.json").write_text(json.dumps(pinned))
            spec = json.dumps({"from": model, "revision": "main", **asked})
            args = ["--spec", spec, "--source", str(self.root), "--root", str(self.root)]
            args += ["--pin", str(out / "pin.json"), "--out", str(out)]
            model_step.main(model_step.parser().parse_args(args))
            self.folders[key] = out
        return self.folders[key]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("architectures"))


@pytest.fixture(autouse=True)
def quiet():
    """One thread, since so small products are slower on several, and no lines."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with open("/dev/null", "w") as null, contextlib.redirect_stdout(null):
        yield
    torch.set_num_threads(threads)


def encoded(folder, format):
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    labels = LABELS.get(format, ())
    return helpers.encode(tokenizer, format, ROWS[format], labels=labels)


def batch_of(folder, lengths=(30, 7, 20)):
    """Return a batch of random sequences, one of them much shorter than the windows are wide."""
    vocabulary = read_json(folder / "config.json")["vocab_size"]
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    ids = np.random.default_rng(1).integers(5, vocabulary, mask.shape)
    return {"ids": np.where(mask, ids, 0), "mask": mask}


def states(encoder, batch):
    import torch

    with torch.inference_mode():
        return hidden_states(encoder, tensors(batch, torch.device("cpu")))


def trained(encoder, page, head, data):
    """Train on all rows, as one batch; return the loss before and after."""
    import torch

    batch = tensors(page.collate(data, np.arange(len(data)), (1,)), torch.device("cpu"))
    parameters = {id(p): p for m in (encoder, head) for p in m.parameters()}
    optimizer = torch.optim.AdamW(parameters.values(), LEARNING_RATE)
    losses = []
    encoder.train()
    head.train()
    for _ in range(STEPS):
        loss = page.loss(predict.outputs(encoder, head, batch), batch) / batch["weight"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses[0], losses[-1]


def reduced(page, encoder, head, data, tokens=4096, execution=None):
    import torch

    return predict.reduced(page, encoder, head, data, torch.device("cpu"), tokens, execution)


def same(ours, theirs, within=TOLERANCE):
    """Compare rows; past the words and choices of a row there are more in a larger batch."""
    for one, other in zip(ours, theirs, strict=True):
        one, other = np.atleast_1d(one), np.atleast_1d(other)
        size = min(len(one), len(other))
        one, other = one[:size], other[:size]
        scale = 1 + np.abs(one[np.isfinite(one)]).max()
        np.testing.assert_allclose(one, other, rtol=within, atol=within * scale)


def weights_of(folder):
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "pt") as file:
        return sorted(file.keys())


def tried(made, name, format, out):
    """Train a format on an architecture, and save and load it; return what was seen, for the table.

    What is predicted of rows has to be the same one by one, all padded into one batch, packed where
    that can be, and by the checkpoint that was saved.
    """
    import torch

    folder = made.folder(name)
    if format == "mlm" and KIND_OF[name] != "encoder":
        with pytest.raises(UserError, match="masked language modelling is for encoders"):
            formats.page("mlm").head(checkpoint.load_encoder(folder), [])
        return "refused"  # and when the config is read: experiment/test_backbones.py
    data, page = encoded(folder, format), formats.page(format)
    layers = {"layers": 1} if format == "retrieval" else {}
    torch.manual_seed(0)
    encoder = checkpoint.load_encoder(folder, dropout=0.0, **layers)
    head, seen = page.head(encoder, data.labels, [data]), []
    if format != "retrieval":
        before, after = trained(encoder, page, head, data)
        assert after < 0.7 * before, (before, after)
        seen.append("trained")
    if format == "mlm":
        return ", ".join(seen)
    predictions = reduced(page, encoder, head, data)
    same(predictions, reduced(page, encoder, head, data, tokens=1))
    assert len(page.decode(predictions, data, ROWS[format])) >= 1
    seen.append("batches")
    if name in attention.AFTER_PADDING:
        execution = Execution.prepare(encoder)
        same(predictions, reduced(page, encoder, head, data, execution=execution))
        seen.append("packed")
    if format != "retrieval":
        task = TrainingTask(format, format, 4, data.labels, {"en": data}, head)
        checkpoint.save(snapshot(encoder, [task]), folder, out)
        assert weights_of(out) == weights_of(folder)  # what is tied is there once
        again = page.head(checkpoint.load_encoder(out), data.labels)
        checkpoint.load_head(again, out)
        same(predictions, reduced(page, checkpoint.load_encoder(out), again, data))
        seen.append("saved")
    return ", ".join(seen)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_format_trains_and_its_predictions_are_of_each_row_alone(made, name, format, tmp_path):
    tried(made, name, format, tmp_path)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_checkpoint_is_what_transformers_has_of_it(made, name):
    """With its head or without, by the class that transformers has for it, and cut to a layer."""
    import torch
    import transformers

    kind = KIND_OF[name]
    auto = {
        "encoder": transformers.AutoModelForMaskedLM,
        "decoder": transformers.AutoModelForCausalLM,
        "encoder-decoder": transformers.AutoModelForSeq2SeqLM,
    }[kind]
    folder = made.folder(name)
    batch = batch_of(folder)
    keep = batch["mask"]
    whole = auto.from_pretrained(made.source(name)).eval()
    inner = whole.get_encoder() if kind == "encoder-decoder" else whole.base_model
    ids, mask = torch.from_numpy(batch["ids"]), torch.from_numpy(keep).long()
    with torch.inference_mode():
        theirs = inner(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    ours = states(checkpoint.load_encoder(folder), batch)
    same(ours[keep], theirs.last_hidden_state[keep])

    named = transformers.AutoModelForTextEncoding if kind == "encoder-decoder" else None
    bare = {"add_pooling_layer": False} if name in attention.AFTER_PADDING else {}
    opened = (named or transformers.AutoModel).from_pretrained(folder, **bare).eval()
    assert torch.equal(ours[keep], states(opened, batch)[keep])
    assert kind != "decoder" or opened.config.pad_token_id is not None

    cut = states(checkpoint.load_encoder(folder, layers=1), batch)
    layer = theirs.hidden_states[1]
    if name in LAST_NORM:
        with torch.inference_mode():
            layer = opened.get_submodule(LAST_NORM[name])(layer)
    same(cut[keep], layer[keep])

    headless = made.folder(name, head=False)
    assert read_json(headless / "node.json")["parameters"] == sum(
        weight.numel() for weight in opened.parameters()
    )
    assert states(checkpoint.load_encoder(headless), batch).shape == ours.shape


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_config_says_what_an_architecture_is(made, name):
    folder, kind = made.folder(name), KIND_OF[name]
    config, node = (read_json(folder / file) for file in ("config.json", "node.json"))
    own = {
        "encoder": None,
        "encoder-decoder": {"kind": "encoder-decoder"},
        "decoder": {"kind": "decoder", "word": "last"},
    }[kind]
    assert config.get("xstilts") == own
    assert (node["architecture"], node["hidden_size"], node["layers"]) == (kind, 32, 2)
    encoder = checkpoint.load_encoder(folder)
    assert Architecture.of(config) == Architecture.of(encoder.config)
    assert Architecture.of(config).pooling == {
        "encoder": "mean" if name == "eurobert" else "cls",
        "encoder-decoder": "mean", "decoder": "last",
    }[kind]  # fmt: skip


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_is_that_of_the_recipe(made, name):
    import torch

    folder = made.folder(name)
    batch = batch_of(folder)
    of = Architecture.of(checkpoint.load_encoder(folder, dropout=0.3).config)
    assert of.dropout == 0.3 and of.dropout_keys
    for dropout, equal in ((0.0, True), (0.3, False)):
        encoder = checkpoint.load_encoder(folder, dropout=dropout)
        evaluated = states(encoder.eval(), batch)[batch["mask"]]
        torch.manual_seed(0)
        dropped = states(encoder.train(), batch)[batch["mask"]]
        assert torch.allclose(evaluated, dropped, atol=1e-5) is equal


def changed(encoder, batch):
    """Return how much a later token changes earlier states, in a padded batch and alone."""
    later = {**batch, "ids": batch["ids"].copy()}
    later["ids"][:, 6] = np.where(batch["ids"][:, 6] == 9, 8, 9)
    whole = {"ids": batch["ids"][:1], "mask": None}, {"ids": later["ids"][:1], "mask": None}
    pairs = [(batch, later), whole]
    return [
        float((states(encoder, a) - states(encoder, b))[:, :6].abs().amax((1, 2)).min())
        for a, b in pairs
    ]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_later_token_is_seen_by_all_but_decoders(made, name):
    folder = made.folder(name)
    encoder = checkpoint.load_encoder(folder)
    differences = changed(encoder, batch_of(folder))
    if KIND_OF[name] == "decoder":
        assert differences == [0.0, 0.0] and not Architecture.of(encoder.config).bidirectional
    else:
        assert min(differences) > 1e-4 and Architecture.of(encoder.config).bidirectional


@pytest.mark.parametrize("name", TURNED)
def test_a_bidirectional_decoder_sees_later_tokens(made, name):
    import transformers

    folder = made.folder(name, attention="bidirectional")
    batch = batch_of(folder)
    for encoder in (
        checkpoint.load_encoder(folder), transformers.AutoModel.from_pretrained(folder).eval(),
    ):  # fmt: skip
        assert min(changed(encoder, batch)) > 1e-4
        assert Architecture.of(encoder.config).bidirectional
        whole, one = states(encoder, batch), {k: v[1:2, :7] for k, v in batch.items()}
        same(whole[1, :7], states(encoder, one)[0])
    causal = made.folder(name, attention="causal")
    assert changed(checkpoint.load_encoder(causal), batch) == [0.0, 0.0]


def test_what_an_architecture_cannot_be_is_refused(made):
    with pytest.raises(UserError, match=r"model o/bloom-True: attention: bloom cannot be bidirect"):
        made.folder("bloom", attention="bidirectional")
    with pytest.raises(UserError, match=r"attention: is for decoders, and this is an encoder-deco"):
        made.folder("mt5", attention="causal")
    with pytest.raises(UserError, match=r"pooling: modernbert has no `last`; its config takes"):
        made.folder("modernbert", pooling="last")


def test_what_does_not_become_bidirectional_is_refused(made, monkeypatch):
    monkeypatch.setattr(architecture, "sees_later", lambda encoder: False)
    with pytest.raises(UserError, match=r"qwen3 cannot be bidirectional: transformers attends"):
        made.folder("qwen3", pooling="mean", attention="bidirectional")


def test_an_encoder_decoder_without_a_class_for_its_encoder():
    from transformers import BartConfig

    with pytest.raises(UserError, match=r"bart: is an encoder-decoder whose encoder transformers"):
        architecture.auto_class(BartConfig())


def test_the_kind_of_what_the_config_does_not_tell():
    from transformers import GPT2Config, RobertaConfig

    assert architecture.kind(GPT2Config()) == "decoder"
    assert architecture.kind(RobertaConfig()) == "encoder"


def table() -> str:
    """Return what was tried, as Markdown."""
    lines = [f"| | {' | '.join(FORMATS)} |", f"|---|{'---|' * len(FORMATS)}"]
    with tempfile.TemporaryDirectory() as root:
        made = Made(Path(root))
        for name in ARCHITECTURES:
            cells = []
            for format in FORMATS:
                with contextlib.redirect_stdout(None):
                    seen = tried(made, name, format, Path(root) / f"{name}-{format}")
                cells.append("".join(WORDS.get(word, word) for word in seen.split(", ")))
            lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
