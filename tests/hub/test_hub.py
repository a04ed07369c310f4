"""The steps that meet the hub, in processes of their own, against a hub on loopback."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import load_file
from tests.hub import mirror
from tests.hub.server import Hub

from xstilts.toy import backbones

ROOT = Path(__file__).resolve().parents[2]
UDPOS = {
    "task": "udpos", "format": "tagging", "hub": "google/xtreme", "config": "udpos.German",
    "split": "test", "lang": "de", "rows": "xtreme_udpos", "labels": mirror.UPOS, "version": 1,
}  # fmt: skip
XNLI = {
    "task": "xnli", "format": "classification", "hub": "acme/nli", "config": "de",
    "split": "validation", "lang": "de", "labels": mirror.NLI, "version": 1,
    "columns": {"premise": "text", "hypothesis": "text_pair"},
}  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    root = tmp_path_factory.mktemp("mirror")
    mirror.write_datasets(root)
    folder = mirror.write_model(root, "acme/tiny")
    pickled = root / "models/acme/pickled"
    shutil.copytree(folder, pickled)
    torch.save(load_file(pickled / "model.safetensors"), pickled / "pytorch_model.bin")
    (pickled / "training_args.bin").write_bytes(b"never fetched")
    (pickled / "model.safetensors").unlink()
    return root


@pytest.fixture
def hub(tiny, tmp_path):
    shutil.copytree(tiny, tmp_path / "hub")
    with Hub(tmp_path / "hub") as running:
        yield running


def python(args, env, cwd):
    """Run Python with `args`; return (exit code, stdout, stderr, seconds)."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS_"))}
    path = os.pathsep.join([str(ROOT / "workflow"), str(ROOT)])
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, *args],
        env={**clean, "PYTHONPATH": path, "HOME": str(cwd / "home"), **env},
        cwd=cwd, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr, time.monotonic() - started


class Steps:
    """The three steps with this test's hub and cache."""

    def __init__(self, hub, folder):
        self.hub, self.folder, self.env = hub, folder, hub.env(folder / "cache")

    def step(self, name, *args, **env):
        run = ["-m", f"xstilts.steps.{name}", "--source", "hub", *args]
        return python(run, {**self.env, **env}, self.folder)

    def pin(self, kind, name, revision="main", lock="xstilts.lock.yaml", **env):
        out = self.folder / f"results/pins/{kind}/{name}.json"
        args = ["--kind", kind, "--name", name, "--revision", revision, "--lock", lock]
        args += ["--tasks", "xnli"] if kind == "datasets" else []
        return self.step("pin", *args, "--out", str(out), **env), out

    def good_pin(self, kind, name, revision="main", **options):
        (code, _, error, _), out = self.pin(kind, name, revision, **options)
        assert code == 0, error
        return out

    def given_pin(self, kind, name):
        """The pin of the head of main, without a process."""
        out = self.folder / f"pins/{kind}/{name}.json"
        out.parent.mkdir(parents=True, exist_ok=True)
        pin = {"source": "hub", "revision": self.hub.branches[kind, name]["main"]}
        out.write_text(json.dumps({"kind": kind, "name": name, "lock": "my.lock", **pin}))
        return out

    def prepare(self, spec, pin, **env):
        out = self.folder / f"results/data/{spec['task']}/{spec['lang']}.{spec['split']}.parquet"
        args = ["--spec", json.dumps(spec), "--pin", str(pin), "--out", str(out)]
        return self.step("prepare", *args, **env), out

    def model(self, name, pin, **env):
        out = self.folder / "results/models/tiny"
        args = ["--spec", json.dumps({"from": name, "revision": "main"}), "--pin", str(pin)]
        return self.step("model", *args, "--out", str(out), **env), out


@pytest.fixture
def steps(hub, tmp_path):
    return Steps(hub, tmp_path)


def one_line(result, *words, seconds=20):
    """Assert that a step failed as for a user's mistake, in time, with all of `words`."""
    code, _, stderr, took = result
    assert code == 1, stderr
    assert len(stderr.strip().splitlines()) == 1, stderr
    assert stderr.startswith("error: ")
    for word in words:
        assert word in stderr
    assert took < seconds


def test_unmodified_libraries_can_use_the_server(hub, tmp_path):
    code = """
import datasets, huggingface_hub, pathlib
rows = datasets.load_dataset("google/xtreme", "udpos.German", split="test", revision="main")
print(rows[0]["tokens"], rows.features["pos_tags"].feature.names)
path = huggingface_hub.snapshot_download("acme/tiny", allow_patterns=["*.json"])
print(sorted(p.name for p in pathlib.Path(path).iterdir()))
"""
    done, out, error, _ = python(["-c", code], hub.env(tmp_path / "cache"), tmp_path)
    assert done == 0, error
    assert out.splitlines() == [
        "['Hunde', 'bellen', '.'] ['ADJ', 'NOUN', 'PUNCT', 'VERB']",
        "['config.json', 'tokenizer.json', 'tokenizer_config.json']",
    ]


def test_a_commit_is_locked_loaded_and_kept_when_the_branch_moves(hub, steps, tmp_path):
    first = hub.branches["datasets", "acme/nli"]["main"]
    pin = steps.good_pin("datasets", "acme/nli")
    lock = yaml.safe_load((tmp_path / "xstilts.lock.yaml").read_text())
    assert lock["datasets"] == {
        "acme/nli": {"requested": "main", "source": "hub", "revision": first}
    }
    mirror.write_dataset(hub.root, "acme/nli", {"de": {"validation": mirror.nli(9)}})
    second = hub.commit("datasets", "acme/nli")
    assert first != second
    asked = hub.requests.total()
    pin = steps.good_pin("datasets", "acme/nli")
    assert hub.requests.total() == asked, "a locked pin needs no network"
    assert json.loads(pin.read_text())["revision"] == first

    (code, out, error, _), data = steps.prepare(XNLI, pin)
    assert (code, error) == (0, "")
    assert out == "xnli de validation: 2 rows, dropped 1 (no label)\n"
    assert pq.read_table(data).to_pylist() == [
        {"id": "0", "text": "p 0", "text_pair": "h 0", "label": "entailment"},
        {"id": "1", "text": "p 1", "text_pair": "h 1", "label": "neutral"},
    ]
    # Offline the cache serves the locked commit, and no other one in its place.
    offline = {"HF_HUB_OFFLINE": "1"}
    assert steps.prepare(XNLI, pin, **offline)[0][0] == 0
    pin.write_text(pin.read_text().replace(first, second))
    one_line(
        steps.prepare(XNLI, pin, **offline)[0], "task xnli (de)", "another commit", second[:12]
    )

    update = ["--update", "acme/nli", "--lock", "xstilts.lock.yaml"]
    assert steps.step("pin", *update)[0] == 0
    pin = steps.good_pin("datasets", "acme/nli")
    assert json.loads(pin.read_text())["revision"] == second


def test_the_hubs_conversion_serves_what_main_has_as_a_script(hub, steps):
    spec = {**UDPOS, "hub": "acme/script"}
    (result, _) = steps.pin("datasets", "acme/script")
    one_line(result, "acme/script: its main branch is a script", "no refs/convert/parquet of it")
    main = hub.root / "datasets/acme/script"
    script, text = main / "script.py", (main / "script.py").read_text()
    script.unlink()
    shutil.copytree(hub.root / "datasets/google/xtreme", main, dirs_exist_ok=True)
    converted = hub.commit("datasets", "acme/script", "refs/convert/parquet")
    script.write_text(text)
    hub.commit("datasets", "acme/script", "main")
    pin = steps.good_pin("datasets", "acme/script")  # without being told
    assert json.loads(pin.read_text())["revision"] == converted
    lock = steps.folder / "xstilts.lock.yaml"
    entries = yaml.safe_load(lock.read_text())
    assert entries["datasets"]["acme/script"] == {
        "source": "hub",
        "requested": "main",
        "branch": "refs/convert/parquet",
        "revision": converted,
    }
    (code, _, error, _), data = steps.prepare(spec, pin)
    assert code == 0, error
    assert pq.read_table(data)["tags"].to_pylist()[0] == ["NOUN", "VERB", "PUNCT"]
    (result, _) = steps.pin("datasets", "acme/script", "refs/convert/parquet")
    one_line(result, "acme/script", "was made for `main`", "delete its entry in xstilts.lock.yaml")


def test_pins_made_at_once_are_all_in_the_lock(hub, steps, tmp_path):
    names = ["google/xtreme", "acme/nli"]
    base = [sys.executable, "-m", "xstilts.steps.pin", "--source", "hub", "--lock", "lock.yaml"]
    env = {**os.environ, **steps.env, "PYTHONPATH": str(ROOT / "workflow")}
    running = [
        subprocess.Popen(
            [*base, "--kind", "datasets", "--name", n, "--out", f"pins/datasets/{n}.json"],
            env=env, cwd=tmp_path,
        )
        for n in names
    ]  # fmt: skip
    assert [p.wait(timeout=60) for p in running] == [0, 0]
    assert set(yaml.safe_load((tmp_path / "lock.yaml").read_text())["datasets"]) == set(names)


def test_a_model_is_fetched_as_a_plain_folder_without_its_pooler(hub, steps):
    pin = steps.given_pin("models", "acme/tiny")
    (code, out, error, _), folder = steps.model("acme/tiny", pin)
    assert (code, error) == (0, "")
    assert out == "acme/tiny: 2 layers of 16, torch.float16\n"
    assert {p.name for p in folder.iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "node.json",
    }  # fmt: skip
    node = json.loads((folder / "node.json").read_text())
    commit = hub.branches["models", "acme/tiny"]["main"]
    assert node["pins"] == {"models/acme/tiny": commit}


@pytest.mark.parametrize(
    ("revision", "name", "env", "words"),
    [
        (
            "main",
            "acme/nli",
            {"HF_HUB_OFFLINE": "1"},
            ["task xnli: ", "acme/nli", "HF_HUB_OFFLINE"],
        ),
        ("mian", "acme/nli", {}, ["task xnli: ", "acme/nli", "no revision `mian`"]),
        ("main", "acme/nil", {}, ["no such dataset", "acme/nil"]),
        ("main", "acme nil", {}, ["acme nil"]),
    ],
)
def test_a_pin_that_cannot_be_resolved(steps, tmp_path, revision, name, env, words):
    result, out = steps.pin("datasets", name, revision, **env)
    one_line(result, *words, seconds=10)
    assert not out.exists()
    assert not (tmp_path / "xstilts.lock.yaml").exists()


def test_a_task_that_asks_for_what_the_data_set_lacks(steps):
    pin = steps.given_pin("datasets", "google/xtreme")
    change = {"rows": None, "columns": {"token": "tokens", "pos_tags": "tags"}}
    result, out = steps.prepare({**UDPOS, **change}, pin)
    words = ["no column `token`; did you mean `tokens`?", "there are tokens, pos_tags"]
    one_line(result, "task udpos", "google/xtreme", *words)
    assert not out.exists()


def test_a_language_that_the_data_set_lacks_is_told_and_blocks_nothing(steps):
    pin = steps.given_pin("datasets", "google/xtreme")
    (code, said, *_), out = steps.prepare({**UDPOS, "config": "udpos.Germna"}, pin)
    line = (
        "dataset google/xtreme: no config `udpos.Germna`; did you mean `udpos.German`?"
        " (there are udpos.German, tatoeba.deu)"
    )
    assert (code, said) == (0, f"udpos de test: not there: {line}\n")
    schema = pq.read_schema(out)
    assert json.loads(schema.metadata[b"xstilts"])["absent"] == line
    assert pq.read_table(out).num_rows == 0


def test_an_unreachable_hub_is_one_line_in_seconds(steps):
    with socket.socket() as unused:  # bound but not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        dead = {"HF_ENDPOINT": f"http://127.0.0.1:{unused.getsockname()[1]}"}
        result, _ = steps.pin("datasets", "acme/nli", **dead)
        one_line(
            result,
            "task xnli: ",
            "acme/nli",
            "cannot reach the hub",
            dead["HF_ENDPOINT"],
            seconds=10,
        )
        pin = steps.given_pin("datasets", "acme/nli")
        result, _ = steps.prepare(XNLI, pin, **dead)
        one_line(result, "task xnli (de)", "cannot reach the hub", seconds=10)
        pin = steps.given_pin("models", "acme/tiny")
        result, out = steps.model("acme/tiny", pin, **dead)
        one_line(result, "model acme/tiny", "cannot reach the hub", seconds=10)
        assert not out.exists()


def test_a_hub_that_does_not_answer_is_given_up(steps):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        mute = {"HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        mute["HF_HUB_ETAG_TIMEOUT"] = "2"
        result, _ = steps.pin("datasets", "acme/nli", **mute)
    one_line(result, "cannot reach the hub", seconds=10)


def test_a_gated_data_set_says_so(hub, steps):
    hub.gated.add("acme/nli")
    pin = steps.given_pin("datasets", "acme/nli")
    one_line(steps.prepare(XNLI, pin)[0], "task xnli (de)", "is gated", "hf auth login")


def test_a_damaged_file_is_named(hub, steps):
    path = hub.root / "datasets/acme/nli/de/validation-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:200])
    hub.commit("datasets", "acme/nli")
    pin = steps.given_pin("datasets", "acme/nli")
    one_line(steps.prepare(XNLI, pin)[0], "de/validation-00000-of-00001.parquet", "is damaged")


def test_pickles_are_fetched_where_there_are_no_safetensors(hub, steps):
    pin = steps.given_pin("models", "acme/pickled")
    (code, _, stderr, _), out = steps.model("acme/pickled", pin)
    assert code == 0, stderr
    assert "converted" in json.loads((out / "node.json").read_text())
    fetched = {path.rsplit("/", 1)[1] for _, path in hub.requests if "resolve" in path}
    assert {file for file in fetched if not file.endswith(".json")} == {"pytorch_model.bin"}


def test_what_cannot_be_used_is_said_before_weights_are_fetched(hub, steps):
    config = hub.root / "models/acme/tiny/config.json"
    content = json.loads(config.read_text())
    config.write_text(json.dumps({**content, "quantization_config": {"quant_method": "gptq"}}))
    hub.commit("models", "acme/tiny")
    result, out = steps.model("acme/tiny", steps.given_pin("models", "acme/tiny"))
    one_line(result, "model acme/tiny: its weights are quantised (gptq)", seconds=30)
    assert not out.exists()
    assert not any(path.endswith(".safetensors") for _, path in hub.requests)


def test_a_decoder_is_fetched_as_it_is_with_its_chat_template(hub, steps):
    """`model` fetches no chat template; it is asked for besides, at the same commit."""
    folder = hub.root / "models/acme/writer"
    backbones.write("qwen3", folder, head=True)
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}\n")
    (folder / "README.md").write_text("never fetched")
    hub.commit("models", "acme/writer")
    pin = steps.given_pin("models", "acme/writer")
    (folder / "chat_template.jinja").write_text("another\n")
    hub.commit("models", "acme/writer")
    out = steps.folder / "results/generators/writer"
    spec = json.dumps({"from": "acme/writer", "revision": "main"})
    code, said, error, _ = steps.step(
        "generator", "--spec", spec, "--pin", str(pin), "--out", str(out)
    )
    assert code == 0, error
    assert sorted(path.name for path in out.iterdir()) == [
        "chat_template.jinja", "config.json", "model.safetensors", "node.json", "tokenizer.json",
        "tokenizer_config.json",
    ]  # fmt: skip
    assert (out / "chat_template.jinja").read_text() == "{{ messages[0].content }}\n"
    assert (out / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert (out / "model.safetensors").stat().st_nlink == 2, "a link to the cache, not a copy"
    node = json.loads((out / "node.json").read_text())
    assert node["chat_template"] is True and "note:" not in said
    assert node["pins"] == {"models/acme/writer": json.loads(pin.read_text())["revision"]}
