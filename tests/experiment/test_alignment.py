"""Sets of alignment: what a config may say of them, and the jobs that they make."""

import pytest
from tests.experiment.test_grid import BASE, make

from xstilts.experiment import graph
from xstilts.experiment.alignment import AlignmentSet, Row
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.metrics.alignment import BETTER
from xstilts.running.errors import UserError
from xstilts.running.files import digest

ASKED = {"targets": ["xnli"], "seeds": [1], "tasks": {}, "languages": ["de", "ru"]}


def grid(alignment, **changes):
    return make(**{**ASKED, "alignment": alignment, **changes})


def test_what_is_left_out_is_filled_in():
    found = grid({"tatoeba": {}, "p": {"task": "xquad", "rows": 9, "layers": [3, 0]}}).experiment
    common = {"split": "dev", "languages": ("de", "ru"), "pivot": "en", "measures": tuple(BETTER)}
    assert found.alignment == {
        "tatoeba": AlignmentSet(
            name="tatoeba", task="tatoeba", column="text", rows=2000, layers=(), paired=True,
            **common,
        ),
        "p": AlignmentSet(
            name="p", task="xquad", column="context", rows=9, layers=(0, 3), paired=False, **common
        ),
    }  # fmt: skip


def test_languages_are_those_of_the_config_or_of_the_set_and_never_the_pivot():
    def languages(**entry):
        return grid({"xnli": entry}, languages="all").experiment.alignment["xnli"].languages

    assert {"de", "ru", "sw"} < set(languages()) and "en" not in languages()
    assert languages(languages=["sw", "en", "de"]) == ("de", "sw")
    assert "en" in languages(pivot="de") and "de" not in languages(pivot="de")


def test_the_jobs_and_their_specs():
    of = grid({"tatoeba": {"measures": ["mexa", "cka"]}, "xnli": {"layers": [2]}})
    nodes = graph.build(of)
    made = {key: node for key, node in nodes.items() if node.rule == "align"}
    none, mnli = Row("m", "none", "noseed"), Row("m", "mnli", "seed1")
    assert list(made) == [
        f"{r.folder(n)}/set.json" for r in (none, mnli) for n in of.experiment.alignment
    ]
    node, data = made[f"{mnli.folder('xnli')}/set.json"], "results/data/xnli"
    assert node.inputs["rows"] == tuple(f"{data}/{lang}.dev.parquet" for lang in ("de", "ru", "en"))
    assert node.inputs["model"][0] == "results/encoders/m/mnli/seed1/model.safetensors"
    assert node.name == "m/mnli/seed1/xnli"
    assert node.log == "results/logs/align/m/mnli/seed1/xnli.log"
    assert {"datasets/facebook/xnli", "models/o/m"} <= node.pins
    spec = of.alignment_specs(mnli, "xnli")["de"]
    assert node.outputs[f"{mnli.folder('xnli')}/de.json"] == digest(spec)
    assert spec == {
        "kind": "alignment",
        "model": digest(of.encoder_spec("m", "mnli", "seed1")),
        "task": "xnli", "split": "dev", "column": "text", "pivot": "en",
        "data": [digest(of.rows_spec("xnli", lang, "dev")) for lang in ("de", "en")],
        "rows": 2000, "max_length": 512, "layers": [2], "measures": list(BETTER), "version": 1,
    }  # fmt: skip
    pairs = made[f"{none.folder('tatoeba')}/set.json"]
    files = [f"results/data/tatoeba/{lang}.dev.parquet" for lang in ("de", "ru")]
    assert list(pairs.inputs["rows"]) == files and pairs.inputs["model"][0].startswith(
        "results/models/m/"
    )
    assert of.alignment_specs(none, "tatoeba")["de"]["measures"] == ["cka", "mexa"]
    assert of.tasks_of("google/xtreme") == ["tatoeba"]


def test_a_rehearsal_has_the_toy_world_s_languages_and_all_layers():
    config = merge(BASE, {"source": "toy", **ASKED, "alignment": {"xnli": {"layers": [7]}}})
    found = load(config | {"languages": "all", "tasks": {}}).alignment["xnli"]
    assert found.layers == () and "sw" not in found.languages and "de" in found.languages
    deep = config | XLMR | {"alignment": {"xnli": {"layers": [14]}}}  # of the model in its place
    with pytest.raises(UserError, match="alignment: xnli: layers: 14 is not there: x has 12"):
        load(deep | {"languages": "all", "tasks": {}})


def test_without_sets_there_is_no_job():
    assert not [node for node in graph.build(grid({})).values() if node.rule == "align"]


XLMR = {"models": {"x": {"from": "FacebookAI/xlm-roberta-base"}}}
FLORES = {"format": "mlm", "languages": ["de", "en"], "files": {"dev": "{lang}.dev"}}


@pytest.mark.parametrize(
    ("alignment", "line", "changes"),
    [
        ({"tatoba": {}}, "alignment: tatoba: there is no task `tatoba`; did you mean", {}),
        ({"x": {"task": "xnly"}}, "alignment: x: task: there is no task `xnly`; did you mean", {}),
        ({"wikiann": {}}, "`wikiann` is of format tagging, whose rows are no", {}),
        ({"xnli": {"column": "tex"}}, "column: there is no text of a classification row", {}),
        ({"xnli": {"split": "train"}}, "split: `xnli` has no train (it has dev, test)", {}),
        ({"xnli": {"measures": ["ckb"]}}, "there is no measure `ckb`; did you mean `cka`?", {}),
        ({"xnli": {"rows": 4}}, "rows: 4 sentences are too few for `margin`, which needs 5", {}),
        ({"xnli": {"rows": 2001}}, "alignment: xnli: rows: must be at most 2000, not 2001", {}),
        ({"xnli": {"layers": [3, 14]}}, "layers: 14 is not there: x has 12 (0, the embedd", XLMR),
        ({"xnli": {"layers": "last"}}, "neither `all` nor a list of one or more different", {}),
        ({"xnli": {"pivot": "xx"}}, "alignment: xnli: pivot: there is no language `xx`", {}),
        ({"xnli": {"languages": ["deu"]}}, "there is no language `deu`; did you mean `de`?", {}),
        ({"xnli": {"languages": ["en"]}}, "`xnli` has none of en beside the pivot en (it has", {}),
        ({"f": {}}, "alignment: f: lines of plain text are not the same by their numbers, where",
         {"tasks": {"f": FLORES}}),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(alignment, line, changes):
    with pytest.raises(UserError) as error:
        grid(alignment, **changes)
    assert line in str(error.value) and "\n" not in str(error.value)
