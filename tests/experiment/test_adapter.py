"""A model with an adapter in the config, the grid and the graph."""

import pytest
from tests.experiment.test_graph import SMALL, build, checkpoint
from tests.experiment.test_grid import make

from xstilts.experiment.cells import Cell
from xstilts.running.errors import UserError
from xstilts.running.files import digest

DEFAULTS = {"rank": 16, "alpha": 32, "dropout": 0.05, "on": "all-linear"}


def models(**entry):
    return {"m": {"from": "o/m"}, "lora": {"from": "o/m", "tokenizer": "m", **entry}}


def adapter(folder):
    names = ("adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "node.json")
    return tuple(f"results/{folder}/{name}" for name in (*names, "head.safetensors"))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, DEFAULTS),
        (
            {"rank": "8", "on": ["query", "value"]},
            {**DEFAULTS, "rank": 8, "on": ["query", "value"]},
        ),
        ({True: ["query"]}, {**DEFAULTS, "on": ["query"]}),  # `on` is what YAML takes for true
        (None, None),
    ],
)
def test_what_is_not_said_has_a_default(given, found):
    assert make(**SMALL, models=models(adapter=given)).adapter("lora") == found
    assert make(**SMALL).adapter("m") is None


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"adapter": {"rank": 0}}, "adapter: rank: must be at least 1, not 0"),
        ({"adapter": {"rnak": 3}}, "adapter: there is no key `rnak`; did you mean `rank`?"),
        ({"adapter": {"dropout": 1}}, "adapter: dropout: must be below 1, not 1"),
        ({"adapter": {"on": []}}, "adapter: on: the list is empty; name at least one"),
        ({"adapter": {"on": "query"}}, "`query` is neither `all-linear` nor a list; for modules"),
        ({"adapter": True}, "adapter: must be a mapping or null, not true"),
        ({"adapter_start": "merge"}, "adapter_start: there is no adapter; set `adapter: {}` too"),
        ({"adapter": {}, "adapter_start": "mrege"}, "did you mean `merge`?"),
        (
            {"adapter": {}, "gpus": 2, "sharding": "fsdp"},
            "sharding: is for gradients and moments, of which an adapter has few",
        ),
    ],
)
def test_what_cannot_be_is_said_in_one_line(entry, line):
    with pytest.raises(UserError) as error:
        make(**SMALL, models=models(**entry))
    (said,) = str(error.value).splitlines()
    assert "models: lora: " in said and line in said


def test_the_spec_of_a_training_has_it_and_no_other_spec():
    chain = {"mnli": {"tasks": ["mnli"]}, "more": {"tasks": ["mnli"], "after": "mnli"}}
    grid = make(**SMALL, models=models(adapter={"rank": 8}), intermediates=chain)
    own = {**DEFAULTS, "rank": 8}
    assert grid.encoder_spec("lora", "mnli", "seed1")["adapter"] == own
    assert grid.tuned_spec("lora", "none", "seed1", "mnli")["adapter"] == own
    started = {**own, "start": "continue"}
    assert grid.encoder_spec("lora", "more", "seed1")["adapter"] == started
    assert grid.tuned_spec("lora", "mnli", "seed1", "mnli")["adapter"] == started
    assert grid.model_spec("lora") == grid.model_spec("m")
    assert "adapter" not in grid.tuned_spec("m", "mnli", "seed1", "mnli")


def test_how_stage_2_starts_is_no_matter_of_stage_1():
    one, other = (
        make(**SMALL, models=models(adapter={}, adapter_start=how)) for how in ("continue", "merge")
    )
    stage_1 = [digest(grid.encoder_spec("lora", "mnli", "seed1")) for grid in (one, other)]
    assert stage_1[0] == stage_1[1]
    stage_2 = [grid.tuned_spec("lora", "mnli", "seed1", "mnli") for grid in (one, other)]
    assert stage_2[0]["adapter"]["start"] == "continue" and stage_2[0] != stage_2[1]


def test_what_is_on_an_adapter_reads_its_backbone_too():
    _, nodes = build(models=models(adapter={}), targets=["xnli", "tatoeba"])
    stage_1 = nodes["results/encoders/lora/mnli/seed1/node.json"]
    assert list(stage_1.outputs) == [stage_1.key, adapter("encoders/lora/mnli/seed1")[0]]
    assert stage_1.inputs["init"] == checkpoint("models/lora") and "base" not in stage_1.inputs
    tuned = nodes["results/tuned/lora/mnli/seed1/mnli/node.json"]
    assert next(iter(tuned.inputs)) == "base"  # by whose size the job asks for memory
    assert tuned.inputs["base"] == checkpoint("models/lora")
    assert tuned.inputs["init"] == adapter("encoders/lora/mnli/seed1")
    assert tuned.needs[:2] == ("results/models/lora/node.json", stage_1.key)
    for target, of in (
        ("xnli", "tuned/lora/mnli/seed1/mnli"),
        ("tatoeba", "encoders/lora/mnli/seed1"),
    ):
        node = nodes[f"results/scores/lora/mnli/seed1/{target}/cell.json"]
        assert node.inputs["base"] == checkpoint("models/lora")
        assert node.inputs["model"] == adapter(of)
    public = nodes[f"results/scores/{Cell('lora', 'none', 'noseed', 'tatoeba')}/cell.json"]
    assert public.inputs["model"] == checkpoint("models/lora") and "base" not in public.inputs
    plain = nodes["results/tuned/m/mnli/seed1/mnli/node.json"]
    assert plain.inputs["init"] == checkpoint("encoders/m/mnli/seed1", "head.safetensors")


def test_a_rehearsal_has_it_on_all_linear_layers_of_what_stands_for_an_unknown_model():
    on, xlmr = ["q_proj", "v_proj"], ["query"]
    given = {
        "m": {"from": "FacebookAI/xlm-roberta-base", "adapter": {"on": xlmr}},
        "q": {"from": "Qwen/Qwen3-0.6B", "adapter": {"on": on}},
        "other": {"from": "nobody/knows-it", "adapter": {"on": on, "rank": 4}},
        "plain": {"from": "nobody/knows-it"},
    }
    grid = make(**SMALL, source="toy", models=given)
    found = {name: (grid.adapter(name) or {}).get("on") for name in given}
    assert found == {"m": xlmr, "q": on, "other": "all-linear", "plain": None}
    assert grid.adapter("other")["rank"] == 4
    assert [note for note in grid.experiment.notes if "adapter" in note] == [
        "models: other: the adapter is on `all-linear` in place of q_proj, v_proj, which what"
        " stands for the model may not have (source: toy)"
    ]
    assert make(**SMALL, models=given).adapter("other")["on"] == on
