"""A decoder that writes: batches, the same answers whatever is beside them, and bad folders."""

import json
import os
import sys
import types

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xstilts.models import writer
from xstilts.models.writer import Settings, Written, batches
from xstilts.running.errors import UserError
from xstilts.toy import backbones

PROMPTS = ["Anna sees the dog", "Who is in the old house? " * 4, "x", "Der Hund schläft im Garten."]
GREEDY = Settings(temperature=0, max_tokens=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("decoder")
    backbones.write("qwen3", made, head=True)
    return made


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 50), st.integers(1, 2000))
def test_batches_have_each_prompt_once_and_keep_the_budget(lengths, more, budget):
    made = batches(lengths, more, budget)
    assert sorted(at for batch in made for at in batch) == list(range(len(lengths)))
    for batch in made:
        widest = max(lengths[at] for at in batch)
        assert len(batch) == 1 or len(batch) * (widest + more) <= budget
    flat = [lengths[at] for batch in made for at in batch]
    assert flat == sorted(lengths, reverse=True)


def test_short_prompts_go_together():
    assert batches([5, 20, 5, 5], 5, 30) == [[1], [0, 2, 3]]


def test_what_is_beside_a_prompt_changes_nothing(folder):
    write = writer.opened("transformers", folder, GREEDY)
    together = write(PROMPTS, 1)
    assert together == [write([prompt], 1)[0] for prompt in PROMPTS]
    assert all(one.text for one in together) and len(set(together)) == len(PROMPTS)


def test_the_same_seed_draws_the_same_answers(folder):
    write = writer.opened("transformers", folder, Settings(max_tokens=8, budget=64))
    write.device = torch.device("cpu")
    write.model.to("cpu")
    drawn = write(PROMPTS, 1)
    assert drawn == write(PROMPTS, 1) != write(PROMPTS, 2)
    write.settings = Settings(max_tokens=8, budget=10**6)
    assert drawn == write(PROMPTS, 1), "how many are written together is no part of what is asked"


def test_an_answer_ends_where_the_decoder_says(folder):
    write = writer.opened("transformers", folder, Settings(temperature=0, max_tokens=3))
    assert not any(one.ended for one in write(PROMPTS, 1))
    write.ends = list(range(write.model.config.vocab_size))  # any token does
    assert write(PROMPTS, 1) == [Written("", True)] * len(PROMPTS)


def test_what_does_not_fit_is_written_in_halves(folder, monkeypatch):
    import torch

    write = writer.opened("transformers", folder, GREEDY)
    whole, sizes, batch = write(PROMPTS, 1), [], write._batch

    def small(ids):
        sizes.append(len(ids))
        if len(ids) > 2:
            raise torch.OutOfMemoryError
        return batch(ids)

    monkeypatch.setattr(write, "_batch", small)
    assert write(PROMPTS, 1) == whole and sizes == [4, 2, 2]


def test_a_prompt_that_is_too_long(folder):
    write = writer.opened("transformers", folder, GREEDY)
    with pytest.raises(UserError, match=r"a prompt of \d+ tokens and an answer of 8 are more than"):
        write(["dog " * 600], 1)


TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}{{ enable_thinking }}"
)


def test_a_chat_template_is_used_where_there_is_one(folder, tmp_path):
    assert writer.chat(writer.tokenizer_of(folder), "Hi") == "Hi"
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "chat_template.jinja").write_text(TEMPLATE)
    said = "<user>Hi<assistant>False"
    assert writer.chat(writer.tokenizer_of(tmp_path), "Hi") == said
    (tmp_path / "chat_template.jinja").unlink()
    about = json.loads((folder / "tokenizer_config.json").read_text())
    text = json.dumps(about | {"chat_template": TEMPLATE})
    (tmp_path / "tokenizer_config.json").write_text(text)
    assert writer.chat(writer.tokenizer_of(tmp_path), "Hi") == said


def test_a_folder_that_holds_no_decoder(tmp_path):
    backbones.write("qwen3", tmp_path)  # without the head: it has embeddings that it shares
    assert writer.opened("transformers", tmp_path, GREEDY)
    backbones.write("umt5", tmp_path, head=True)
    with pytest.raises(UserError, match="no decoder that writes can be loaded"):
        writer.opened("transformers", tmp_path, GREEDY)
    with pytest.raises(UserError, match="tokenizer cannot be loaded"):
        writer.opened("transformers", tmp_path / "none", GREEDY)


def test_vllm_is_asked_for_the_same(folder, monkeypatch):
    """The call, by a stand-in of its interface: vLLM itself needs a GPU and an environment of its
    own, and has not been run here."""
    with pytest.raises(UserError, match="engine: vllm is not installed; `pip install vllm` into"):
        writer.opened("vllm", folder, GREEDY)
    asked = {}
    for name in ("VLLM_NO_USAGE_STATS", "DO_NOT_TRACK", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "0")  # and back after it

    class LLM:
        def __init__(self, **options):
            asked.update(options)

        def generate(self, prompts, sampling):
            asked["ids"], asked["sampling"] = prompts, sampling
            ends = ["stop", "length"]
            outputs = [types.SimpleNamespace(text="a", finish_reason=end) for end in ends]
            return [types.SimpleNamespace(outputs=[one]) for one in outputs]

    stand_in = types.ModuleType("vllm")
    stand_in.LLM, stand_in.SamplingParams = LLM, dict
    monkeypatch.setitem(sys.modules, "vllm", stand_in)
    write = writer.opened("vllm", folder, Settings(max_tokens=7))
    assert write(["Anna", "x"], 3) == [Written("a", True), Written("a", False)]
    assert asked["model"] == str(folder) and asked["trust_remote_code"] is False
    drawn = {"temperature": 1.0, "top_p": 0.95, "max_tokens": 7}
    assert asked["sampling"] == [{**drawn, "seed": 3}, {**drawn, "seed": 4}]
    assert os.environ["VLLM_NO_USAGE_STATS"] == os.environ["HF_HUB_OFFLINE"] == "1"
    tokenizer = writer.tokenizer_of(folder)
    assert asked["ids"] == [{"prompt_token_ids": tokenizer(p)["input_ids"]} for p in ("Anna", "x")]
