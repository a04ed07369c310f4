"""What a user can write wrong: one clear line before anything runs."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from tests.workflow.running import Experiment, tiny

OWN = {
    "format": "classification", "hub": "me/mine", "config": "{lang}", "splits": {"dev": "dev"},
    "labels": ["entailment", "neutral", "contradiction"], "languages": ["en"], "tuned_on": "mnli",
    "metric": "accuracy", "version": 1,
}  # fmt: skip
MODEL = {"from": "FacebookAI/xlm-roberta-base"}


def own(**changes):
    return tiny(tasks={"mine": OWN | changes}, targets=["mine"])


def without(key):
    return {k: v for k, v in tiny().items() if k != key}


CASES = {
    "misspelt key": (tiny(target=["xnli"]), "there is no key `target`; did you mean `targets`?"),
    "misspelt key below": (
        tiny(recipes={"xnli": {"learning_rat": 1e-3}}),
        "recipes: xnli: there is no key `learning_rat`; did you mean `learning_rate`?",
    ),
    "missing key": (without("targets"), "the key `targets` is missing"),
    "target": (tiny(targets=["xnil"]), "there is no task `xnil`; did you mean `xnli`?"),
    "task of an intermediate": (
        tiny(intermediates={"m": {"tasks": ["mnil"]}}),
        "intermediates: m: there is no task `mnil`; did you mean `mnli`?",
    ),
    "task of a recipe": (
        tiny(recipes={"udpo": {"epochs": 1}}),
        "recipes: there is no task or intermediate `udpo`; did you mean `udpos`?",
    ),
    "task that is only scored": (
        tiny(intermediates={"x": {"tasks": ["xnli"]}}),
        "intermediates: x: `xnli` has no train split; tasks that have: mnli",
    ),
    "task that is only trained on": (
        tiny(targets=["mnli"]),
        "`mnli` is a task to train on, not one to score: it has no `tuned_on`; did you mean `xnli`",
    ),
    "language": (
        tiny(languages=["en", "dee"]),
        "languages: there is no language `dee`; did you mean `de`?",
    ),
    "no language": (tiny(languages=[]), "languages"),
    "language in the wrong case": (tiny(languages=["en", "DE"]), "there is no language `DE`"),
    "language as a word": (tiny(languages="en"), "`en` is neither `all` nor a list"),
    "unquoted no": (
        yaml.safe_dump(without("languages")) + "languages: [en, no]\n",
        'languages: YAML reads no, on, yes and off as booleans: quote it, "no"',
    ),
    "unquoted name": (
        yaml.safe_dump(without("intermediates")) + "intermediates: {on: {tasks: [mnli]}}\n",
        'YAML reads no, on, yes and off as booleans: quote it, "yes" or "on"',
    ),
    "model of an exclusion": (
        tiny(exclude=[{"model": "xlm", "target": "xnli"}]),
        "exclude: model: there is no model `xlm`; did you mean `xlmr`?",
    ),
    "nothing left": (tiny(exclude=[{"model": "xlmr"}]), "exclude: no cell is left in the grid"),
    "tokenizer": (
        tiny(models={"xlmr": MODEL | {"tokenizer": "xlmrr"}}),
        "models: xlmr: tokenizer: there is no model `xlmrr`; did you mean `xlmr`?",
    ),
    "metric": (
        own(metric="accuracie"),
        "task `mine`: metric: there is no `accuracie`; did you mean `accuracy`?",
    ),
    "format": (
        own(format="classify"),
        "task `mine`: format: there is no `classify`; did you mean `classification`?",
    ),
    "field of a task": (own(lables=[]), "there is no field `lables`; did you mean `labels`?"),
    "metric of another format": (own(metric="squad"), "task `mine`: metric"),
    "not YAML": ("targets: [xnli\n", "not valid JSON or YAML"),
}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    """Case -> how a dry-run with its config ended; two at a time."""
    root = tmp_path_factory.mktemp("bad")

    def parse(name):
        experiment = Experiment(root / name)
        experiment.folder.mkdir()
        experiment.write(CASES[name][0])
        return name, experiment.snakemake("--dry-run", "--quiet", "rules")

    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(parse, CASES))


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_config_is_one_clear_line(parsed, name):
    text = CASES[name][1]
    said = parsed[name].failed(text)
    assert len(said.out.splitlines()) <= 8, "a line, not a page"


def test_a_source_that_is_not_there_says_what_a_source_is(tmp_path):
    experiment = Experiment(tmp_path)
    source = str(tmp_path / "nowhere")
    experiment.write(tiny(source=source, targets=["tatoeba"], languages=["de"], intermediates={}))
    experiment.snakemake().failed("error: source: ", source, "a mirror has datasets/<org>/<name>")
    assert not (tmp_path / "config.lock").exists()
