"""The schema of the config describes each key; docs/config.md and the checks follow from it."""

import dataclasses
import difflib
import re

import pytest
from docs import reference
from jsonschema import Draft202012Validator
from tests.workflow.running import ROOT

from xstilts.experiment import tasks
from xstilts.experiment.config import load
from xstilts.experiment.schema import config_schema, task_fields
from xstilts.experiment.tasks import FORMATS, Task
from xstilts.metrics import METRICS
from xstilts.running.errors import UserError
from xstilts.toy.spec import Spec


def keys(schema, path="config"):
    """Yield the path of each key of a schema, and what is said of it."""
    for name, entry in schema.get("properties", {}).items():
        yield f"{path}: {name}", entry
        of_pattern = name in ("exclude", "include")  # whose keys are said as a whole
        inner = entry.get("additionalProperties")
        for part in (entry, inner if isinstance(inner, dict) else {}):
            if not of_pattern and name != "recipe":
                yield from keys(part, f"{path}: {name}")


def test_the_page_is_the_schema():
    written = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    drift = difflib.unified_diff(
        written.splitlines(), reference.page().splitlines(), "docs/config.md", "schema", lineterm=""
    )
    assert written == reference.page(), "run `make docs`:\n" + "\n".join(drift)


def test_each_key_says_what_it_means():
    told = {key: entry for key, entry in keys(config_schema()) if not entry.get("x-internal")}
    assert "config: tasks: train_language" in told and "config: models: from" in told
    said = {key: entry.get("description", "") for key, entry in told.items()}
    odd = {key: text for key, text in said.items() if not re.fullmatch("[A-Z`].+[.]", text)}
    assert not odd, "a sentence each, please"
    assert all(reference.value(entry) for entry in told.values())


def test_the_schema_has_exactly_the_fields_of_a_task_and_of_the_toy_world():
    assert task_fields().keys() == {field.name for field in dataclasses.fields(Task)} - {"name"}
    assert task_fields()["format"]["enum"] == list(FORMATS)
    assert task_fields()["metric"]["enum"] == list(METRICS)
    assert config_schema()["properties"]["toy"]["properties"].keys() == Spec().as_dict().keys()


def test_our_own_tasks_are_valid():
    schema = config_schema()["properties"]["tasks"]
    assert [
        error.message for error in Draft202012Validator(schema).iter_errors(tasks.known())
    ] == []


BASE = {"models": {"m": {"from": "o/m"}}, "intermediates": {}, "targets": ["xnli"]}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"own": {"lables": []}}, "task `own`: there is no field `lables`; did you mean `labels`?"),
        ({"own": None}, "config: tasks: own: must be a mapping, not nothing"),
        ({"xnli": {"version": "two"}}, "task `xnli`: `version` must be a whole number, not 'two'"),
        ({"xnli": {"recipe": 3}}, "task `xnli`: `recipe` must be a mapping, not 3"),
    ],
)
def test_a_field_of_a_task_is_told_once(given, line):
    with pytest.raises(UserError) as error:
        load({**BASE, "tasks": given})
    assert str(error.value).splitlines() == [line]


def test_defaults_are_written_as_yaml_reads_them():
    assert [reference.code(d) for d in (1e-5, 0.1, True, "all", [1], ("en",), {"a": 2e-3})] == [
        "`1.0e-5`", "`0.1`", "`true`", "`all`", "`[1]`", "`[en]`", "`{a: 0.002}`",
    ]  # fmt: skip
    assert [reference.code(d) for d in (None, "", [], {})] == [""] * 4
