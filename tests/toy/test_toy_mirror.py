"""The mirror on disk: right rows, parallel languages, the same bytes, and the real loader."""

import json
from collections import Counter
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from xstilts.data import checklist
from xstilts.experiment import tasks
from xstilts.toy import catalogue, mirror, nli, schema, spec, strata
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.lexicon import LANGUAGES

REAL = Path("../shared/data/datasets")
INFERENCE = nli.Inference(
    Clause(Thing("tom"), "eat", Thing("bread")),
    Clause(Thing("tom"), "eat", Thing("food")),
    "entailment",
)
SMALL = {"seed": 3, "sizes": {"train": 60, "dev": 12, "test": 12}}


@pytest.fixture(scope="module")
def tables():
    made = catalogue.tables(spec.parse(SMALL))
    return {(t.repository, t.config, t.split): t for t in made}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("mirror")
    mirror.write(spec.parse(SMALL), out)
    return out


def contents(folder):
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_answers_are_substrings_where_they_are_said_to_start(tables):
    seen, unanswered = 0, 0
    for table in tables.values():
        for row in (
            table.rows if "context" in table.features and "answers" in table.features else []
        ):
            assert row["question"].endswith(("?", "؟", "？"))
            if table.repository == "rajpurkar/squad_v2" and not row["answers"]["text"]:
                assert row["answers"] == {"text": [], "answer_start": []}
                unanswered += 1
                continue
            (text,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
            assert text and row["context"][start : start + len(text)] == text
            seen += 1
    squad, xquad, mlqa, tydi = (2 + 6) * (60 + 12), 6 * 12, 5 * (12 + 12), 60 + 2 * 15 + 3 * 12
    assert seen + unanswered == squad + 2 * xquad + mlqa + tydi, "LAReQA is XQuAD, too"
    assert 10 < unanswered < 40


def test_parallel_sets_have_the_same_labels_in_every_language(tables):
    for split in ("validation", "test"):
        labels = [
            [row["label"] for row in tables["facebook/xnli", code, split].rows]
            for code in ("en", "de", "ru", "ar", "hi", "zh")
        ]
        assert all(column == labels[0] for column in labels)
        assert sorted(labels[0]) == [0] * 4 + [1] * 4 + [2] * 4


def test_translated_training_data_is_that_of_mnli(tables):
    english = tables["nyu-mll/glue", "mnli", "train"].rows
    same = tables["facebook/xnli", "en", "train"].rows
    bare = [{name: row[name] for name in schema.XNLI} for row in same]
    assert [{**row, "idx": i} for i, row in enumerate(bare)] == english
    for code in ("de", "ru", "ar", "hi", "zh"):
        rows = tables["facebook/xnli", code, "train"].rows
        assert [row["label"] for row in rows] == [row["label"] for row in english]
        assert all(a["premise"] != b["premise"] for a, b in zip(rows, english, strict=True))


def test_translated_squad_has_the_ids_of_the_english_questions(tables):
    for split in ("train", "validation"):
        english = tables["rajpurkar/squad", "plain_text", split].rows
        assert tables["local/squad-translated", "en", split].rows == english
        for code in ("de", "ru", "ar", "hi", "zh"):
            rows = tables["local/squad-translated", code, split].rows
            assert [row["id"] for row in rows] == [row["id"] for row in english]
            assert not {row["question"] for row in rows} & {row["question"] for row in english}


def test_pawsx_is_parallel(tables):
    for split in ("train", "validation", "test"):
        of = {
            code: tables["google-research-datasets/paws-x", code, split].rows
            for code in ("en", "de", "zh")
        }
        for field in ("id", "label"):
            columns = [[row[field] for row in rows] for rows in of.values()]
            assert columns == [columns[0]] * 3


def test_test_labels_are_hidden_where_the_hub_hides_them(tables):
    for key, field, hidden in (
        (("nyu-mll/glue", "mnli", "test_matched"), "label", -1),
        (("nyu-mll/glue", "mnli", "test_mismatched"), "label", -1),
        (("nyu-mll/glue", "qqp", "test"), "label", -1),
        (("allenai/cosmos_qa", "default", "test"), "label", -1),
        (("Rowan/hellaswag", "default", "test"), "label", ""),
        (("tau/commonsense_qa", "default", "test"), "answerKey", ""),
    ):
        assert {row[field] for row in tables[key].rows} == {hidden}
    assert {row["label"] for row in tables["aps/super_glue", "copa", "test"].rows} == {-1}
    for repository in ("facebook/xnli", "google-research-datasets/paws-x"):
        assert -1 not in {row["label"] for row in tables[repository, "en", "test"].rows}


def test_some_rows_of_snli_have_no_label(tables):
    labels = [row["label"] for row in tables["stanfordnlp/snli", "plain_text", "train"].rows]
    assert len(labels) == 30 and set(labels) == {0, 1, 2}
    made = catalogue.classification.snli_rows([INFERENCE] * 100)
    assert [i for i, row in enumerate(made) if row["label"] == -1] == [49, 99]


def test_a_round_of_anli_puts_more_sentences_around_the_premise(tables):
    for number in (1, 2, 3):
        rows = tables["facebook/anli", "plain_text", f"dev_r{number}"].rows
        assert all(row["premise"].count(".") == number + 1 for row in rows)


def test_training_and_evaluation_items_differ(tables):
    for repository, config, fields in (
        ("nyu-mll/glue", "mnli", ("premise", "hypothesis")),
        ("nyu-mll/glue", "qqp", ("question1",)),
        ("google-research-datasets/paws-x", "zh", ("sentence1",)),
        ("facebook/anli", "plain_text", ("premise", "hypothesis")),
        ("stanfordnlp/snli", "plain_text", ("premise", "hypothesis")),
        ("rajpurkar/squad", "plain_text", ("context",)),
        ("rajpurkar/squad_v2", "squad_v2", ("context",)),
        ("google/xtreme", "MLQA.zh.zh", ("context",)),
        ("google-research-datasets/tydiqa", "secondary_task", ("context",)),
        ("Rowan/hellaswag", "default", ("ctx",)),
        ("allenai/cosmos_qa", "default", ("context", "question")),
        ("tau/commonsense_qa", "default", ("question", "choices")),
        ("lighteval/siqa", "default", ("context", "answerA", "answerB", "answerC")),
        ("aps/super_glue", "copa", ("premise", "choice1", "choice2")),
        ("local/mewslix", "wikipedia_pairs", ("entity",)),
        ("google/xtreme", "udpos.English", ("tokens",)),
        ("unimelb-nlp/wikiann", "de", ("tokens", "ner_tags")),
        ("local/ccg-pmb", "en", ("tokens",)),
    ):
        rows = [
            str([row[name] for name in fields])
            for (where, what, _), table in tables.items()
            if (where, what) == (repository, config)
            for row in table.rows
        ]
        assert len(set(rows)) == len(rows) > 12, repository


def test_stories_have_four_different_endings_and_join_up(tables):
    for row in tables["Rowan/hellaswag", "default", "train"].rows:
        assert row["ctx"] == f"{row['ctx_a']} {row['ctx_b']}"
        assert len(set(row["endings"])) == 4
        assert row["label"] in {"0", "1", "2", "3"}


def test_xcopa_is_copa_in_another_language(tables):
    for split in ("validation", "test"):
        english = tables["aps/super_glue", "copa", split].rows
        chinese = tables["cambridgeltl/xcopa", "zh", split].rows
        assert [r["question"] for r in english] == [r["question"] for r in chinese]
        assert {r["question"] for r in english[:2]} == {"effect", "cause"}
        assert {r["label"] for r in chinese} == {0, 1}
        if split == "validation":
            assert [r["label"] for r in english] == [r["label"] for r in chinese]
    assert ("cambridgeltl/xcopa", "de", "test") not in tables, "which the hub has not"


def test_sentences_of_lareqa_are_whole_and_hold_the_answers(tables):
    for code in ("en", "ar", "zh"):
        rows = tables["local/lareqa", code, "validation"].rows
        assert [r["question"] for r in rows] == [
            r["question"] for r in tables["google/xquad", f"xquad.{code}", "validation"].rows
        ]
        for row in rows:
            said = [row["context"][slice(*span)] for span in row["sentence_breaks"]]
            assert len(said) == 4 and all(text[-1] in ".。।" for text in said)
            assert ("" if code == "zh" else " ").join(said) == row["context"]
            (text,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
            assert sum(a <= start < start + len(text) <= b for a, b in row["sentence_breaks"]) == 1


def test_mentions_are_of_entities_that_are_candidates(tables):
    for split in ("dev", "test"):
        pool = {r["entity_id"]: r for r in tables["local/mewslix", "candidates", split].rows}
        assert {r["description_language"] for r in pool.values()} == {*LANGUAGES}
        of = {c: tables["local/mewslix", c, split].rows for c in ("en", "de", "ar")}
        ids = [[m["entity_id"] for r in rows for m in r["mentions"]] for rows in of.values()]
        assert ids[0] == ids[1] == ids[2] and {*ids[0]} < {*pool}
        for row in (row for rows in of.values() for row in rows):
            span, context = row["mentions"][0]["mention_span"], row["context"]
            assert context["text"][span["start"] : span["end"]] == span["text"]
            inside = [
                s for s in context["sentence_spans"] if s["start"] <= span["start"] < s["end"]
            ]
            assert len(inside) == 1
    train = tables["local/mewslix", "wikipedia_pairs", "train"].rows
    assert not {r["entity"]["entity_id"] for r in train} & {*pool}


def test_the_templates_are_such_that_cases_can_be_made(written):
    folder = written / "datasets/local/multichecklist"
    files = folder / checklist.TEMPLATES, folder / checklist.NAMES
    found = {code: checklist.rows(*files, code) for code in LANGUAGES}
    assert len({tuple(row["id"] for row in rows) for rows in found.values()}) == 1
    for rows in found.values():
        assert {row["test"] for row in rows} == {"animal_vehicle", "animal_vehicle_v2"}
        assert all(row["answers"]["answer_start"][0] >= 0 for row in rows)
    assert not (folder / "README.md").exists()


def test_tags_and_retrieval_pools(tables):
    for table in tables.values():
        if names := {"pos_tags", "ner_tags", "tags"} & set(table.features):
            assert all(len(row["tokens"]) == len(row[n]) for n in names for row in table.rows)
        if table.features is schema.TATOEBA:
            for side in ("source_sentence", "target_sentence"):
                said = [row[side] for row in table.rows]
                assert len(set(said)) == len(said)
                assert all(text.endswith("\n") for text in said)


def test_bucc_has_two_pools_with_translations_in_both(tables):
    table = tables["local/bucc2018", "de", "dev"]
    pools = {
        side: {row["id"]: row["text"] for row in table.rows if row["side"] == side}
        for side in ("source", "target")
    }
    assert [len(pool) for pool in pools.values()] == [30, 30]
    assert all(len(set(pool.values())) == 30 for pool in pools.values())
    assert next(iter(pools["source"])) == "de-000000001"
    assert next(reversed(pools["target"])) == "en-000000030"
    assert len(table.gold) == len(dict(table.gold)) == len({b for _, b in table.gold}) == 6
    assert all(a in pools["source"] and b in pools["target"] for a, b in table.gold)
    names = ("Tom", "Anna", "Berlin", "Lina", "Adam", "Sara", "Peter", "Omar", "Maria", "Delhi")
    for a, b in table.gold:
        for name in names:
            assert (name in pools["source"][a]) == (name in pools["target"][b])


def test_gold_pairs_are_in_a_file_beside_the_pools(written, tables):
    folder = written / "datasets/local/bucc2018/zh"
    lines = (folder / "test.gold.tsv").read_text().splitlines()
    gold = tables["local/bucc2018", "zh", "test"].gold
    assert [tuple(line.split("\t")) for line in lines] == list(gold)


def test_tydiqa_tells_languages_apart_by_the_ids(tables):
    for split, counts in (("train", [60, 15, 15]), ("validation", [12, 12, 12])):
        rows = tables["google-research-datasets/tydiqa", "secondary_task", split].rows
        found = [row["id"].split("-")[0] for row in rows]
        assert [found.count(name) for name in ("english", "russian", "arabic")] == counts
        assert {row["title"] for row in rows} == {""}


def test_families_say_which_repositories_they_make():
    small = spec.parse({"sizes": {"train": 3, "dev": 3, "test": 3}})
    for family in catalogue.CATALOGUE:
        made = {table.repository for table in family.make(small)}
        assert made == set(family.repositories), family.make.__name__


@pytest.mark.parametrize("name", ["facebook/xnli", "google/xtreme", "local/bucc2018"])
def test_a_repository_is_the_same_whichever_others_are_written(written, tmp_path, name):
    mirror.write(spec.parse(SMALL), tmp_path, name)
    whole = contents(written)
    starts = (f"datasets/{name}/", f"manifests/{name}.json")
    assert contents(tmp_path) == {k: v for k, v in whole.items() if k.startswith(starts)}


def test_what_the_toy_world_lacks_has_an_empty_manifest(tmp_path):
    mirror.write(spec.parse(SMALL), tmp_path, "who/knows")
    (name,) = contents(tmp_path)
    assert name == "manifests/who/knows.json"
    assert json.loads((tmp_path / name).read_text())["files"] == {}


def test_the_same_spec_gives_the_same_bytes(written, tmp_path):
    mirror.write(spec.parse(SMALL), tmp_path)
    assert contents(written) == contents(tmp_path)


def test_another_seed_gives_other_rows_of_every_data_set(tables):
    other = {(t.repository, t.config, t.split): t for t in catalogue.tables(spec.parse(OTHER))}
    assert other.keys() == tables.keys()
    for name, table in tables.items():
        for one, two in zip(table.rows, other[name].rows, strict=True):
            assert any(one[key] != two[key] for key in one.keys() - NUMBERS), (name, one)


OTHER = {**SMALL, "seed": 4}
# Fields that number a row or say which answer is right, and so can hide that the text is the same.
NUMBERS = {"id", "idx", "uid", "ind", "source_id", "label", "answerKey", "url"}


def test_another_seed_gives_another_start_of_the_encoder(monkeypatch):
    torch = pytest.importorskip("torch")
    from xstilts.toy import pretrain, vocabulary

    threads = torch.get_num_threads()
    monkeypatch.setattr(pretrain, "THREADS", threads)
    monkeypatch.setattr(vocabulary, "SENTENCES", 1000)
    fixed = vocabulary.train_tokenizer(Random(1), ("en", "zh"))
    monkeypatch.setattr(vocabulary, "train_tokenizer", lambda rng, languages: fixed)
    tiny = {"languages": ["en", "zh"], "pretrain": {"steps": 0, "layers": 2, "width": 32}}
    first, again, other = (
        pretrain.train(spec.parse({**tiny, "seed": seed}))[0].state_dict() for seed in (1, 1, 2)
    )
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    for name in ("embeddings.word_embeddings", "encoder.layer.0.attention.self.query"):
        assert not torch.equal(first[f"{name}.weight"], other[f"{name}.weight"]), name


def test_files_of_an_earlier_mirror_go(tmp_path):
    mirror.write(spec.parse({**SMALL, "languages": ["en", "de", "hi"]}), tmp_path)
    mirror.write(spec.parse({**SMALL, "languages": ["en", "de"]}), tmp_path)
    assert not [name for name in contents(tmp_path) if "hin" in name or "/hi/" in name]


def test_a_language_does_not_change_the_others(written, tmp_path):
    mirror.write(spec.parse({**SMALL, "languages": ["en", "de"]}), tmp_path)
    whole = contents(written)
    for name, content in contents(tmp_path).items():
        of_all = "tydiqa" in name or "mewslix/candidates" in name  # one file for all languages
        if name.endswith(".parquet") and not of_all:
            assert content == whole[name], name


@pytest.mark.parametrize(
    ("repository", "config", "features"),
    [
        ("google/xtreme", "udpos.German", schema.UDPOS),
        ("google/xtreme", "tatoeba.cmn", schema.TATOEBA),
        ("google/xtreme", "MLQA.hi.hi", schema.MLQA),
        ("google/xquad", "xquad.hi", schema.SPAN),
        ("facebook/xnli", "ar", schema.XNLI),
        ("facebook/anli", "plain_text", schema.ANLI),
        ("nyu-mll/glue", "mnli", schema.GLUE_NLI),
        ("nyu-mll/glue", "qqp", schema.QQP),
        ("Rowan/hellaswag", "default", schema.HELLASWAG),
        ("allenai/cosmos_qa", "default", schema.COSMOSQA),
        ("tau/commonsense_qa", "default", schema.CSQA),
        ("rajpurkar/squad", "plain_text", schema.SQUAD),
        ("unimelb-nlp/wikiann", "zh", schema.WIKIANN),
        ("local/ccg-pmb", "en", schema.CCG),
        ("local/bucc2018", "ru", schema.BUCC),
        ("lighteval/siqa", "default", schema.SIQA),
        ("aps/super_glue", "copa", schema.COPA),
        ("cambridgeltl/xcopa", "zh", schema.XCOPA),
        ("local/lareqa", "ru", schema.LAREQA),
        ("local/mewslix", "candidates", schema.ENTITY),
        ("local/mewslix", "ar", schema.MENTIONS),
        ("local/mewslix", "wikipedia_pairs", schema.MENTION_PAIR),
        ("mteb/tatoeba-bitext-mining", "deu-eng", schema.TATOEBA_R),
        ("wikimedia/wikipedia", "20231101.ar", schema.WIKIPEDIA),
    ],
)
def test_the_real_loader_reads_it(written, tmp_path, repository, config, features):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(
        str(written / "datasets" / repository), config, cache_dir=str(tmp_path)
    )
    split = next(iter(loaded.values()))
    own = {name: schema.STRING for name in OURS.get((repository, config.split(".")[0]), ())}
    assert split.features.to_dict() == datasets.Features.from_dict({**features, **own}).to_dict()


# The columns for strata, by config without what is of a language.
OURS = {
    ("google/xtreme", "tatoeba"): ["sentence"],
    ("google/xtreme", "MLQA"): ["asks"],
    ("google/xquad", "xquad"): ["asks"],
    ("mteb/tatoeba-bitext-mining", "deu-eng"): ["sentence"],
    ("facebook/xnli", "ar"): ["inference"],
}


def features(path):
    """The names, types and label sets of a parquet file, without our strata."""
    found = pq.read_schema(path)
    listed = json.loads(found.metadata[b"huggingface"])["info"]["features"]
    for name in strata.of_repository("/".join(path.parts[-4:-2])):
        if name in found.names:
            found, _ = found.remove(found.get_field_index(name)), listed.pop(name)
    return found.remove_metadata(), listed


@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} is not there")
def test_fields_types_and_labels_are_those_of_the_real_data(written):
    compared = set()
    for path in sorted((written / "datasets").glob("*/*/*/*.parquet")):
        repository, config = path.parts[-4:-2], path.parts[-2]
        for real in sorted(REAL.joinpath(*repository, config).glob("*.parquet"))[:1]:
            assert features(path) == features(real), real
            compared.add("/".join(repository))
    missing = {r for family in catalogue.CATALOGUE for r in family.repositories} - compared
    assert missing == {
        "local/ccgbank", "local/squad-translated", "nyu-mll/multi_nli", "wikimedia/wikipedia",
        "local/mewslix", "local/multichecklist", "mteb/tatoeba-bitext-mining",
        "AKCIT/coco2017-captioning", "pminervini/VQAv2", "lmms-lab/GQA", "floschne/xgqa",
        "RussianNLP/tape", "dgslibisey/MuSiQue", "local/hotpotqa-x",
    }  # fmt: skip


def test_rows_of_the_toy_world_are_of_classes_that_tables_can_show():
    """The strata of every task that is scored, on as many rows as the default experiment has."""
    small = {"languages": ["en", "de"], "sizes": {"train": 20, "dev": 200, "test": 200}}
    counts = {}
    for table in catalogue.tables(spec.parse(small)):
        for name in strata.of_repository(table.repository):
            if name in table.features and table.split != "train":
                found = Counter(row[name] for row in table.rows)
                counts.setdefault((table.repository, name), []).append(found)
    assert {name for _, name in counts} == {"inference", "change", "asks", "sentence"}
    assert {repository for repository, _ in counts} == set(strata.REPOSITORIES)
    for (_, name), found in counts.items():
        for of_split in found:
            of_split.pop("parts", None)  # inferences without a negation or a new word are rare
            assert len(of_split) >= 2 and min(of_split.values()) >= 20, (name, of_split)
    classes = {name: {c for found in of for c in found} for (_, name), of in counts.items()}
    assert classes == {
        "inference": {"negation", "words"},
        "change": {"roles", "opposites"},
        "asks": {"who", "what", "where", "how-many", "colour"},
        "sentence": {"plain", "joined", "reported"},
    }


def test_the_columns_for_strata_are_those_of_the_known_tasks():
    for task, strata_of in strata.STRATA.items():
        assert set(strata_of.values()) <= set(strata.of_repository(tasks.known()[task]["hub"]))


def test_a_row_has_the_same_class_in_every_language(tables):
    for repository, config, split, name in (
        ("facebook/xnli", "{}", "validation", "inference"),
        ("google/xquad", "xquad.{}", "validation", "asks"),
    ):
        of = [
            [row[name] for row in tables[repository, config.format(code), split].rows]
            for code in ("en", "de", "zh")
        ]
        assert of[0] == of[1] == of[2] and len(set(of[0])) > 1


@pytest.mark.parametrize(
    ("hypothesis", "kind"),
    [
        (Clause(Thing("tom"), "eat", Thing("food")), "words"),
        (Clause(Thing("tom"), "eat", Thing("bread"), negated=True), "negation"),
        (Clause(Thing("tom"), "eat", Thing("bread")), "parts"),
    ],
)
def test_what_an_inference_turns_on(hypothesis, kind):
    premise = Clause(Thing("tom"), "eat", Thing("bread"), place="garden")
    assert strata.inference(nli.Inference(premise, hypothesis, "entailment")) == kind
