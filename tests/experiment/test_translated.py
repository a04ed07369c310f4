"""`translated` of an intermediate: what follows from it, and what is refused."""

import pytest
from tests.experiment.test_grid import BASE, make

from xstilts.experiment import graph, reference, translators
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.running.errors import UserError
from xstilts.running.files import digest

NLLB = {"engine": "ctranslate2", "from": "facebook/nllb-200-distilled-600M", "shards": 2}
APERTIUM = {"engine": "command", "run": "apertium -u eng-{lang3}"}
TRANSLATORS = {"nllb": NLLB, "apertium": APERTIUM}
ASKED = {"by": "nllb", "languages": ["ru", "de"]}


def grid_of(translated, entry=None, **more):
    """Return the grid of one intermediate, `x`."""
    x = {"tasks": ["mnli"], "translated": translated} | (entry or {})
    settings = {"targets": ["xnli"], "languages": ["de"], "seeds": [1], "tasks": {}}
    return make(**{**settings, "translators": TRANSLATORS, **more}, intermediates={"x": x})


def test_two_kinds_of_rows_have_two_names():
    """Else one would be trained on the rows of the other."""
    made = {
        "x": {"tasks": ["mnli"], "translated": {**ASKED, "by": "a", "filter": "b.c"}},
        "y": {"tasks": ["mnli"], "translated": {**ASKED, "by": "a.b", "filter": "c"}},
    }
    rest = {"targets": ["xnli"], "languages": ["de"], "seeds": [1], "tasks": {}}
    bounds = {"copied": {"max": 0.5}}
    with pytest.raises(UserError, match=r"`a` by filter `b.c` and of `a.b` by filter `c` would"):
        make(
            **rest, translators={"a": NLLB, "a.b": NLLB}, intermediates=made,
            filters={"b.c": bounds, "c": bounds},
        )  # fmt: skip
    noisy = {name: {"tasks": ["mnli"], "translated": {**ASKED, "noise": rate}}
             for name, rate in (("x", 0.1), ("y", 0.1000001))}  # fmt: skip
    with pytest.raises(UserError, match=r"rate 0.1 and .*rate 0.1000001 would both be called"):
        make(**rest, translators={"nllb": NLLB}, intermediates=noisy)


def nodes_of(*args, **more):
    """Return the nodes of synthetic rows, and what is made of them."""
    nodes = graph.build(grid_of(*args, **more))
    return {key: node for key, node in nodes.items() if "/mnli" not in key or "x/seed" not in key}


def test_the_jobs_of_translated_rows():
    """A checkpoint is pinned and converted; each shard of each language, what passes, encoded."""
    nodes = nodes_of(ASKED)
    made = [k for k in nodes if "transl" in k or "synthetic" in k]
    rows = [
        [
            f"results/translated/nllb/mnli/{lang}/0.json",
            f"results/translated/nllb/mnli/{lang}/1.json",
            f"results/synthetic/nllb.none/mnli/{lang}.train.json",
            f"results/encoded/m/synthetic/nllb.none/mnli/{lang}.train.256.safetensors",
        ]
        for lang in ("de", "ru")
    ]
    first = ["results/pins/translators/nllb.json", "results/translators/nllb/node.json"]
    assert sorted(made) == sorted([*first, *rows[0], *rows[1]])
    shard = nodes["results/translated/nllb/mnli/de/1.json"]
    assert shard.inputs == {
        "rows": ("results/data/mnli/en.train.parquet",),
        "translator": ("results/translators/nllb/node.json", "results/translators/nllb/model.bin"),
    }
    assert shard.pins == {"datasets/nyu-mll/glue", "models/facebook/nllb-200-distilled-600M"}
    assert shard.state == "results/.state/translated/nllb/mnli/de/1"
    assert shard.spec["translator"] == {
        "engine": "ctranslate2", "from": "en", "to": "de", "codes": ["eng_Latn", "deu_Latn"],
        "beam": 4, "precision": "int8", "batch_tokens": 4096,
    }  # fmt: skip
    passed = nodes["results/synthetic/nllb.none/mnli/de.train.json"]
    assert passed.rule == "filter" and list(passed.outputs) == [
        "results/synthetic/nllb.none/mnli/de.train.json",
        "results/synthetic/nllb.none/mnli/de.train.parquet",
        "results/synthetic/nllb.none/mnli/de.train.measures.parquet",
    ]
    training = nodes["results/encoders/m/x/seed1/node.json"]
    assert training.inputs["train_rows"] == (
        "results/synthetic/nllb.none/mnli/de.train.parquet",
        "results/synthetic/nllb.none/mnli/ru.train.parquet",
    )


@pytest.mark.parametrize(
    ("translated", "languages", "dealt"),
    [
        (ASKED, ("de", "ru"), True),
        (ASKED | {"rows": "all"}, ("de", "ru"), False),
        (ASKED | {"keep_english": True}, ("de", "en", "ru"), True),
        ({"by": "nllb", "languages": ["de"]}, ("de",), False),
        (ASKED | {"round_trip": True}, ("en",), False),
        (ASKED | {"noise": 0.1}, ("de", "ru"), True),
        (ASKED | {"shuffled": True, "keep_english": True}, ("de", "en", "ru"), True),
    ],
)
def test_what_is_trained_on(translated, languages, dealt):
    """Languages, and whether each row is read in one of them: as many rows as in English."""
    [member] = grid_of(translated).mixture("x")
    assert member.languages == languages and member.dealt == dealt and member.dev == "en"


def test_a_spec_tells_what_it_follows_from():
    """How fast it is made is no part of it; a mark of English data is."""
    spec = digest(grid_of(ASKED).encoder_spec("m", "x", "seed1"))

    def other(**changed):
        return digest(
            make(
                targets=["xnli"], languages=["de"], seeds=[1], tasks={},
                translators={"nllb": NLLB | changed},
                intermediates={"x": {"tasks": ["mnli"], "translated": ASKED}},
            ).encoder_spec("m", "x", "seed1")
        )  # fmt: skip

    assert other(gpus=0) == other(languages=["de", "ru"]) == spec
    assert len({spec, other(beam=1), other(shards=3), other(longest=9), other(revision="x")}) == 5
    assert digest(grid_of(ASKED | {"filter": "basic"}).encoder_spec("m", "x", "seed1")) != spec
    assert digest(grid_of(ASKED | {"rows": "all"}).encoder_spec("m", "x", "seed1")) != spec


@pytest.mark.parametrize("control", [{}, {"noise": 0.1}, {"shuffled": True}])
def test_english_beside_translations_is_that_of_the_rows_that_pass(control):
    """The file of the control `english`."""
    asked = ASKED | {"filter": "basic"}
    [member] = grid_of(asked | control | {"keep_english": True}).mixture("x")
    [english] = grid_of(asked | {"english": True}).mixture("x")
    assert member.variants["en"] == english.variants["en"]
    assert member.variants["en"].startswith("nllb.basic.english-2-")
    assert len(set(member.variants.values())) == 2
    nodes = graph.build(grid_of(asked | control | {"keep_english": True}))
    assert f"results/synthetic/{member.variants['en']}/mnli/en.train.json" in nodes


@pytest.mark.parametrize(
    ("control", "name", "files"),
    [
        ({"english": True}, "english-2-", ["en"]),
        ({"round_trip": True}, "round-trip-2-", ["en"]),
        ({"code_switched": 0.3}, "code-switched-0.3-2-", ["en"]),
        ({"shuffled": True}, "shuffled-2-", ["de", "ru"]),
        ({"noise": 0.2}, "noise-0.2", ["de", "ru"]),
    ],
)
def test_controls_are_made_of_what_passes(control, name, files):
    """Each reads the rows that pass in the languages that it is made from."""
    grid = grid_of(ASKED | control)
    nodes = graph.build(grid)
    made = [node for node in nodes.values() if node.rule == "control"]
    assert [node.key.rpartition("/")[2] for node in made] == [f"{f}.train.json" for f in files]
    assert all(node.name.startswith(f"nllb.none.{name}") for node in made)
    passed = [f"results/synthetic/nllb.none/mnli/{lang}.train.parquet" for lang in ("de", "ru")]
    if "noise" in control:
        assert [list(node.inputs["passed"]) for node in made] == [[one] for one in passed]
    else:
        assert all(list(node.inputs["passed"]) == passed for node in made)
    others = {node.rule for node in made for key in node.needs for node in [nodes[key]]}
    assert ("lexicon" in others) == ("code_switched" in control)
    lexicons = [node.spec for node in nodes.values() if node.rule == "lexicon"]
    assert not any(set(spec) & {"aligner", "shard", "longest"} for spec in lexicons)
    back = [node for node in nodes.values() if node.name.startswith("back/")]
    assert len(back) == (4 if "round_trip" in control else 0)
    for node in back:
        assert node.spec["lang"] == "en" and node.spec["dealt"] == ["de", "ru"]
        assert node.spec["translator"]["codes"][1] == "eng_Latn"


def test_leaks_are_looked_for():
    """A training and a cell read how much of targets is in what was translated, unless that is
    allowed: in English, whichever languages are scored."""
    key, places = "results/overlap/mnli.json", ("encoders/m/x/seed1", "tuned/m/x/seed1/mnli")
    for languages in (["de", "en"], ["de"]):
        nodes = graph.build(grid_of(ASKED, languages=languages, targets=["xnli", "pawsx"]))
        for place in (*places, "tuned/m/x/seed1/pawsx_en"):
            assert nodes[f"results/{place}/node.json"].inputs["overlap"] == (key,)
        score = nodes["results/scores/m/x/seed1/xnli/cell.json"]
        assert score.inputs["overlap"] == (key,) and key in score.needs
        # It does not follow from the rows of the other target.
        assert nodes[key].pins - score.pins == {"datasets/google-research-datasets/paws-x"}
        assert "overlap" not in nodes["results/scores/m/none/seed1/xnli/cell.json"].inputs
    allowed = graph.build(grid_of(ASKED | {"leaks": "allow"}, languages=["de", "en"]))
    assert key not in allowed


def test_a_leak_is_of_the_link_that_has_translated():
    """Of stage 1 in what it reads itself, of the targets of all that follows on it."""
    grid = make(
        targets=["xnli", "pawsx"], languages=["de"], seeds=[1], tasks={}, translators=TRANSLATORS,
        intermediates={
            "x": {"tasks": ["mnli"], "translated": ASKED}, "y": {"tasks": ["squad"], "after": "x"}
        },
        exclude=[{"intermediate": "x", "target": "pawsx"}],
    )  # fmt: skip
    both = [("x", "mnli", "xnli"), ("x", "mnli", "pawsx")]
    assert grid.leaks_into("x") == both and grid.leaks_into("y") == []
    assert grid.leaks_into("x", "pawsx_en") == []
    assert grid.leaks_into("y", "pawsx_en") == [("x", "mnli", "pawsx")]
    [cell] = [c for c in grid.cells if (c.intermediate, c.target) == ("y", "xnli")]
    assert grid.leaks_of(cell) == both[:1]


def test_leaks_are_looked_for_where_english_is_not_scored():
    """Rows in other languages are translations of the English ones; it is said which link leaks."""
    entries = {
        "x": {"tasks": ["mnli"], "translated": ASKED},
        "y": {"tasks": ["squad"], "after": "x"},
    }
    usual = {"targets": ["xnli", "tatoeba"], "languages": ["de"], "seeds": [1], "tasks": {}}
    grid = make(**usual, translators=TRANSLATORS, intermediates=entries)
    assert grid.overlapping() == {"mnli": ["xnli"]}
    rows = graph.build(grid)["results/overlap/mnli.json"].inputs["rows"]
    assert rows == ("results/data/xnli/en.dev.parquet",)
    checked = {str(cell): grid.leaks_of(cell) for cell in grid.cells}
    checked = {key: of for key, of in checked.items() if key.endswith("xnli")}
    assert checked == {
        "m/none/seed1/xnli": [], "m/mnli/seed1/xnli": [],
        "m/x/seed1/xnli": [("x", "mnli", "xnli")], "m/y/seed1/xnli": [("x", "mnli", "xnli")],
    }  # fmt: skip


def test_a_training_is_refused_before_it_is_paid_for():
    """It reads what would leak; its pins are none of the targets'."""
    both = {"targets": ["xnli", "xquad"], "languages": ["de"]}
    grid = grid_of(ASKED, **both)
    nodes, allowed = graph.build(grid), graph.build(grid_of(ASKED | {"leaks": "allow"}, **both))
    for key in ("encoders/m/x/seed1", "tuned/m/x/seed1/mnli", "tuned/m/x/seed1/squad"):
        node = nodes[f"results/{key}/node.json"]
        assert node.inputs["overlap"] == ("results/overlap/mnli.json",)
        assert node.pins == allowed[node.key].pins and node.spec == allowed[node.key].spec
        assert "overlap" not in allowed[node.key].inputs
    assert grid.leaks_into("x") == [("x", "mnli", "xnli"), ("x", "mnli", "xquad")]
    assert grid.leaks_into("x", "squad") == [("x", "mnli", "xquad")]
    assert grid.leaks_into("none") == grid.leaks_into("mnli") == []


def test_a_score_has_no_pins_of_other_targets():
    """The overlap of a task reads those of all targets; a score's record has not theirs, and would
    be taken for one of other versions."""
    both = {"targets": ["xnli", "xquad"], "languages": ["de", "en"]}
    nodes = graph.build(grid_of(ASKED, **both))
    score = nodes["results/scores/m/x/seed1/xnli/cell.json"]
    other = nodes["results/scores/m/x/seed1/xquad/cell.json"].pins
    assert nodes["results/overlap/mnli.json"].pins & other - score.pins == {"datasets/google/xquad"}
    allowed = graph.build(grid_of(ASKED | {"leaks": "allow"}, **both))[score.key]
    assert "results/overlap/mnli.json" in score.needs and score.pins == allowed.pins


def test_the_toy_world_stands_for_a_translator():
    """With its languages; data of one's own is translated by who is asked for."""
    grid = grid_of({"by": "nllb", "languages": ["sw", "de"]}, source="toy")
    assert grid.experiment.intermediates["x"] == {"mnli": ("de",)}
    spec = grid.translated_spec("nllb", "mnli", "de", 0)
    assert spec["translator"] == {
        "engine": "toy", "from": "en", "to": "de", "mistakes": {}, "seed": 1
    }  # fmt: skip
    only = grid_of({"by": "nllb", "languages": ["sw", "th"], "shuffled": True}, source="toy")
    assert only.experiment.intermediates["x"] == {"mnli": ("de", "ru")}
    own = {"mine": {"format": "classification", "files": {"train": "a.csv", "dev": "b.csv"},
                    "languages": ["en"], "labels": ["a", "b"]}}  # fmt: skip
    grid = make(
        source="toy", targets=["xnli"], languages=["de"], tasks=own, translators=TRANSLATORS,
        intermediates={
            "x": {"tasks": ["mine"], "translated": {"by": "apertium", "languages": ["es"]}}
        },
    )  # fmt: skip
    assert grid.translated_spec("apertium", "mine", "es", 0)["translator"] == {
        "engine": "command", "from": "en", "to": "es", "run": "apertium -u eng-spa",
        "blank_lines": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("translated", "entry", "line"),
    [
        ({"by": "nlbl"}, {}, "translated: by: there is no translator `nlbl`; did you mean `nllb`?"),
        (
            {"languages": ["german"]}, {},
            "no code for `german`; did you mean `de`? (or give it in `translators: nllb: codes`)",
        ),
        ({"languages": ["../x"]}, {}, "languages: `../x` is no language code"),
        ({"by": "own", "languages": ["ru"]}, {}, "`ru` is none of the languages of `own` (it has"),
        ({"by": "oneway", "languages": ["es"], "round_trip": True}, {}, "name both languages"),
        ({"by": "writer"}, {}, "translated: by: `writer` is a generator: say `generated`"),
        ({}, {"tasks": ["vqa"]}, "`vqa` has pictures, whose rows are not translated"),
        ({"languages": ["qqq"]}, {}, "no code for `qqq`; give it in `translators: nllb: codes`"),
        ({"languages": ["en"]}, {}, "languages: en is what is translated; for its rows beside the"),
        ({}, {"languages": ["de"]}, "says which rows it is trained on, so leave `languages`"),
        ({"noise": 0.1, "english": True}, {}, "noise: is a control of its own; leave `english`"),
        ({"noise": -5}, {}, "translated: noise: must be above 0, not -5"),
        ({"noise": 2}, {}, "translated: noise: must be at most 1, not 2"),
        ({"code_switched": "30%"}, {}, "code_switched: must be a number, not '30%': write 0.3"),
        ({"languages": ["de", "de"]}, {}, "translated: languages: `de` is there twice"),
        ({"rows": 5000}, {}, "must be same or all; a number of rows stands beside `translated`"),
        ({"rows": "sam"}, {}, "translated: rows: must be same or all; did you mean `same`?"),
        ({"by": True}, {}, 'by: YAML reads no, on, yes and off as booleans: quote it, "yes" or'),
        ({}, {"tasks": ["mnli_translated"]}, "trained in? say `train_language` in its entry, of"),
        (
            {},
            {"tasks": ["mnli_translated"], "languages": ["de"]},
            "trained in? say `train_language` in its entry, of ar",
        ),
        ({"noise": 0}, {}, "translated: noise: must be above 0, not 0"),
        ({"shuffled": True, "languages": ["de"]}, {}, "shuffled: the two texts of a row are"),
        ({"shuffled": True}, {"tasks": ["squad"]}, "is of format span, whose rows are not two"),
        ({"round_trip": True, "by": "apertium"}, {}, "`run` of `apertium` has to name both"),
        ({"round_trip": True, "rows": "all"}, {}, "rows: of round_trip each row is one row"),
        ({"english": True, "keep_english": True}, {}, "english: is English alone; leave"),
        ({"filter": "strikt"}, {}, "filter: there is no filter `strikt`; did you mean `strict`?"),
        ({"language": ["de"]}, {}, "there is no key `language`; did you mean `languages`?"),
        ({}, {"tasks": ["tatoeba"]}, "`tatoeba` is of format retrieval"),
    ],
)  # fmt: skip
def test_what_cannot_be_translated_is_refused(translated, entry, line):
    """The key, what is wrong, and what would be right."""
    more = {
        "own": {**NLLB, "languages": ["de"]},
        "oneway": {"engine": "command", "run": "apertium {from3}-spa"},
    }
    with pytest.raises(UserError) as error:
        grid_of(
            ASKED | translated, entry=entry, translators=TRANSLATORS | more,
            generators={"writer": {"from": "Qwen/Qwen3-8B"}},
            vision={"d": {"from": "facebook/dinov2-base"}},
        )  # fmt: skip
    assert line in str(error.value)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"engine": "command"}, "translators: t: run: is missing"),
        ({"engine": "command", "run": ""}, "translators: t: run: must not be empty"),
        ({**APERTIUM, "timeout": "10m"}, "translators: t: timeout: must be a number, not '10m'"),
        ({**APERTIUM, "codes": {False: "nob", "de": "d"}}, "t: codes: `False` is not text: YAML"),
        ({**APERTIUM, "codes": {1: "nob", "de": "d"}}, 't: codes: `1` is not text: quote it, "1"'),
        ({"engine": "ctranslate2"}, "translators: t: from: is missing"),
        (
            {"engine": "ctranslate2", "from": "FacebookAI/xlm-roberta-base"},
            "t: from: FacebookAI/xlm-roberta-base does not translate",
        ),
        (
            {"engine": "ctranslate2", "from": "Helsinki-NLP/opus-mt-en-de"},
            "opus-mt-en-de is neither NLLB nor M2M100 by its name, and others are not supported",
        ),
        ({**NLLB, "aligner": "m", "aligner_layer": 99}, "aligner_layer: 99 is above the 12 layers"),
        ({"engine": "toy"}, "engine: toy knows the words of the toy world alone"),
        ({"engine": "apertium"}, "t: engine: must be ctranslate2, command or toy"),
        ({**NLLB, "run": "x"}, "translators: t: run: is of the engine command, not of ctranslate2"),
        ({**APERTIUM, "mistakes": {}}, "mistakes: are of the toy world"),
    ],
)
def test_what_is_no_translator_is_refused(entry, line):
    """Keys of another engine, or that are missing."""
    with pytest.raises(UserError) as error:
        known = {"m": {"from": "FacebookAI/xlm-roberta-base"}}
        load(merge(BASE, {"models": known, "translators": {"t": entry}}))
    assert line in str(error.value)


def test_words_alone_need_no_aligner():
    """What aligns the words of whole texts is no part of a lexicon."""
    grid = make(
        targets=["xnli"], languages=["de"], seeds=[1], tasks={},
        translators={"nllb": NLLB | {"aligner": "m"}}, intermediates={"x": {
            "tasks": ["squad"], "translated": ASKED | {"code_switched": 0.3}}},
    )  # fmt: skip
    assert "aligner" in grid.translated_spec("nllb", "squad", "de", 0)
    assert "aligner" not in grid.lexicon_spec("nllb", "squad", "de")


def test_the_command_of_two_languages():
    """Fields are filled in, other braces stay."""
    entry = {"engine": "command", "run": "x {from3}-{lang3} {code} | awk '{print}'",
             "codes": {"de": "ger"}}  # fmt: skip
    assert translators.run(entry, "en", "de") == "x eng-deu ger | awk '{print}'"
    assert translators.both_ways(entry) and not translators.both_ways(APERTIUM)


def test_codes_are_those_of_the_tokenizers():
    """Every code is one of the tokenizer's, and every language of ours has one."""
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES as M2M
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as NLLB_CODES

    rows = reference.table("codes")
    assert {row["nllb"] for row in rows} <= set(NLLB_CODES)
    assert {row["m2m100"] for row in rows if row["m2m100"]} <= set(M2M["m2m100"])
    assert {row["language"] for row in reference.table("languages")} <= {
        r["language"] for r in rows
    }
