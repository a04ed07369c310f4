"""The steps of generated rows: from a decoder's repository and English rows to rows in German."""

import json

import pytest
from tests import helpers
from tests.generation import decoder

from xstilts.data import pin, prepare
from xstilts.generation import rounds
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, sha256
from xstilts.steps import generate as generate_step
from xstilts.steps import generator as generator_step
from xstilts.toy import backbones

ROWS = [
    {"id": str(n), "text": f"It is {n}.", "text_pair": "So it is.", "label": decoder.LABELS[n % 3]}
    for n in range(30)
]
SPEC = {
    "kind": "generated", "task": "mnli", "format": "classification", "lang": "de",
    "language": "German", "labels": list(decoder.LABELS), "rows": 20, "shots": 1, "tries": 3.0,
    "seed": 1, "prompt": "{language}: {label}\n{examples}", "engine": "toy",
    "mistakes": {"unparsed": 0.2, "copy": 0.1},
}  # fmt: skip
DRAWN = {"engine": "transformers", "temperature": 0.7, "top_p": 0.95, "max_tokens": 100}


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """A mirror with a decoder that has learned to answer, and others that are of no use."""
    root = tmp_path_factory.mktemp("mirror")
    decoder.write(root / "models/acme/taught")
    backbones.write("llama", root / "models/acme/untaught", head=True)
    backbones.write("xlm-roberta", root / "models/acme/encoder", head=True)
    return root


@pytest.fixture
def generated(tmp_path):
    """From changes of a spec to the paths of what is written."""
    path = helpers.write_rows(tmp_path / "rows.parquet", "classification", ROWS)

    def run(folder="", name="toy", **changes):
        spec = SPEC | {"data": digest(prepare.metadata(path)["spec"])} | changes
        out, record = tmp_path / "de.train.parquet", tmp_path / "de.train.json"
        args = ["--spec", json.dumps(spec), "--rows", str(path), "--name", name]
        args += ["--generator", str(folder), "--state", str(tmp_path / "state"), "--out", str(out)]
        generate_step.main(generate_step.parser().parse_args([*args, "--record", str(record)]))
        return out, record

    return run


def fetched(root, name, out):
    """Return the folder that the step makes of a decoder in a mirror."""
    out.mkdir(parents=True, exist_ok=True)
    pinned = pin.resolve("models", str(root), str(root), name, "main")
    (out / "pin.json").write_text(json.dumps(pinned))
    args = ["--spec", json.dumps({"from": name, "revision": "main"}), "--source", str(root)]
    args += ["--root", str(root), "--pin", str(out / "pin.json"), "--out", str(out / "made")]
    generator_step.main(generator_step.parser().parse_args(args))
    return out / "made"


def test_rows_and_record_of_the_toy_world(generated):
    out, record = generated()
    rows, told = prepare.read(out).to_pylist(), read_json(record)
    assert len(rows) == 20 and prepare.read(out).schema.equals(prepare.SCHEMAS["classification"])
    assert len({row["id"] for row in rows}) == 20
    assert [sum(row["label"] == one for row in rows) for one in decoder.LABELS] == [7, 7, 6]
    assert told["rows_kept"] == 20 and told["sha256"] == sha256(out)
    assert told["rows_total"] == 20 + sum(told["dropped"].values())
    assert told["dropped"].keys() == {"not JSON", "copy of an example"}
    assert sum(of["kept"] for of in told["by_label"].values()) == 20
    assert told["pins"] == {"datasets/o/data": "r2"}
    assert prepare.metadata(out)["dropped"] == told["dropped"]


def test_a_decoder_writes_rows(mirror, generated, tmp_path):
    folder = fetched(mirror, "acme/taught", tmp_path / "fetched")
    node = read_json(folder / "node.json")
    assert node["chat_template"] is False and node["pins"].keys() == {"models/acme/taught"}
    assert (folder / "model.safetensors").stat().st_nlink == 1, "a mirror may be written over"
    model = {"generator": digest(node["spec"]), "shots": 0, "prompt": decoder.PROMPT, **DRAWN}
    out, record = generated(folder, "taught", **model)
    told = read_json(record)
    assert told["rows_kept"] == 20 and told["dropped"].keys() <= {
        "not JSON", "other fields", "another label", "cut off", "texts are alike",
    }  # fmt: skip
    assert told["pins"].keys() == {"datasets/o/data", "models/acme/taught"}
    row = prepare.read(out).to_pylist()[0]
    assert row["id"].startswith("g") and row["label"] in decoder.LABELS and row["text_pair"]


def test_a_decoder_that_was_not_taught_is_refused(mirror, generated, tmp_path):
    folder = fetched(mirror, "acme/untaught", tmp_path / "fetched")
    model = {"generator": digest(read_json(folder / "node.json")["spec"]), **DRAWN}
    with pytest.raises(UserError) as error:
        generated(folder, "wild", **model | {"max_tokens": 5})
    assert str(error.value).startswith(
        "generated: wild: mnli (de): none of the first 20 answers is a row (cut off: 20"
    )


def test_an_encoder_does_not_write(mirror, tmp_path):
    with pytest.raises(UserError) as error:
        fetched(mirror, "acme/encoder", tmp_path)
    assert str(error.value) == (
        "generators: acme/encoder is of the kind encoder (xlm-roberta), and only a decoder writes;"
        " name one that is tuned to follow instructions"
    )
    assert not (tmp_path / "made/node.json").exists()


def test_killed_and_continued_the_bytes_are_the_same(generated, tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "BLOCK", 5)
    out, record = generated()
    whole, told = out.read_bytes(), read_json(record)
    out.unlink(), record.unlink()
    answers, calls = generate_step.toy.answers, []

    def killed(requests, *rest):
        calls.append(requests[0].number)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return answers(requests, *rest)

    monkeypatch.setattr(generate_step.toy, "answers", killed)
    with pytest.raises(KeyboardInterrupt):
        generated()
    assert not out.exists() and not record.exists()
    assert len(list((tmp_path / "state/blocks").iterdir())) == 2
    generated()
    assert calls[:4] == [0, 5, 10, 10], "what was answered is not asked again"
    assert out.read_bytes() == whole
    again = read_json(record)
    assert again.pop("resumed") is True and again.pop("seconds") > 0 and told.pop("seconds") > 0
    assert again == told
    assert not (tmp_path / "state/blocks").exists()


def test_other_rows_are_not_taken(generated):
    with pytest.raises(UserError, match="made by another spec than the config asks for"):
        generated(data="0" * 16)


def test_a_mistake_in_a_prompt_names_what_it_is_of(generated):
    with pytest.raises(UserError, match=r"^generated: toy: mnli \(de\): prompt: there is no field"):
        generated(prompt="{tongue} {label} {examples}")


def test_fewer_rows_than_asked_for_are_noted(generated, capsys):
    out, _ = generated(tries=1.0)
    assert prepare.read(out).num_rows < 20
    said = capsys.readouterr().out
    assert "note: generated: toy: mnli (de): " in said and "of 20 rows, after 20 answers" in said


def test_a_file_of_the_cache_is_linked_and_one_on_another_disk_copied(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("x")
    generator_step.place(file, tmp_path / "linked", copy=False)
    assert file.stat().st_nlink == 2

    def link(*_):
        raise OSError

    monkeypatch.setattr(generator_step.os, "link", link)
    generator_step.place(file, tmp_path / "copied", copy=False)
    assert file.stat().st_nlink == 2 and (tmp_path / "copied").read_text() == "x"


def test_no_file_of_an_earlier_pin_stays(mirror, tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    for name in ("node.json", "chat_template.jinja", "model-00002-of-00002.safetensors"):
        (made / name).write_text("{}")
    folder = fetched(mirror, "acme/untaught", tmp_path)
    assert folder == made and sorted(path.name for path in made.iterdir()) == [
        "config.json", "model.safetensors", "node.json",
        "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip


def test_answers_of_another_pin_are_asked_for_again(generated, tmp_path, monkeypatch):
    """A lock file that moves while a job is killed."""
    monkeypatch.setattr(rounds, "BLOCK", 5)
    answers, calls = generate_step.toy.answers, []

    def killed(requests, *rest):
        calls.append(requests[0].number)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return answers(requests, *rest)

    monkeypatch.setattr(generate_step.toy, "answers", killed)
    with pytest.raises(KeyboardInterrupt):
        generated()
    metadata = prepare.metadata
    of = {"pin": {"revision": "r3"}}
    monkeypatch.setattr(prepare, "metadata", lambda path: metadata(path) | of)
    _, record = generated()
    assert calls[:4] == [0, 5, 0, 5]
    assert "resumed" not in read_json(record)
