"""Filters of the config: what is refused, and what a filter asks for in the graph."""

import pytest
from tests.experiment.test_grid import make

from xstilts.experiment import graph
from xstilts.experiment.filters import PRESETS, resolved
from xstilts.running.errors import UserError
from xstilts.running.files import digest

TOY = {"toy": {"engine": "toy"}}
GIVEN = {"by": "toy", "languages": ["de", "ru"]}


def asked(by="own", task="mnli", **changes):
    entry = {"tasks": [task], "translated": {**GIVEN, "filter": by}}
    return {
        "source": "toy", "translators": TOY, "targets": ["xnli"], "tasks": {},
        "languages": ["de", "en"],
        "intermediates": {"mnli": {"tasks": ["mnli"]}, "made": entry}, "seeds": [1], **changes,
    }  # fmt: skip


def grid(own=None, **changes):
    return make(**asked(filters={"own": own} if own else {}, **changes))


@pytest.fixture(scope="module")
def model():
    return next(iter(make(**asked("basic")).experiment.settings["models"]))


@pytest.mark.parametrize(
    ("own", "line"),
    [
        ({"lenght_ratio": {"min": 1}}, "there is no measure `lenght_ratio`; did you mean"),
        ({"copied": {"most": 1}}, "filters: own: copied: there is no `most`"),
        ({"copied": {}}, "filters: own: copied: needs `min`, `max` or both"),
        ({"copied": {"max": "much"}}, "filters: own: copied: max: must be a number"),
        ({"copied": {"min": 2, "max": 1}}, "filters: own: copied: min 2 is above max 1"),
        ({"copied": {"max": 1, "model": "m"}}, "filters: own: copied: there is no `model`"),
        ({"copied": 0.5}, "copied: must be bounds, not `0.5`; write `{min: 0.5}` or `{max: 0.5}`"),
        ({"copied": False}, "filters: own: copied: must be bounds, not `False`"),
        ({"copied": None}, "filters: own: copied: needs `min`, `max` or both"),
        ({"similarity": {"min": 0, "model": "m", "layer": 2.5}}, "layer: must be a whole number"),
        ({"consistency": {"min": 0, "model": "m", "seed": "a"}}, "seed: must be a whole number"),
        ({"similarity": {"min": 0.5}}, "filters: own: similarity: model: is missing"),
        ({"similarity": {"min": 0.5, "model": "nobody"}}, "there is no model `nobody`"),
        ({"similarity": {"min": 0.5, "model": ["m"]}}, "model: must be a name, not `['m']`"),
        ({"similarity": {"min": 2, "model": "m"}}, "min: 2 is above 1, the most that it can be"),
        ({"similarity": {"min": 0, "model": "m", "layer": 0}}, "layer: 0 is below 1, the first"),
        ({"consistency": {"min": 0, "model": "m", "intermediate": [1]}}, "intermediate: must be a"),
        ({"consistency": {"min": 0, "model": "m", "seed": -1}}, "seed: -1 is below 0"),
        ({"language": {"min": float("nan")}}, "language: min: must be a number, not `nan`"),
        ({"names": {"min": 60}}, "min: 60 is above 1, the most that it can be: no row stays"),
        ({"empty": {"max": -1}}, "max: -1 is below 0, the least that it can be: no row stays"),
        ({"round_trip": {"min": 0.35}}, "round_trip: min: 0.35 is of 100: it is in percent"),
        ({"round_trip": {"min": 101}}, "min: 101 is above 100, the most that it can be"),
    ],
)
def test_mistakes_are_said_in_a_line(own, line):
    with pytest.raises(UserError, match="filters: own") as error:
        grid(own)
    assert line in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_preset_cannot_be_replaced_and_a_filter_has_to_be_there(model):
    with pytest.raises(UserError, match="filters: `strict` is a preset"):
        make(**asked("strict", filters={"strict": {"copied": {"max": 1}}}))
    with pytest.raises(UserError, match="filter: there is no filter `basik`; did you mean `basic`"):
        make(**asked("basik"))


def test_what_labels_rows_is_trained_in_english(model):
    own = {"consistency": {"min": 0.2, "model": model, "intermediate": "made"}}
    with pytest.raises(UserError, match="`made` is trained on synthetic rows"):
        grid(own)
    own["consistency"]["intermediate"] = "mlni"
    with pytest.raises(UserError, match="no intermediate `mlni`; did you mean `mnli`"):
        grid(own)
    own = {"consistency": {"min": 0.2, "model": model}}
    with pytest.raises(UserError, match="no intermediate is trained on the English rows of `csqa`"):
        graph.build(grid(own, task="csqa"))
    with pytest.raises(
        UserError, match="rows of `mewslix_en` have no probability of a label: what"
    ):
        graph.build(grid(own, task="mewslix_en"))


def test_what_labels_rows_is_trained_on_their_task_alone(model):
    own = {"consistency": {"min": 0.2, "model": model, "intermediate": "mnli"}}
    line = "intermediate: `mnli` is trained on mnli, so it knows no labels of `csqa`; name one that"
    with pytest.raises(UserError, match=line):
        graph.build(grid(own, task="csqa"))
    assert graph.build(grid(own))


def test_a_model_is_measured_at_one_layer(model):
    filters = {
        "own": {"similarity": {"min": 0, "model": model, "layer": 3}},
        "other": {"similarity": {"min": 0, "model": model, "layer": 4}},
    }
    with pytest.raises(UserError, match="filters: other: similarity: layer: `own` has another one"):
        make(**asked(filters=filters))


def test_presets_ask_models_for_nothing():
    of = make(**asked("strict"))
    nodes = graph.build(of)
    assert resolved("strict", of.experiment.settings) == PRESETS["strict"]
    assert not [node for node in nodes.values() if "measures/" in node.key]
    rules = [node.rule for node in nodes.values()]
    assert rules.count("filter") == rules.count("translate") == 2


def test_what_a_filter_asks_models_for_is_of_all_rows(model):
    own = {
        "similarity": {"min": 0.1, "model": model},
        "consistency": {"min": 0.2, "model": model},
        "round_trip": {"min": 30},
    }
    of = grid(own)
    nodes = graph.build(of)
    node = nodes["results/synthetic/toy.own/mnli/de.train.json"]
    assert node.inputs["measured"] == (
        f"results/measures/similarity/{model}/toy/mnli/de.parquet",
        f"results/measures/consistency/{model}/mnli/seed1/toy/mnli/de.parquet",
        "results/measures/round_trip/toy/mnli/de.parquet",
    )
    for path in node.inputs["measured"]:
        of_measure = nodes[path.replace(".parquet", ".json")]
        assert of_measure.inputs["rows"] == ("results/synthetic/toy.none/mnli/de.train.parquet",)
        measure = path.split("/")[2]
        assert node.spec["measured"][measure] == digest(of_measure.spec)
    encoder = nodes[f"results/encoders/{model}/mnli/seed1/node.json"]
    consistency = nodes[node.inputs["measured"][1].replace(".parquet", ".json")]
    assert encoder.key in consistency.needs
    assert consistency.spec["model"] == digest(encoder.spec)


def test_other_bounds_share_what_models_say(model):
    first = {"similarity": {"min": 0.1, "model": model}}
    specs = [
        graph.build(grid({"similarity": {"min": least, "model": model}}))
        for least in (first["similarity"]["min"], 0.5)
    ]
    key = f"results/measures/similarity/{model}/toy/mnli/de.json"
    assert specs[0][key].spec == specs[1][key].spec
    filtered = "results/synthetic/toy.own/mnli/de.train.json"
    assert specs[0][filtered].spec != specs[1][filtered].spec


def test_tags_need_an_encoder_that_aligns_words(model):
    with pytest.raises(UserError, match="name one of `models` in translators: toy: aligner"):
        make(**asked("none", task="udpos_en"))
    translators = {"toy": {"engine": "toy", "aligner": model}}
    nodes = graph.build(make(**asked("none", task="udpos_en", translators=translators)))
    node = nodes["results/translated/toy/udpos_en/de/0.json"]
    assert node.spec["aligner"]["layer"] is None
    assert node.inputs["aligner"][0] == f"results/models/{model}/model.safetensors"
    with pytest.raises(UserError, match="aligner: there is no model `nobody`"):
        make(**asked("none", translators={"toy": {"engine": "toy", "aligner": "nobody"}}))
