"""Alignment of a tiny encoder: its files, what is kept, what is refused."""

import json

import numpy as np
import pytest
import torch
from tests import helpers

from xstilts.data import prepare
from xstilts.metrics import alignment as measures
from xstilts.metrics.alignment import BETTER
from xstilts.models import checkpoint
from xstilts.running.errors import Absent, NotFinite, UserError
from xstilts.running.record import read_node
from xstilts.scoring import alignment
from xstilts.scoring.alignment import Aligner, measured

ABOUT = {"model": "m", "intermediate": "none", "seed": "noseed", "set": "s"}
ENGLISH = ["the cat sat", "a dog", "the big red dog sees a cat", "who is", "not a mat", "yes", "no"]
GERMAN = [
    "der hund",
    "katze sieht",
    "der",
    "hund der katze",
    "sieht",
    "der katze der hund",
    "katze",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return helpers.write_model(tmp_path_factory.mktemp("m"), layers=2)


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    monkeypatch.setattr(alignment, "precision", lambda where: "fp32")


def write(folder, lang, texts, **about):
    spec = {"hub": "o/d", "lang": lang}
    record = {"spec": spec, "pin": {"revision": f"r-{lang}"}, **about}
    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts)]
    prepare.write(folder / f"{lang}.parquet", rows, "mlm", record)
    return str(folder / f"{lang}.parquet")


def spec(**changes):
    return {
        "task": "t", "column": "text", "pivot": "en", "data": ["a", "b"], "rows": 2000,
        "max_length": 512, "layers": "all", "measures": list(BETTER), "version": 1, **changes,
    }  # fmt: skip


def measure(model, out, rows, specs, layers=()):
    aligner = Aligner(str(model), read_node(model), layers, 64, str(out))
    return dict(measured(aligner, "alignment: s", specs, ABOUT, rows)), aligner


def test_the_file_of_a_language_in_full(model, tmp_path):
    """Its measures are those of states that are computed sentence by sentence."""
    rows = {"de": write(tmp_path, "de", GERMAN), "en": write(tmp_path, "en", ENGLISH)}
    found, aligner = measure(model, tmp_path / "out", rows, {"de": spec()})
    record = json.loads((tmp_path / "out/de.json").read_text())
    assert record == found["de"]
    about = ABOUT | {"language": "de", "pivot": "en", "sentences": 7, "left_out": 0, "cut": 0}
    assert record | about == record
    node = read_node(model)
    assert record["pins"] == node["pins"] | {"datasets/o/d": "r-en"}
    assert (record["spec"], record["checkpoint"]) == (spec(), node["spec"])
    assert record["weights"] == node["weights"] and record["precision"] == "fp32"
    encoder, tokenizer = checkpoint.load_encoder(model), aligner.load()[3]
    states = {}
    for lang, texts in (("de", GERMAN), ("en", ENGLISH)):
        with torch.no_grad():
            states[lang] = [
                torch.stack(encoder(torch.tensor([e.ids]), output_hidden_states=True).hidden_states)
                .mean(2)
                .squeeze(1)
                for e in tokenizer.encode(texts, 512)
            ]
    assert list(record["layers"]) == ["0", "1", "2"]
    for layer in range(3):
        x, y = (torch.stack([one[layer] for one in states[lang]]) for lang in ("de", "en"))
        wanted = measures.measured(x, y)
        assert record["layers"][str(layer)] == pytest.approx(wanted, abs=1e-4)


def test_what_does_not_fit_in_memory_is_in_a_file_and_comes_in_chunks(model, tmp_path, monkeypatch):
    rows = {"de": write(tmp_path, "de", GERMAN), "en": write(tmp_path, "en", ENGLISH)}
    whole, _ = measure(model, tmp_path / "a", rows, {"de": spec()})
    monkeypatch.setattr(alignment, "CHUNK", 4 * 3 * 32 * 2)  # two sentences
    monkeypatch.setattr(alignment.resources, "STATES", 0)
    cut, aligner = measure(model, tmp_path / "b", rows, {"de": spec()})
    for layer, values in whole["de"]["layers"].items():
        assert cut["de"]["layers"][layer] == pytest.approx(values, abs=1e-4)
    assert not hasattr(aligner._file(1), "getvalue")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["de.json"]


def test_the_pivot_is_run_once_and_repeats_are_left_out_of_both_sides(model, tmp_path, monkeypatch):
    ran = []
    means = Aligner.means
    monkeypatch.setattr(
        Aligner, "means", lambda self, texts, n: ran.append(list(texts)) or means(self, texts, n)
    )
    other = [*GERMAN[:6], GERMAN[0]]
    rows = {
        "de": write(tmp_path, "de", GERMAN),
        "nl": write(tmp_path, "nl", other),
        "en": write(tmp_path, "en", ENGLISH),
    }
    found, _ = measure(model, tmp_path / "out", rows, {"de": spec(), "nl": spec()}, [1])
    assert ran == [ENGLISH, GERMAN, GERMAN[:6]]
    assert (found["nl"]["sentences"], found["nl"]["left_out"]) == (6, 1)
    alone = {"nl": write(tmp_path, "nl", GERMAN[:6]), "en": write(tmp_path, "en", ENGLISH[:6])}
    wanted, _ = measure(model, tmp_path / "alone", alone, {"nl": spec()}, [1])
    assert found["nl"]["layers"]["1"] == pytest.approx(wanted["nl"]["layers"]["1"], abs=1e-5)


def test_what_is_measured_is_kept_until_something_changes(model, tmp_path, monkeypatch):
    rows = {"de": write(tmp_path, "de", GERMAN), "en": write(tmp_path, "en", ENGLISH)}
    first, _ = measure(model, tmp_path / "out", rows, {"de": spec()}, [1])
    again, aligner = measure(model, tmp_path / "out", rows, {"de": spec()}, [1])
    assert again == first and aligner.loaded is None
    write(tmp_path, "en", [*ENGLISH[:6], "a mat"])
    changed, aligner = measure(model, tmp_path / "out", rows, {"de": spec()}, [1])
    assert aligner.loaded and changed["de"]["layers"] != first["de"]["layers"]
    few = spec(measures=["cka"])
    fewer, _ = measure(model, tmp_path / "out", rows, {"de": few}, [1])
    assert list(fewer["de"]["layers"]["1"]) == ["cka"]


@pytest.mark.parametrize(
    ("german", "changes", "line"),
    [
        (GERMAN[:5], {}, "alignment: s: `t`: 5 rows in de and 7 in en: both need rows of the same"),
        (GERMAN, {"rows": 4}, r"alignment: s: `t` \(de\): 4 sentences are too few for `margin`"),
        (["der"] * 7, {}, r"`t` \(de\): 1 sentences are too few for `margin`, which needs 5; give"),
        ([""] * 7, {}, "alignment: s: `t`: its rows in de have nothing in `text`"),
    ],
)
def test_what_cannot_be_measured_is_one_line_and_the_others_are(
    model, tmp_path, german, changes, line
):
    rows = {
        "de": write(tmp_path, "de", german),
        "nl": write(tmp_path, "nl", GERMAN),
        "en": write(tmp_path, "en", ENGLISH),
    }
    found, _ = measure(model, tmp_path / "out", rows, {"de": spec(**changes), "nl": spec()}, [1])
    assert isinstance(found["de"], UserError) and "layers" in found["nl"]
    with pytest.raises(UserError, match=line):
        raise found["de"]


def test_a_language_without_rows_is_told_from_one_that_fails(model, tmp_path):
    rows = {
        "de": write(tmp_path, "de", [], absent="de.txt: there is no such file"),
        "en": write(tmp_path, "en", ENGLISH),
    }
    found, _ = measure(model, tmp_path / "out", rows, {"de": spec()})
    assert isinstance(found["de"], Absent) and "there is no such file" in str(found["de"])


def test_states_that_are_not_finite_end_it(tmp_path):
    from safetensors.torch import load_file, save_file

    model = helpers.write_model(tmp_path / "m")
    weights = load_file(model / "model.safetensors")
    weights["embeddings.LayerNorm.weight"][0] = float("nan")
    save_file(weights, model / "model.safetensors")
    rows = {"de": write(tmp_path, "de", GERMAN), "en": write(tmp_path, "en", ENGLISH)}
    with pytest.raises(NotFinite, match="its hidden states are not finite numbers"):
        measure(model, tmp_path / "out", rows, {"de": spec()})


def test_precision_of_a_cpu_is_one_of_two_and_measures_agree(model, tmp_path, monkeypatch):
    rows = {"de": write(tmp_path, "de", GERMAN), "en": write(tmp_path, "en", ENGLISH)}
    plain, _ = measure(model, tmp_path / "a", rows, {"de": spec(measures=["cka", "isotropy"])})
    monkeypatch.setattr(alignment, "precision", lambda where: "bf16")
    half, _ = measure(model, tmp_path / "b", rows, {"de": spec(measures=["cka", "isotropy"])})
    assert half["de"]["precision"] == "bf16"
    for layer, values in plain["de"]["layers"].items():
        assert half["de"]["layers"][layer] == pytest.approx(values, abs=0.02)
    found = np.array([[*v.values()] for v in half["de"]["layers"].values()])
    assert np.isfinite(found).all()
