"""Questions in YAML alone, asked of a finished grid: what they cost, what they answer."""

import csv
import json
import math
import re
import shutil

import pyarrow.parquet as pq
import pytest
import yaml
from tests.workflow import asking
from tests.workflow.asking import HOME, QUESTIONS, SHOWN
from tests.workflow.running import Experiment, damage, xstilts

from xstilts.analysis.answers import findings

NUMBERS = ("estimate", "low", "high", "p", "detectable", "dof")
STRATUM = "stratum:inference"
ENDS = ("json", "parquet")  # a score, its predictions
MNLI = ["mnli-16", "mnli-32", "mnli"]


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """A grid that is trained and scored, without tables."""
    experiment = Experiment(tmp_path_factory.mktemp("grid"))
    path = experiment.write(asking.GRID, asking.CONFIG)
    experiment.snakemake("--omit-from", "tables", config=path).ok()
    return experiment


@pytest.fixture(scope="module")
def first(grid):
    """The run with all questions laid over the grid."""
    asking.ask(grid, QUESTIONS)
    return asking.snakemake(grid).ok()


@pytest.fixture(scope="module")
def asked(grid, first):
    """The grid with its answers; not to be changed."""
    return grid


@pytest.fixture
def done(asked, tmp_path):
    """A copy of it."""
    return asked.copy(tmp_path / "done")


def answer(experiment, name):
    """What the files of an answer say: its CSV, its JSON, a row of each (class, kind, scale)."""
    folder = f"{HOME}/tables/questions"
    rows = list(csv.DictReader(experiment.read(f"{folder}/{name}.csv").splitlines()))
    meta = json.loads(experiment.read(f"{folder}/{name}.json"))
    return rows, meta, {(row["class"], row["kind"], row["scale"]): row for row in rows}


def answered(experiment, name, *classes):
    """An answer that is whole, shown everywhere, and begins as its numbers say."""
    rows, meta, found = answer(experiment, name)
    scales = QUESTIONS[name].get("scales", ["points"])
    kind = "slope" if "along" in QUESTIONS[name] else "value"
    one, other = classes
    each = [(one, kind), (other, kind), (other, "difference")]
    assert list(found) == [(*key, scale) for scale in scales for key in each]
    assert all(math.isfinite(float(row[key])) for row in rows for key in NUMBERS)
    assert all(float(row["low"]) <= float(row["estimate"]) <= float(row["high"]) for row in rows)
    assert {row["noise"] for row in rows} == {"examples and seeds"} and not meta["missing"]
    assert list(meta["classes"]) == list(classes)
    assert (meta["ask"], meta["scales"]) == (QUESTIONS[name]["ask"], scales)
    tested = [found[other, "difference", scale] for scale in scales]
    assert [row for row in rows if row["tested"] == "True"] == tested
    assert meta["sentence"].startswith(start(kind, one, other, tested)), meta["sentence"]
    for path in (f"figures/questions/{name}.png", f"figures/questions/{name}.svg"):
        assert experiment.path(f"{HOME}/{path}").stat().st_size > 2000
    for path in (f"tables/questions/{name}.md", f"tables/questions/{name}.tex"):
        assert all(text in experiment.read(f"{HOME}/{path}") for text in classes)
    assert json.dumps(meta["sentence"], ensure_ascii=False) in experiment.read(
        f"{HOME}/report.html"
    )
    return meta, found


def start(kind, one, other, tested):
    """How a sentence begins, by the rows that are tested."""
    what = "the slope of the gain" if kind == "slope" else "the gain"
    on = {1: "", 2: " on both scales", 3: " on all 3 scales"}[len(tested)]
    signs = {
        (float(r["low"]) > 0) - (float(r["high"]) < 0) if float(r["p holm"]) < 0.05 else 0
        for r in tested
    }
    text = f"Compared to {one}, "
    if tested[0]["barred"]:
        why = findings.WHY[tested[0]["barred"]]
        return text + f"nothing is claimed of the difference of {what} {why} for {other}: "
    if signs == {0}:
        any_scale = " on any scale" if on else ""
        difference = f"{float(tested[0]['estimate']):+.1f}".replace("-", "−")
        text += f"no difference of {what} was found{any_scale} for {other}: "
        return text + ("0.0" if float(difference.replace("−", "-")) == 0 else difference)
    [sign] = signs
    return text + f"{what} is {'larger' if sign > 0 else 'smaller'}{on} for {other}: a difference"


def score(experiment, row, lang, model="xlmr", target="tatoeba"):
    """The mean score of a row over its seeds, in percent."""
    files = experiment.path(f"scores/{model}/{row}").glob(f"*/{target}/{lang}.json")
    values = [json.loads(path.read_text())["score"] for path in files]
    assert len(values) == (1 if (row, target) == ("none", "tatoeba") else 3)
    return 100 * sum(values) / len(values)


def gain(experiment, rows, languages=tuple(asking.LANGUAGES)):
    """The mean gain of rows on tatoeba, in points."""
    each = [
        score(experiment, row, lang) - score(experiment, "none", lang)
        for row in rows
        for lang in languages
    ]
    return sum(each) / len(each)


def estimates(found, *keys, scale="points"):
    return [pytest.approx(float(found[(*key, scale)]["estimate"]), abs=1e-6) for key in keys]


def compared(found, one, other, values):
    """The three estimates of two classes are their values and the difference of them."""
    keys = [(one, "value"), (other, "value"), (other, "difference")]
    assert [*values, values[1] - values[0]] == estimates(found, *keys)


# ---- what can be asked


def test_questions_train_nothing(first, asked):
    assert first.jobs == SHOWN
    assert asking.snakemake(asked).nothing
    listed = {path.name for path in asked.path(f"{HOME}/tables/questions").iterdir()}
    kinds = ("csv", "points.csv", "json", "md", "tex")
    assert listed == {f"{name}.{kind}" for name in QUESTIONS for kind in kinds}


def test_european_against_other_languages(asked):
    meta, found = answered(asked, "europe", "European", "others")
    languages = {name: set(behind["languages"]) for name, behind in meta["classes"].items()}
    assert languages == {"European": {"de", "ru"}, "others": {"hi"}}
    rows = [*MNLI, "mnli-de", "ccg", "mix"]
    assert {tuple(row) for row in meta["classes"]["others"]["rows"]} == {("xlmr", r) for r in rows}
    values = [gain(asked, rows, languages) for languages in (("de", "ru"), ("hi",))]
    compared(found, "European", "others", values)


def test_the_number_of_tasks_in_a_mix(asked):
    meta, found = answered(asked, "mix", "one task", "two tasks")
    rows = [[row for _, row in behind["rows"]] for behind in meta["classes"].values()]
    assert rows == [["mnli", "mnli-de", "ccg"], ["mix"]]
    compared(found, "one task", "two tasks", [gain(asked, each) for each in rows])


def test_intermediate_data_in_german_against_english(asked):
    _, found = answered(asked, "german", "English", "German")
    compared(found, "English", "German", [gain(asked, [row]) for row in ("mnli", "mnli-de")])


def test_semantic_against_syntactic_tasks(asked):
    meta, found = answered(asked, "kind", "semantic", "syntactic")
    values = [gain(asked, ["mnli", "mnli-de"]), gain(asked, ["ccg"])]
    compared(found, "semantic", "syntactic", values)
    base = sum(score(asked, "none", lang) for lang in asking.LANGUAGES) / 300
    odds = [math.log(p / (1 - p)) for p in (base, *(base + value / 100 for value in values))]
    values = [each - odds[0] for each in odds[1:]]
    keys = [("semantic", "value"), ("syntactic", "value")]
    assert values == estimates(found, *keys, scale="log-odds")
    below = [row for row in found.values() if row["tested"] == "True" and float(row["high"]) < 0]
    assert len(below) == 2, "smaller on both scales, and yet"
    assert "(all trainings of a side ended at guessing)" in meta["sentence"]


def test_poor_against_rich_languages_by_dose(asked):
    meta, found = answered(asked, "dose", "rich", "poor")
    assert meta["along"] == "intermediate rows" and meta["scale"] == "log10"
    assert [row for _, row in meta["classes"]["poor"]["rows"]] == MNLI
    logs = [math.log10(rows) for rows in (16, 32, 48)]
    middle = sum(logs) / 3
    slopes = []
    for languages in (("de", "ru"), ("hi",)):
        gains = [gain(asked, [row], languages) for row in MNLI]
        above = sum((x - middle) * y for x, y in zip(logs, gains, strict=True))
        slopes.append(above / sum((x - middle) ** 2 for x in logs))
    keys = [("rich", "slope"), ("poor", "slope"), ("poor", "difference")]
    assert [*slopes, slopes[1] - slopes[0]] == estimates(found, *keys)
    points = csv.DictReader(asked.read(f"{HOME}/tables/questions/dose.points.csv").splitlines())
    at = [(p["class"], p["label"], float(p["x"])) for p in points]
    assert at == [
        (name, label, x)
        for name in ("rich", "poor")
        for label, x in zip(MNLI, (16, 32, 48), strict=True)
    ]


def test_a_stratum_against_another(asked):
    meta, found = answered(asked, "stratum", "other", "negation")
    sizes = {key[:2]: int(row["examples"]) for key, row in found.items()}
    negation = examples(asked, "mnli", "de", True)
    n, rest = (len(examples(asked, "mnli", "de", class_)[0]) for class_ in (True, False))
    assert n + rest == 64 and min(n, rest) >= 20 and len(negation) == 3
    assert sizes == {
        ("other", "value"): rest,
        ("negation", "value"): n,
        ("negation", "difference"): 64,
    }
    values = []
    for class_ in (False, True):
        means = {}
        for row in ("mnli", "none"):
            each = [examples(asked, row, lang, class_) for lang in asking.LANGUAGES]
            means[row] = 100 * sum(sum(map(sum, seeds)) for seeds in each)
            means[row] /= sum(sum(map(len, seeds)) for seeds in each)
        values.append(means["mnli"] - means["none"])
    compared(found, "other", "negation", values)
    assert meta["classes"]["negation"]["targets"] == ["xnli"]


def examples(experiment, row, lang, negation):
    """By seed, the values of the examples of XNLI that have a negation, or of the others."""
    found = []
    for path in experiment.path(f"scores/xlmr/{row}").glob(f"*/xnli/{lang}.parquet"):
        table = pq.read_table(path)
        pairs = zip(*(table[name].to_pylist() for name in ("value", STRATUM)), strict=True)
        found.append([value for value, name in pairs if (name == "negation") == negation])
    return found


def test_models_that_are_equal_differ_by_nothing(asked):
    """In the toy world all models are; the gain of each has its interval nevertheless."""
    meta, found = answered(asked, "model", "small", "large")
    assert [behind["rows"] for behind in meta["classes"].values()] == [
        [["xlmr", "mnli"]],
        [["large", "mnli"]],
    ]
    small, large, difference = found.values()
    assert small["estimate"] == large["estimate"] and float(small["high"]) > float(small["low"])
    assert [float(difference[key]) for key in ("estimate", "low", "high", "p")] == [0, 0, 0, 1]
    assert "0.0 points (95%: 0.0 to 0.0)" in meta["sentence"]


# ---- what is wrong with what is there


def rest_is_made(experiment):
    """The main table is there, new, and whole but for what is missing."""
    path = experiment.path(f"{HOME}/tables/main.csv")
    rows = {(r["model"], r["intermediate"]): r for r in csv.DictReader(path.open())}
    assert rows["xlmr", "mnli-16"]["tatoeba"] and rows["xlmr", "ccg"]["tatoeba"]
    return rows


def test_predictions_without_the_stratum_are_named_with_what_to_delete(done):
    paths = sorted(done.path("scores").rglob("xnli/de.parquet"))
    for path in paths:
        pq.write_table(pq.read_table(path).drop_columns([STRATUM]), path)
    done.path(f"{HOME}/tables/main.csv").unlink()
    asking.tables(done).failed(
        "error: 1 score file(s) refused: ", "xnli/de.parquet: has no classes of the stratum",
        "`inference`; delete it and the score beside it, run again",
    )  # fmt: skip
    rest_is_made(done)
    rows, meta, _ = answer(done, "stratum")
    assert rows == [] and meta["sentence"].startswith("Not answered"), meta["sentence"]
    answered(done, "german", "English", "German")
    # What is said to be deleted is what has to be.
    for path in paths:
        path.unlink()
        path.with_suffix(".json").unlink()
    again = asking.snakemake(done, "--dry-run", "--quiet", "rules", "--omit-from", "tables").ok()
    assert again.jobs == {"evaluate_xnli": 6}


def test_a_missing_score_is_named_and_no_answer_is_given_for_less(done):
    cell = done.path("scores/xlmr/mnli-de/seed2/tatoeba")
    for path in cell.glob("hi.*"):
        path.unlink()
    asking.tables(done).ok()
    for name in ("german", "europe", "mix", "kind"):
        rows, meta, _ = answer(done, name)
        assert rows == [] and meta["missing"] == ["xlmr/mnli-de/seed2/tatoeba"]
        text = meta["sentence"]
        assert re.match(r"Not answered yet: 1 of \d+ cells is missing \(xlmr/mnli-de/seed2/", text)
        assert "Not answered yet" in done.read(f"{HOME}/tables/questions/{name}.md")
    for name in ("dose", "stratum", "model"):
        rows, meta, _ = answer(done, name)
        assert rows and not meta["missing"]
    assert rest_is_made(done)["xlmr", "mnli-de"]["tatoeba"] == ""


def test_damaged_predictions_are_refused_and_cost_the_answers_that_need_them(done):
    path = done.path("scores/xlmr/mnli-de/seed2/tatoeba/ru.parquet")
    damage(path)
    asking.tables(done).failed("error: 1 score file(s) refused: ", "ru.parquet: not a predictions")
    rest_is_made(done)
    rows, meta, _ = answer(done, "german")
    assert rows == [] and meta["missing"] == ["xlmr/mnli-de/seed2/tatoeba"], meta["sentence"]
    rows, meta, _ = answer(done, "dose")
    assert rows and not meta["missing"]


def test_a_question_that_is_gone_or_has_another_name_takes_its_files_along(done):
    """One is no more asked; of another only the case of its name has changed."""
    kept = {name: QUESTIONS[name] for name in ("mix", "stratum")}
    asking.ask(done, {**kept, "German": QUESTIONS["german"]})
    assert asking.snakemake(done).ok().jobs == SHOWN
    kinds = {"tables": ("csv", "points.csv", "json", "md", "tex"), "figures": ("png", "svg", "pdf")}
    for folder, ends in kinds.items():
        there = {path.name for path in done.path(f"{HOME}/{folder}/questions").iterdir()}
        assert there == {f"{name}.{end}" for name in ("mix", "stratum", "German") for end in ends}
    page = done.read(f"{HOME}/report.html")
    assert QUESTIONS["german"]["ask"] in page and QUESTIONS["dose"]["ask"] not in page
    assert asking.snakemake(done).nothing


REFUSED = {
    "two of one name": (
        "questions:\n  size: {by: model}\n  kind: {}\n  size: {by: target}\n",
        "the key `size` is there already, in line ",
    ),
    "of one name but for case": (
        {"size": QUESTIONS["german"], "Size": QUESTIONS["mix"]},
        "questions: `size` and `Size` would be one file where case does not count",
    ),
    "a trait that nothing has": (
        {"q": {"by": {"language": "continent"}}},
        "questions: q: by: language: no language has a trait `continent`",
    ),
    "a cell that is excluded": (
        {"q": {"where": {"model": "large"}}},
        "questions: q: the question: large / mnli / xnli (and ",
    ),
    "a class that no file could have": (
        {"q": {"compare": {"a\nb": {"model": "xlmr"}, "c": {"model": "large"}}}},
        "questions: q: compare: 'a\\nb' is no name of a class",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_is_one_line_before_anything_runs(asked, tmp_path, case):
    questions, line = REFUSED[case]
    other = Experiment(tmp_path)
    other.write(asking.GRID, asking.CONFIG)
    asking.ask(other, questions)
    said = xstilts(tmp_path, "check", asking.CONFIG, asking.OVER).failed("error: ", line)
    assert len(said.out.splitlines()) == 1


def test_tables_of_a_folder_without_a_config_have_no_answers(done):
    done.path(f"{HOME}/config.yaml").unlink()
    asking.tables(done).ok()
    rest_is_made(done)
    assert not list(done.path(f"{HOME}/tables/questions").iterdir())
    jobs = asking.snakemake(done, "--dry-run", "--quiet", "rules").ok().jobs
    assert jobs == SHOWN, "the next run has all again"


# ---- what is planned with families and chains


def test_status_estimate_and_unused_know_families_and_chains(done):
    more = {"again-{rows}": {"tasks": ["mnli"], "after": "mnli", "rows": [8, 24]}}
    done.write({"intermediates": more}, "more.yaml")
    files = (asking.CONFIG, asking.OVER)
    status = xstilts(done.folder, "status", *files).ok().out
    assert "30 cells: 30 done" in status and "next run: no score is to be computed" in status
    # Two rows of three seeds each, on tatoeba: stage 1 is all that is trained.
    status = xstilts(done.folder, "status", *files, "more.yaml").ok().out
    assert "36 cells: 30 done, 6 missing" in status
    assert "next run: 6 intermediate, 6 evaluate" in status
    # mnli twice, two doses, mnli-de, ccg, mix and two doses of the chain by three; a chain by one.
    forecast = xstilts(done.folder, "estimate", *files, "more.yaml").ok().out
    left = {row[0]: row[1:3] for line in forecast.splitlines() if len(row := line.split()) > 2}
    assert left["intermediate"] == ["28", "6"] and left["evaluate"] == ["36", "6"]
    assert left["tune"] == ["6", "0"]
    assert "0 s" in xstilts(done.folder, "estimate", *files).ok().out


def test_the_first_link_of_a_chain_is_not_unused(done):
    """Without its row: of ccg the one seed stays that the chain starts from."""
    config = yaml.safe_load(yaml.safe_dump(asking.GRID))
    for name in ("mix", "mnli-{rows}"):
        del config["intermediates"][name]
    config["exclude"].append({"intermediate": "ccg"})
    shutil.rmtree(done.path(HOME))
    path = done.write(config, asking.CONFIG)
    done.snakemake("--", "results/experiments/grid/grid.csv", config=path).ok()
    lines = xstilts(done.folder, "unused").ok().out.splitlines()
    found = [line.split()[2] for line in lines[:-1]]
    rows = [(row, seed) for row in ("mix", "mnli-16", "mnli-32", "ccg") for seed in (1, 2, 3)]
    encoders = [(row, seed) for row, seed in rows if (row, seed) != ("ccg", 1)]
    files = ["cell.json", *(f"{lang}.{end}" for lang in asking.LANGUAGES for end in ENDS)]
    folders = ("results/encoders", "results/.state/train/encoders")
    assert sorted(found) == sorted(
        [f"{folder}/xlmr/{row}/seed{seed}" for folder in folders for row, seed in encoders]
        + [f"results/scores/xlmr/{row}/seed{seed}/tatoeba/{f}" for row, seed in rows for f in files]
    )
    assert lines[-1].endswith("--delete deletes them")
