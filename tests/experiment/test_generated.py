"""`generated` of an intermediate, and `generators`: what follows from them, and what is refused."""

import pytest
from tests.experiment.test_grid import BASE, make

from xstilts.experiment import config_files, generated, graph, traits
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.monitoring.estimate.data_sizes import DataSizes
from xstilts.monitoring.estimate.translations import Translations
from xstilts.running.errors import UserError
from xstilts.running.files import digest

HUB = {"source": "hub", "generators": {"writer": {"from": "Qwen/Qwen3-8B"}}}
GIVEN = {"by": "writer", "languages": ["ru", "de", "sw"], "rows": 20}
TOY = {"source": "toy", "toy": {"languages": ["en", "de", "ru"], "sizes": {"train": 9}}}


def entry(task="mnli", more=None, **given):
    return {"made": {"tasks": [task], "generated": GIVEN | given, **(more or {})}}


def grid_of(intermediates, **settings):
    usual = {"targets": ["xnli"], "languages": ["de"], "seeds": [1], "tasks": {}}
    return make(**usual, **merge(HUB, settings), intermediates=intermediates)


def nodes_of(rule, grid):
    return {node.name: node for node in graph.build(grid).values() if node.rule == rule}


def refused(intermediates, **more):
    with pytest.raises(UserError) as error:
        load(merge(merge(BASE, HUB) | {"intermediates": intermediates}, more))
    return str(error.value)


def test_rows_are_dealt_over_languages_and_pass_a_filter():
    grid = grid_of(entry())
    made = nodes_of("generate", grid)
    assert set(made) == {"writer/mnli/de.7", "writer/mnli/ru.7", "writer/mnli/sw.6"}
    spec = made["writer/mnli/sw.6"].spec
    assert spec["language"] == "Swahili" and spec["rows"] == 6 and spec["shots"] == 3
    assert spec["labels"] == ["entailment", "neutral", "contradiction"]
    assert spec["engine"] == "transformers" and spec["max_tokens"] == 512
    assert "Answer with one JSON object" in spec["prompt"]
    [variant] = grid.experiment.variants
    assert variant == f"writer-20-3-{digest(['de', 'ru', 'sw'])[:4]}.none"
    assert set(nodes_of("filter", grid)) == {f"{variant}/mnli/{c}" for c in ("de", "ru", "sw")}
    training = nodes_of("intermediate", grid)["m/made/seed1"]
    encoded = f"results/encoded/m/synthetic/{variant}/mnli/de.train.256.safetensors"
    assert encoded in training.inputs["train"] and len(training.inputs["train"]) == 3
    assert training.inputs["dev_rows"] == ("results/data/mnli/en.dev.parquet",)
    [member] = grid.mixture("made")
    assert member.languages == ("de", "ru", "sw") and not member.dealt


def test_a_decoder_is_pinned_and_fetched_once():
    grid = grid_of(entry() | {"squad": {"tasks": ["squad"], "generated": GIVEN}})
    [decoder] = nodes_of("generator", grid).values()
    assert decoder.key == "results/generators/writer/node.json"
    assert decoder.spec["from"] == "Qwen/Qwen3-8B" and decoder.pins == {"models/Qwen/Qwen3-8B"}
    [pin] = nodes_of("pin_generator", grid).values()
    assert pin.spec["name"] == "Qwen/Qwen3-8B" and pin.spec["of"] == "models"
    assert decoder.inputs == {"pin": (pin.key,)}
    for node in nodes_of("generate", grid).values():
        assert node.inputs["generator"] == (decoder.key,)
        assert node.spec["generator"] == digest(decoder.spec)
        assert "models/Qwen/Qwen3-8B" in node.pins


def test_english_beside_generated_rows():
    grid = grid_of(entry(keep_english=True, languages=["de", "ru"]))
    [member] = grid.mixture("made")
    assert member.languages == ("de", "en", "ru")
    assert dict(member.variants) == dict.fromkeys(
        ("de", "ru"), f"writer-20-2-{digest(['de', 'ru'])[:4]}.none"
    )
    assert nodes_of("generate", grid).keys() == {"writer/mnli/de.10", "writer/mnli/ru.10"}


def test_english_may_be_what_is_generated():
    [member] = grid_of(entry(languages=["en"])).mixture("made")
    assert member.languages == ("en",) and member.variants == {
        "en": f"writer-20-1-{digest(['en'])[:4]}.none"
    }


def test_two_filters_share_what_is_generated():
    own = {"filters": {"loose": {}}, "generators": {"writer": {"seed": 7}}}
    two = entry() | {"second": {"tasks": ["mnli"], "generated": GIVEN | {"filter": "loose"}}}
    grid = grid_of(two, **own)
    made = nodes_of("generate", grid)
    assert len(made) == 3 and len(nodes_of("filter", grid)) == 6
    assert all(node.spec["seed"] == 7 for node in made.values())


def test_in_the_toy_world_the_grammar_writes_what_there_is_room_for():
    grid = make(**HUB | TOY, targets=["xnli"], languages=["de"], seeds=[1], tasks={},
                intermediates=entry(languages=["de", "fr", "ru"]))  # fmt: skip
    made = nodes_of("generate", grid)
    assert set(made) == {"writer/mnli/de.5", "writer/mnli/ru.4"}
    spec = made["writer/mnli/de.5"].spec
    assert (
        spec["engine"] == "toy" and "temperature" not in spec and spec["mistakes"]["copy"] == 0.02
    )
    assert not nodes_of("generator", grid)
    task = grid.tasks["mnli"]
    assert generated.languages_of(["fr"], task, grid.experiment.settings) == ("de",)


def test_a_prompt_is_read_from_the_folder_of_the_config(tmp_path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/mnli.md").write_text("{language} {label} {examples}")
    told = config_files.anchored(
        {"intermediates": entry(prompt="prompts/mnli.md")}, tmp_path / "c.yaml"
    )
    grid = grid_of(told["intermediates"])
    specs = [node.spec for node in nodes_of("generate", grid).values()]
    assert {spec["prompt"] for spec in specs} == {"{language} {label} {examples}"}
    (tmp_path / "prompts/mnli.md").write_text("{language}: {label} {examples}")
    assert digest(specs[0]) != digest(
        next(iter(nodes_of("generate", grid_of(told["intermediates"])).values())).spec
    )


def test_an_empty_prompt_or_source_stays_empty_for_the_schema(tmp_path):
    told = config_files.anchored(
        {"source": "", "intermediates": entry(prompt="")}, tmp_path / "c.yaml"
    )
    assert refused(**told).splitlines() == [
        "config: intermediates: made: generated: prompt: must not be empty",
        "config: source: must not be empty",
    ]


def test_two_prompts_for_the_same_rows(tmp_path):
    (tmp_path / "own.md").write_text("{language} {label} {examples}")
    own = {"second": {"tasks": ["mnli"], "generated": GIVEN | {"prompt": str(tmp_path / "own.md")}}}
    assert refused(entry() | own) == (
        "intermediates: second: generated: prompt: `made` asks `writer` for rows of `mnli` by"
        " another one; give the generator a second name in `generators` for this one"
    )


@pytest.mark.parametrize(
    ("intermediates", "line"),
    [
        (entry(by="writr"), "generated: by: there is no generator `writr`; did you mean `writer`?"),
        (entry(languages=["deu"]), "languages: there is no language `deu`; did you mean `de`?"),
        (entry(languages=["german"]), "there is no language `german`; did you mean `de`?"),
        (entry(filter="bsic"), "filter: there is no filter `bsic`"),
        (
            entry(rows=8),
            "rows: 8 are fewer than the 3 languages, each with 3 labels: ask for 9 or more",
        ),
        (entry("squad", rows=2), "rows: 2 are fewer than the 3 languages: ask for 3 or more"),
        (entry("vqa"), "generated: `vqa` has pictures, which a decoder does not draw"),
        (entry(more={"rows": 21}), "made: rows: 21, but 20 are generated; ask for fewer"),
        (entry(more={"languages": ["en"]}), "trained on, so leave `languages` out"),
        (
            entry("udpos_en"),
            "`udpos_en` is of format tagging, whose rows are not generated (of classification,",
        ),
        (entry("squad2"), "`squad2` has questions without an answer, which are not generated"),
        (
            entry(languages=["en", "de"], keep_english=True),
            "languages: en is generated, so its own rows are not kept beside",
        ),
        (entry("mnli_translated"), "trained in? say `train_language` in its entry, of ar"),
        (entry(prompt="/no/where.md"), "prompt: /no/where.md: there is no such file"),
        (
            {"made": {"tasks": ["mnli", "squad"], "generated": GIVEN}},
            "generated: is of one task, by one prompt, and there are mnli, squad; train on them",
        ),
    ],
)  # fmt: skip
def test_mistakes_of_an_intermediate(intermediates, line):
    said = refused(intermediates, vision={"d": {"from": "facebook/dinov2-base"}})
    assert said.startswith("intermediates: made: ") and line in said and "\n" not in said


@pytest.mark.parametrize(
    ("generator", "line"),
    [
        ({}, "from: is missing: a hub id or a folder of a decoder that is tuned to follow instru"),
        ({"model": "n"}, "model: there is no model `n`"),
        ({"model": "m", "revision": "x"}, "revision: is that of its `model`; leave one of them"),
        ({"model": "m"}, "FacebookAI/xlm-roberta-base is of the kind encoder, and only a decoder"),
        ({"from": "google/umt5-base"}, "is of the kind encoder-decoder, and only a decoder writes"),
        ({"engine": "toy"}, "engine: toy knows the toy world alone (source: toy)"),
        (
            {"from": "Qwen/Qwen3-8B", "mistakes": {"copy": 0.1}},
            "mistakes: are of the toy world (source: toy)",
        ),
    ],
)  # fmt: skip
def test_mistakes_of_a_generator(generator, line):
    over = {"models": {"m": {"from": "FacebookAI/xlm-roberta-base"}}}
    said = refused(entry(by="other"), generators={"other": generator}, **over)
    assert said.startswith("generators: other: ") and line in said and "\n" not in said


def test_a_generator_may_be_a_model_of_the_grid():
    models = {"q": {"from": "Qwen/Qwen3-4B", "revision": "r"}}
    grid = grid_of(entry(by="q4"), models=models, generators={"q4": {"model": "q"}})
    [decoder] = nodes_of("generator", grid).values()
    assert (decoder.spec["from"], decoder.spec["revision"]) == ("Qwen/Qwen3-4B", "r")


def test_a_translator_and_a_generator_have_two_names():
    said = refused(entry(), translators={"writer": {"engine": "command", "run": "cat"}})
    assert said == (
        "generators: writer: a translator is called so, too; give one of them another name"
    )


def test_a_mistake_in_a_prompt_is_found_before_anything_runs(tmp_path):
    (tmp_path / "own.md").write_text("{langage} {label} {examples}")
    said = refused(entry(prompt=str(tmp_path / "own.md")))
    assert said == (
        f"intermediates: made: generated: prompt: {tmp_path}/own.md: there is no field"
        " {langage}; did you mean `language`? (valid: language, code, label, meaning, examples,"
        " fields, choices)"
    )


def test_its_rows_are_those_that_are_generated():
    for more, rows in ({}, 20), ({"rows": 15}, 15):
        grid = grid_of(entry(more=more))
        assert traits.of(grid.experiment).value("intermediate", "made", "rows") == rows
    both = traits.of(grid_of(entry(keep_english=True)).experiment)
    assert both.value("intermediate", "made", "rows") == 20 + 392702


def test_the_estimate_knows_how_many_rows_there_are(tmp_path):
    grid = grid_of(entry(languages=["de"], rows=1000))
    nodes = graph.build(grid)
    sizes = DataSizes(tmp_path, grid)
    made = sizes.of("m", "mnli", "de", "train", 256, f"writer-1000-1-{digest(['de'])[:4]}.none")
    assert made.rows == 1000 and made.tokens == 44 * 1000
    [written] = (key for key, node in nodes.items() if node.rule == "generate")
    seconds, basis = Translations(grid, nodes, tmp_path).seconds(written)
    assert seconds == pytest.approx(1.2 * 44 * 1000 * 4.5 / 8000) and basis == "engine"


def test_a_filter_of_sources_alone_is_none_of_generated_rows():
    said = refused(entry(filter="like"), filters={"like": {"length_ratio": {"min": 0.5}}})
    assert "filter: `like` asks how rows are beside their sources alone" in said
