"""An encoder that is loaded without most of transformers is the one that `AutoModel` loads."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest
from tests.conftest import ROOT

import xstilts
from xstilts.models import checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json

ARCHITECTURES = ("xlm-roberta", "bert", "deberta-v2", "distilbert")
# Each job in a process of its own, all from one that has imported torch.
CODE = """
import json, os, sys, torch, torch.nn
from tests.models.test_lean import HEAVY, facts
from xstilts.models import checkpoint, lean
from xstilts.running.errors import UserError

lean.allow()
for name, folder, options, before, after in json.loads(sys.argv[1]):
    if not os.fork():
        exec(before)
        try:
            said = facts(checkpoint.load_encoder, folder, **options)
        except UserError as error:
            said = str(error)
        heavy = sorted(sys.modules.keys() & HEAVY)
        exec(after)
        print(json.dumps([name, said, heavy]))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""
HEAVY = {"sympy", "scipy", "transformers", "huggingface_hub.hf_api", "torch.distributed.tensor"}
USED = """
before = type(sys.modules["torch._dynamo"]).__name__
from torch._dynamo.utils import counters
assert sys.modules["torch._dynamo.utils"] is torch._dynamo.utils
assert torch._dynamo.utils.counters is counters
assert torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)) == 2
from transformers import AutoModel
from transformers.utils import cached_file, logging
logging.disable_progress_bar()
AutoModel.from_pretrained(folder)
cached_file(folder, "config.json")
said = [before, type(sys.modules["torch._dynamo"]).__name__]
"""
MOVED = "lean.LATER = (*lean.LATER, 'transformers.modeling_utils')"


def facts(load, folder, *given, **options) -> str:
    """Return digests of an encoder's weights, config and generator, and of it after a step."""
    import torch

    torch.set_num_threads(1)  # sums differ by it in their last bits
    torch.manual_seed(7)
    encoder = load(folder, *given, **options)

    def hashed(values) -> str:
        return hashlib.sha256(b"".join(values)).hexdigest()[:8]

    named = [*encoder.named_parameters(), *encoder.named_buffers()]
    weights = hashed(f"{k} {v.dtype} {v.requires_grad}".encode() + v.detach().numpy().tobytes()
                     for k, v in named)  # fmt: skip
    generator = hashed([torch.get_rng_state().numpy().tobytes()])
    config = hashed([json.dumps(encoder.config.to_dict(), sort_keys=True).encode()])
    mode = (encoder.training, encoder.config._attn_implementation, encoder.name_or_path)
    torch.manual_seed(1)
    encoder.train()
    optimizer = torch.optim.AdamW(encoder.parameters(), 1e-3)
    mask = torch.ones(2, 9, dtype=torch.long)
    mask[0, 5:] = 0
    hidden = encoder(input_ids=torch.arange(18).view(2, 9), attention_mask=mask)[0]
    hidden.square().sum().backward()
    optimizer.step()
    moved = hashed(p.detach().numpy().tobytes() for p in encoder.parameters())
    return " ".join(map(str, (weights, config, generator, *mode, moved)))


def automatic(folder, layers=None, dropout=None) -> str:
    """Return the facts of what `AutoModel` loads."""
    return facts(checkpoint._automatic, folder, layers, dropout)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A small random encoder of each architecture, on the disk."""
    import torch
    import transformers

    root, made = tmp_path_factory.mktemp("models"), {}
    for kind in ARCHITECTURES:
        config = transformers.AutoConfig.for_model(
            kind, vocab_size=40, hidden_size=16, dim=16, embedding_size=16, num_hidden_layers=2,
            n_layers=2, num_attention_heads=2, n_heads=2, intermediate_size=32, hidden_dim=32,
            max_position_embeddings=32,
        )  # fmt: skip
        torch.manual_seed(3)
        made[kind] = root / kind
        transformers.AutoModel.from_config(config).save_pretrained(made[kind])
    return made


@pytest.fixture(scope="module")
def wide(folders):
    """A folder whose weights do not fit its config."""
    folder = shutil.copytree(folders["bert"], folders["bert"].with_name("wide"))
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", config | {"hidden_size": 32})
    return folder


@pytest.fixture(scope="module")
def said(folders, wide):
    """What the process of each job says, and what it has imported of HEAVY."""
    one = str(folders["xlm-roberta"])
    jobs = [(name, str(folder), {}, "", "") for name, folder in folders.items()]
    jobs += [
        ("options", one, {"layers": 1, "dropout": 0.3}, "", ""),
        ("used", one, {}, "", USED),
        ("moved", one, {}, MOVED, ""),
        ("wide", str(wide), {}, "", ""),
    ]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(xstilts.WORKFLOW), str(ROOT)])}
    command = [sys.executable, "-c", CODE, json.dumps(jobs)]
    said = subprocess.run(command, env=env, capture_output=True, text=True)
    assert not said.returncode and not said.stderr, said.stderr
    return {name: rest for name, *rest in map(json.loads, said.stdout.splitlines())}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_encoder_is_the_same_without_the_rest_of_transformers(folders, said, name):
    assert said[name] == [automatic(folders[name]), []]


def test_fewer_layers_and_another_dropout_are_the_same(folders, said):
    assert said["options"] == [automatic(folders["xlm-roberta"], layers=1, dropout=0.3), []]


def test_what_was_left_out_is_there_when_it_is_used(said):
    assert said["used"] == [["StandIn", "module"], []]


def test_where_it_does_not_work_out_the_ordinary_way_is_taken(folders, said):
    """As with another version of transformers, which has its modules elsewhere."""
    same, imported = said["moved"]
    assert same == automatic(folders["xlm-roberta"]) and "transformers" in imported


def test_what_is_refused_is_refused_with_the_same_line(wide, said):
    with pytest.raises(UserError, match=r"wide: cannot be loaded as a model \(") as error:
        checkpoint._automatic(wide, None, None)
    assert said["wide"][0] == str(error.value)
