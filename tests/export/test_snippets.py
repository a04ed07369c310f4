"""The code of a model card, where words and answers are read otherwise than in XLM-R: a decoder."""

import contextlib
import io
import json

import numpy as np
import pytest
import torch
from tests import helpers

from xstilts.encoding import separators
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.export import snippets
from xstilts.formats import page
from xstilts.toy import backbones

LENGTH = 64
TAGS = [f"T{i}" for i in range(7)]


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """(folder, tokenizer) of a tiny Qwen3, as the model step writes it."""
    from transformers import AutoConfig, PreTrainedTokenizerFast

    root = tmp_path_factory.mktemp("decoder")
    backbones.write("qwen3", root / "hub")
    config = AutoConfig.from_pretrained(root / "hub")
    config.xstilts = {"kind": "decoder", "word": "last"}
    given = PreTrainedTokenizerFast.from_pretrained(root / "hub")
    tokenizer = separators.fit(given, config, "o/m")
    tokenizer.model_max_length = LENGTH  # as `folder` writes it
    tokenizer.save_pretrained(root / "ours")
    config.save_pretrained(root / "ours")
    assert json.loads((root / "ours" / "config.json").read_text())["pad_token_id"] is not None
    return root / "ours", load_tokenizer(root / "ours" / "tokenizer.json")


def shown(format, auto, decoder, labels):
    """Return what the card's code defines, and the scores of a random model, by our encoding."""
    import transformers

    folder, tokenizer = decoder
    config = transformers.AutoConfig.from_pretrained(folder, initializer_range=0.3)
    if labels:
        config.id2label = dict(enumerate(labels))
    torch.manual_seed(1)
    model = getattr(transformers, auto).from_config(config).eval()
    model.save_pretrained(folder)
    code, names = snippets.of_task_model(format, str(folder), False, LENGTH, True, tokenizer), {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, names)

    def scores(batch):
        ids = torch.from_numpy(batch["ids"])
        mask = batch["mask"]
        mask = torch.ones_like(ids) if mask is None else torch.from_numpy(mask).long()
        with torch.inference_mode():
            return model(input_ids=ids, attention_mask=mask)

    return names, scores


def test_the_tags_of_a_decoder(decoder):
    names, scores = shown("tagging", "AutoModelForTokenClassification", decoder, TAGS)
    tagging = page("tagging")
    found = set()
    for text in backbones.TEXTS:
        words = text.split()
        rows = [{"tokens": words, "tags": [TAGS[0]] * len(words)}]
        data = helpers.encode(decoder[1], "tagging", rows, TAGS, length=LENGTH)
        batch = tagging.collate(data, np.array([0]))
        best = scores(batch).logits[0].argmax(-1)[torch.from_numpy(batch["at"][0])]
        assert names["tag"](words) == [TAGS[i] for i in best.tolist()]
        found |= set(best.tolist())
    assert len(found) > 2, "or the test would see little"


def test_the_answers_of_a_decoder(decoder, monkeypatch):
    names, scores = shown("span", "AutoModelForQuestionAnswering", decoder, ())
    span = page("span")
    monkeypatch.setattr(span, "N_BEST", LENGTH)  # the card tries all
    answers = set()
    for i, context in enumerate(backbones.TEXTS):
        question = backbones.TEXTS[i - 1] * (1 + i % 3)
        row = {"question": question, "context": context * 4, "answers": {"text": [], "start": []}}
        data = helpers.encode(decoder[1], "span", [row], length=LENGTH, no_answer=True)
        batch = span.collate(data, np.arange(len(data)))
        got = scores(batch)
        outputs = torch.stack([got.start_logits, got.end_logits], -1)
        tensors = {k: torch.from_numpy(batch[k]) for k in ("inside", "nothing")}
        (expected,) = span.decode(span.reduce(outputs, tensors).tolist(), data, [row])
        assert names["answer"](question, row["context"]) == expected
        answers.add(expected)
    assert len(answers) > 2, "or the test would see little"
