"""Every registered task is whole, and a wrong entry is named."""

import csv
import re
from pathlib import Path

import pytest

from xstilts import formats, metrics
from xstilts.analysis import tables
from xstilts.data import rows
from xstilts.data.prepare import SCHEMAS
from xstilts.experiment import entries, tasks
from xstilts.experiment.recipe import Recipe
from xstilts.experiment.tasks import SET
from xstilts.running.errors import UserError

NAMES = sorted(tasks.known())
PAGE = {"encode", "collate", "head"}
SCORED = {"reduce", "decode", "score"}


def get(name):
    return entries.check(name, tasks.known()[name])


@pytest.mark.parametrize("name", NAMES)
def test_every_task_is_whole(name):
    task = get(name)
    assert task.name == name
    assert task.format in SCHEMAS
    if task.format == "images":  # of which there is no page: nothing is computed of their rows
        assert not task.tuned_on and not task.metric and task.languages == (SET,)
        return
    page = formats.page(task.format)
    trained = "train" in task.splits or (task.tuned_on and task.format != "retrieval")
    assert set(dir(page)) >= PAGE | ({"loss"} if trained else set())
    assert task.rows is None or task.rows in rows.ROW_FUNCTIONS
    if task.format != "mlm":
        assert set(dir(page)) >= SCORED
        assert metrics.METRICS[task.metric].averaged
        assert task.metric in tables.SHORT_METRICS
        assert task.splits.keys() >= {"dev"}
    Recipe(**task.recipe)


@pytest.mark.parametrize("name", NAMES)
def test_every_language_has_a_config_of_its_own(name):
    task = get(name)
    split = next(iter(task.splits))
    configs = [
        (task.hub_config(code, split) or "", task.id_start(code) or "", task.hub_split(code, split))
        for code in task.languages
    ]
    assert all("{" not in "".join(each) for each in configs)
    if len(task.languages) > 1:
        assert len(set(configs)) == len(configs)
        assert list(task.languages) == sorted(set(task.languages))
    assert set(task.codes) <= set(task.languages)
    if task.codes:
        assert set(task.codes) == set(task.languages), (
            "a code without a name would go through as is"
        )
    assert set(task.no_dev) <= set(task.languages)


@pytest.mark.parametrize("name", [n for n in NAMES if get(n).tuned_on])
def test_every_target_shares_a_head_with_its_train_task(name):
    target = get(name)
    train = get(target.tuned_on)
    assert train.splits.keys() >= {"train", "dev"}
    assert "en" in train.languages
    assert train.tuned_on in (None, train.name)
    found_by = "dual" if target.format == "retrieval" else target.format
    assert (train.format, train.labels) == (found_by, target.labels)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_trained_is_trained_on_or_retrieved(name):
    task = get(name)
    assert task.tuned_on or "train" in task.splits or task.format == "retrieval"


def test_inference_tasks_can_share_a_head():
    heads = {
        get(name).labels
        for name in ("mnli", "mnli_translated", "anli", "anli_r1", "anli_r3", "snli", "xnli")
    }
    assert heads == {("entailment", "neutral", "contradiction")}


# XTREME's own names (evaluate.py) for what is called otherwise here.
XTREME = {"panx": "wikiann", "bucc2018": "bucc"}
REFERENCE = Path(__file__).resolve().parents[2] / "../shared/reference"
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason="needs ../shared/reference")


def reference(name):
    with open(REFERENCE / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@needs_reference
def test_the_targets_have_the_languages_of_xtreme():
    wanted = {
        XTREME.get(row["task"], row["task"]): tuple(row["languages_iso639_1"].split())
        for row in reference("xtreme_languages.csv")
        if row["benchmark"] == "xtreme"
    }
    targets = {name: get(name) for name in NAMES}
    scored = {n: t for n, t in targets.items() if t.tuned_on or t.format == "retrieval"}
    # English alone, by class of example; what is of XTREME-R alone; and of several hops.
    assert {name for name in scored if name not in wanted} == {
        "anli", "multinli", "squad2",
        "lareqa", "mewslix", "multichecklist", "tatoeba_r", "xcopa",
        "hotpot", "hotpot_gold", "hotpot_answer", "hotpot_x", "hotpot_x_gold", "hotpot_x_answer",
        "multiq", "musique", "musique_gold", "musique_last",
        "xgqa",
    }  # fmt: skip
    assert {name: scored[name].languages for name in wanted} == wanted


@needs_reference
@pytest.mark.parametrize("name", [n for n in NAMES if get(n).hub == "google/xtreme"])
def test_the_configs_of_xtreme_are_there_with_their_splits(name):
    task = get(name)
    there = {row["config"]: row for row in reference("xtreme_hub_configs.csv")}
    for code in task.languages:
        row = there[task.hub_config(code)]
        for ours, split in task.splits.items():
            assert bool(row[split]) == (not (ours == "dev" and code in task.no_dev))


@needs_reference
@pytest.mark.parametrize("name", ["wikiann", "pawsx"])
def test_the_languages_of_other_copies_are_those_of_xtreme(name):
    prefix = {"wikiann": "PAN-X.", "pawsx": "PAWS-X."}[name]
    there = [row["config"].removeprefix(prefix) for row in reference("xtreme_hub_configs.csv")
             if row["config"].startswith(prefix)]  # fmt: skip
    assert sorted(get(name).languages) == sorted(there)


def test_one_config_may_hold_several_languages():
    task = get("tydiqa")
    assert (task.hub_config("sw"), task.id_start("sw")) == ("secondary_task", "swahili-")
    assert get("xquad").id_start("de") is None


def test_gold_pairs_are_named_by_language_and_the_split_of_the_data_set():
    entry = {**tasks.known()["bucc"], "splits": {"dev": "sample", "test": "training"}}
    assert entries.check("bucc", entry).gold_file("fr", "test") == "fr/training.gold.tsv"
    assert get("tatoeba").gold_file("fr", "dev") is None


def test_a_tagging_task_without_labels_takes_them_from_its_training_rows():
    assert get("ccg").open_labels
    assert not get("udpos").open_labels
    entry = {**tasks.known()["ccg"], "splits": {"dev": "validation"}}
    with pytest.raises(UserError, match=r"task `x`: a tagging task needs `labels`, .* or a train"):
        entries.check("x", entry)


def test_an_entry_becomes_a_frozen_task():
    entry = {
        "format": "tagging", "hub": "o/x", "config": "c.{lang}", "splits": {"dev": "validation"},
        "languages": ["de", "en"], "metric": "tagging", "version": 2, "labels": ["A", "B"],
        "codes": {"de": "German"},
    }  # fmt: skip
    task = entries.check("x", entry)
    assert (task.name, task.languages, task.labels) == ("x", ("de", "en"), ("A", "B"))
    assert (task.rows, task.tuned_on, task.no_answer, task.revision) == (None, None, False, "main")
    assert [task.hub_config(code) for code in task.languages] == ["c.German", "c.en"]


def test_text_to_model_has_no_metric():
    entry = {
        "format": "mlm", "hub": "o/x", "config": "{lang}", "splits": {"train": "train"},
        "languages": ["de", "en"], "version": 1,
    }  # fmt: skip
    assert entries.check("x", entry).metric == ""
    with pytest.raises(UserError, match="task `x`: an mlm task is not scored, so it has no `metr"):
        entries.check("x", entry | {"metric": "accuracy"})


ENTRY = {
    "format": "classification", "hub": "o/x", "config": "c", "splits": {"dev": "validation"},
    "languages": ["en"], "metric": "accuracy", "version": 1, "labels": ["a", "b"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"metrics": "accuracy"}, "there is no field `metrics`; did you mean `metric`?"),
        ({"name": "x"}, "there is no field `name`"),
        ({"format": "taging"}, "format: there is no `taging`; did you mean `tagging`?"),
        ({"metric": "f1"}, "metric: there is no `f1` .valid: accuracy,"),
        ({"metric": ["accuracy"]}, r"`metric` must be text, not \['accuracy'\]"),
        ({"splits": {"dve": "x"}}, "splits: there is no `dve`; did you mean `dev`?"),
        ({"splits": None}, "`splits` must be a mapping, not None"),
        ({"labels": []}, "a classification task needs `labels`"),
        ({"labels": "ab"}, "`labels` must be a list, not 'ab'"),
        ({"languages": "en"}, "`languages` must be a list, not 'en'"),
        ({"languages": []}, "`languages` must be a list of different language codes"),
        ({"languages": ["en", "en"]}, "`languages` must be a list of different language codes"),
        ({"labels": ["a", True]}, 'labels: True is not text: quote it, "true"'),
        ({"splits": {"train": 3}}, 'splits: 3 is not text: quote it, "3"'),
        ({"languages": ["en", False]}, 'YAML reads no and on as booleans: write "no"'),
        ({"version": None}, "`version` must be a whole number, not None"),
        ({"columns": ["a"]}, "`columns` must be a mapping"),
        ({"rows": "sqad"}, "rows: there is no `sqad`; did you mean `squad`?"),
        (
            {"metric": "squad"},
            "metric: `squad` cannot score a classification task .valid: accuracy",
        ),
    ],
)
def test_a_wrong_field_is_named(change, line):
    with pytest.raises(UserError, match="task `x`: .*" + line):
        entries.check("x", {**ENTRY, **change})


POOLED = {
    "format": "retrieval", "hub": "o/x", "config": "{lang}", "pool": "{lang}", "metric": "map20",
    "splits": {"dev": "validation"}, "languages": ["de", "en"], "rows": "lareqa",
}  # fmt: skip


def test_candidates_are_in_a_config_of_each_language_or_in_one():
    task = entries.check("x", {**POOLED, "codes": {"de": "deu", "en": "eng"}})
    assert task.pools(["de", "en"]) == {"de": "deu", "en": "eng"}
    assert entries.check("x", {**POOLED, "pool": "all"}).pools(["de"]) == {"pool": "all"}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"metric": "retrieval"}, "metric: must be `map20`, which ranks .*, not `retrieval`"),
        ({"metric": None}, "`metric` must be text"),
        ({"pool": None}, "metric: `map20` ranks the candidates of all languages: say `pool`"),
        ({"languages": ["de", "pool"]}, "languages: `pool` stands for the candidates"),
        ({"rows": "tatoeba"}, "rows: `tatoeba` makes no candidates: .* lareqa or mewslix, or left"),
        ({"rows": None}, "pool: must be one config that has all candidates, .*, not `{lang}`"),
        ({"format": "dual"}, "pool: only a retrieval task has candidates, not one of format dual"),
    ],
)
def test_a_pool_has_its_metric(change, line):
    with pytest.raises(UserError, match="task `x`: .*" + line):
        entries.check("x", POOLED | change)


def test_a_pool_is_in_a_data_set_not_in_files():
    entry = {k: v for k, v in POOLED.items() if k not in ("hub", "config", "splits")}
    with pytest.raises(UserError, match="task `x`: `pool` is for a data set by `hub`"):
        entries.check("x", {**entry, "files": {"dev": "{lang}.csv"}})


HOPS = {
    "format": "span", "hub": "o/n", "config": "c", "splits": {"dev": "test"}, "languages": ["en"],
    "rows": "hotpot", "strata": ["type", "answer"], "metric": "squad",
}  # fmt: skip


@pytest.mark.parametrize("context", ["all", "gold", "answer", 0, 3])
def test_paragraphs_that_may_be_asked_for(context):
    assert entries.check("x", {**HOPS, "context": context}).context == context
    assert entries.check("x", HOPS).context is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"context": "gld"}, "context: there is no `gld`; did you mean `gold`?"),
        ({"context": True}, "context: there is no `True` (valid: all, gold, answer, or how many"),
        ({"context": "1"}, "context: there is no `1` (valid: all, gold"),
        ({"context": -1}, "context: -1 is below 0; it counts paragraphs beside the gold"),
        ({"context": "gold", "rows": "squad"},
         "context: its questions have no paragraphs to choose from; it is for `rows:` hotpot, mus"),
        ({"context": "gold", "rows": None}, "context: its questions have no paragraphs to choose"),
        ({"strata": ["type", "level"]}, "strata: `rows: hotpot` returns the stratum `answer`, which"
         " the task does not declare; say `strata: [type, level, answer]`"),
        ({"strata": None}, "say `strata: [type, answer]`"),
    ],
)  # fmt: skip
def test_paragraphs_that_may_not_be_asked_for(change, message):
    with pytest.raises(UserError, match=f"^task `x`: .*{re.escape(message)}"):
        entries.check("x", HOPS | change)


@pytest.mark.parametrize("field", ["format", "languages"])
def test_a_missing_field_is_named(field):
    entry = {k: v for k, v in ENTRY.items() if k != field}
    with pytest.raises(UserError, match=f"task `x`: the field `{field}` is missing"):
        entries.check("x", entry)


def test_data_is_of_the_hub_or_ones_own():
    entry = {k: v for k, v in ENTRY.items() if k != "hub"}
    with pytest.raises(UserError, match=r"task `x`: `files` \(paths of yours\) or `hub`"):
        entries.check("x", entry)


def test_what_an_entry_leaves_out_follows_from_the_rest():
    task = entries.check("x", {"format": "classification", "hub": "o/x", "languages": ["en"]})
    assert task.splits == {"train": "train", "dev": "validation"}
    assert (task.metric, task.version, task.tuned_on, task.config) == ("accuracy", 1, "x", None)
    assert task.open_labels and task.hub_config("en") is None


def strata(given, **more):
    return entries.check("x", {**ENTRY, "strata": given, **more}).strata


def test_strata_are_columns_or_names_of_columns():
    assert strata(["genre", "split"]) == {"genre": "genre", "split": "split"}
    assert strata({"kind-of_text": "Text Genre", "round": "split"}) == {
        "kind-of_text": "Text Genre", "round": "split",
    }  # fmt: skip
    assert strata({"genre": 3}) == {"genre": "3"}, "of a file without a header"
    assert strata(None) == strata([]) == strata({}) == {}
    assert get("squad2").strata == {"answerable": "answerable"}
    assert get("xnli").strata == {}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("genre", "must be a list of columns, or {NAME: COLUMN}, not 'genre'"),
        (["a b"], "`a b` is no name for classes (letters, digits, - and _); say {NAME: a b}"),
        ({"a/b": "c"}, "`a/b` is no name for classes (letters, digits, - and _)"),
        ({"-a": "c"}, "`-a` is no name for classes"),
        (["a", "a"], "the column `a` is there twice"),
        ({"a": "c", "b": "c"}, "the column `c` is there twice"),
        ({False: "c"}, 'False is not text: quote it, as in "no"'),
        ([["a"]], "['a'] is not text"),
        ({"a": None}, "None is not text"),
    ],
)
def test_strata_that_are_none_are_named(given, line):
    with pytest.raises(UserError) as error:
        strata(given)
    assert str(error.value).startswith(f"task `x`: strata: {line}")


def test_text_to_model_has_no_strata():
    entry = {"format": "mlm", "hub": "o/x", "languages": ["de"], "splits": {"train": "train"}}
    with pytest.raises(UserError, match="task `x`: an mlm task is not scored, so it has no `stra"):
        entries.check("x", {**entry, "strata": ["genre"]})
