"""The mirror on disk: right spans, parallel languages, the same bytes, and the real loader."""

import pytest

from xstilts.toy import catalogue, mirror, schema, spec

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
    seen = 0
    for table in tables.values():
        for row in table.rows if "answers" in table.features else []:
            (text,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
            assert text and row["context"][start : start + len(text)] == text
            seen += 1
    assert seen == 60 + 12 + 6 * 12


def test_parallel_sets_have_the_same_labels_in_every_language(tables):
    for split in ("validation", "test"):
        labels = [
            [row["label"] for row in tables["facebook/xnli", code, split].rows]
            for code in ("en", "de", "ru", "ar", "hi", "zh")
        ]
        assert all(column == labels[0] for column in labels)
        assert sorted(labels[0]) == [0] * 4 + [1] * 4 + [2] * 4


def test_training_and_evaluation_items_differ(tables):
    for repository, config, fields in (
        ("nyu-mll/glue", "mnli", ("premise", "hypothesis")),
        ("rajpurkar/squad", "plain_text", ("context",)),
        ("Rowan/hellaswag", "default", ("ctx",)),
        ("google/xtreme", "udpos.English", ("tokens",)),
    ):
        rows = [
            str([row[name] for name in fields])
            for (where, what, _), table in tables.items()
            if (where, what) == (repository, config)
            for row in table.rows
        ]
        assert len(set(rows)) == len(rows), repository


def test_stories_have_four_different_endings_and_join_up(tables):
    for row in tables["Rowan/hellaswag", "default", "train"].rows:
        assert row["ctx"] == f"{row['ctx_a']} {row['ctx_b']}"
        assert len(set(row["endings"])) == 4
        assert row["label"] in {"0", "1", "2", "3"}


def test_tags_and_retrieval_pools(tables):
    for table in tables.values():
        if table.features is schema.UDPOS:
            assert all(len(row["tokens"]) == len(row["pos_tags"]) for row in table.rows)
        if table.features is schema.TATOEBA:
            for side in ("source_sentence", "target_sentence"):
                said = [row[side] for row in table.rows]
                assert len(set(said)) == len(said)
                assert all(text.endswith("\n") for text in said)


def test_the_same_spec_gives_the_same_bytes(written, tmp_path):
    mirror.write(spec.parse(SMALL), tmp_path)
    assert contents(written) == contents(tmp_path)


def test_files_of_an_earlier_mirror_go(tmp_path):
    mirror.write(spec.parse({**SMALL, "languages": ["en", "de", "hi"]}), tmp_path)
    mirror.write(spec.parse({**SMALL, "languages": ["en", "de"]}), tmp_path)
    assert not [name for name in contents(tmp_path) if "hin" in name or "/hi/" in name]


def test_a_language_does_not_change_the_others(written, tmp_path):
    mirror.write(spec.parse({**SMALL, "languages": ["en", "de"]}), tmp_path)
    whole = contents(written)
    for name, content in contents(tmp_path).items():
        if name.endswith(".parquet"):
            assert content == whole[name], name


@pytest.mark.parametrize(
    ("repository", "config", "features"),
    [
        ("google/xtreme", "udpos.German", schema.UDPOS),
        ("google/xtreme", "tatoeba.cmn", schema.TATOEBA),
        ("google/xquad", "xquad.hi", schema.SPAN),
        ("facebook/xnli", "ar", schema.XNLI),
        ("nyu-mll/glue", "mnli", schema.GLUE_PAIR),
        ("Rowan/hellaswag", "default", schema.HELLASWAG),
        ("rajpurkar/squad", "plain_text", schema.SQUAD),
    ],
)
def test_the_real_loader_reads_it(written, tmp_path, repository, config, features):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(
        str(written / "datasets" / repository), config, cache_dir=str(tmp_path)
    )
    split = next(iter(loaded.values()))
    assert split.features.to_dict() == datasets.Features.from_dict(features).to_dict()
    assert split.num_rows in (12, 60)
