"""The deal of rows to languages: each once, nested, stable, in shares that are about equal."""
# ruff: noqa: F811 (fixtures of another module are imported)

import argparse
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import helpers
from tests.training.test_loop import Node, classification_rows, folder, tokenizer  # noqa: F401

from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json
from xstilts.steps import train as train_step
from xstilts.training import deal

LANGUAGES = ["ar", "de", "en", "fr", "ru"]


def dealt(rows, count=None, seed=1, **spec):
    """Return language -> ids that are read in it, of language -> ids that there are."""
    tables = {k: pa.table({"id": pa.array(ids, pa.string())}) for k, ids in rows.items()}
    wanted = {"task": "t", **({} if count is None else {"rows": count}), **spec}
    chosen = deal.draw(tables, {k: f"{k}.parquet" for k in rows}, wanted, seed, "x")
    return {lang: [rows[lang][i] for i in found] for lang, found in chosen.items()}


def where(found):
    return {one: lang for lang, ids in found.items() for one in ids}


def test_the_deal_stays_what_it_is():
    """SplitMix64's own first numbers from the seed 0 say that the last step is its."""
    states = np.arange(1, 4, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    zero = np.uint64(deal._hash(""))
    first = [f"{n:016x}" for n in deal._mixed(states ^ zero, "")]
    assert first == ["e220a8397b1dcdaf", "6e789e6aa1b965f4", "06c45d188009454f"]
    ids = [str(i) for i in range(8)]
    assert dealt({"de": ids, "en": ids}) == {"de": DE, "en": [i for i in ids if i not in DE]}


DE = ["1", "3", "4", "5", "6"]


@given(
    st.lists(st.text(max_size=4), unique=True, min_size=1, max_size=40),
    st.integers(0, 2**32 - 1),
    st.data(),
)
@settings(max_examples=30, deadline=None)
def test_every_row_goes_to_one_language_a_sample_of_them_likewise(ids, seed, data):
    rows = {lang: data.draw(st.permutations(ids)) for lang in LANGUAGES[:3]}
    whole = dealt(rows, seed=seed)
    assert sorted(one for found in whole.values() for one in found) == sorted(ids)
    some = data.draw(st.integers(1, len(ids)))
    sample = dealt(rows, some, seed)
    assert len(where(sample)) == some == sum(map(len, sample.values()))
    assert where(sample).items() <= where(whole).items()
    more = dealt({**rows, "fr": ids}, seed=seed)
    assert all(where(more)[one] in (lang, "fr") for one, lang in where(whole).items())


def test_shares_are_about_equal_and_seeds_deal_otherwise():
    ids = [str(i) for i in range(20_000)]
    found = dealt({lang: ids for lang in LANGUAGES})
    sizes = np.array([len(of) for of in found.values()])
    # 4,000 each, with a deviation of 57; of the pairs of two seeds' deals each 800, with 28.
    assert np.abs(sizes - 4000).max() < 4 * 57
    one, other = (where(dealt({lang: ids for lang in LANGUAGES}, seed=s)) for s in (1, 2))
    pairs = np.zeros((5, 5))
    for row in ids:
        pairs[LANGUAGES.index(one[row]), LANGUAGES.index(other[row])] += 1
    assert np.abs(pairs - 800).max() < 4.5 * 28
    parts = dealt({lang: ids for lang in LANGUAGES}, 5000)
    assert np.abs(np.array([len(of) for of in parts.values()]) - 1000).max() < 4 * 29


def test_a_row_that_a_language_lacks_goes_to_one_that_has_it():
    ids = [str(i) for i in range(50)]
    lost = {"7", "8", "30"}
    rows = {"en": ids, "de": [i for i in ids if i not in lost]}
    found = dealt(rows)
    assert sorted(where(found)) == sorted(ids) and lost <= {*found["en"]}
    whole = where(dealt({"en": ids, "de": ids}))
    assert all(where(found)[i] == whole[i] for i in rows["de"])


def test_files_of_other_rows_are_one_line():
    ids = [f"q{i}" for i in range(4)]
    with pytest.raises(UserError) as error:
        dealt({"en": ids, "de": ["q0", "x1", "x2"]})
    assert str(error.value) == (
        "de.parquet: lacks 3 of the 4 rows of en.parquet, `q1` first; `translations: dealt` needs"
        " the same rows, by id, in every language"
    )
    with pytest.raises(UserError, match=r"^intermediates: x: rows: 5, but t has 4 train rows; ask"):
        dealt({"en": ids, "de": ids}, 5)
    assert len(where(dealt({"en": ids, "de": ids}, rows_at_most=5))) == 4


def test_rows_of_one_id_and_other_labels_are_one_line():
    rows = {
        lang: pa.table({"id": ["0", "1", "2"][:n], "label": ["yes", last, "no"][:n]})
        for lang, last, n in (("de", "no", 2), ("en", "yes", 3))
    }
    with pytest.raises(UserError) as error:
        deal.draw(rows, {"de": "de.parquet", "en": "en.parquet"}, {"task": "t"}, 1, "x")
    assert str(error.value) == (
        "en.parquet: row `1` is `yes`, in de.parquet it is `no`; `translations: dealt` needs the"
        " same rows, by id, in every language"
    )


def test_a_training_reads_each_row_in_one_language_and_says_how_many(folder, tokenizer, tmp_path):
    node = Node(tmp_path, tokenizer)
    train, rows, specs = [], [], {}
    for lang in ("de", "en"):
        lines = [
            {**row, "id": str(i)} for i, row in enumerate(classification_rows(48, 1, node.labels))
        ]
        data = helpers.encode(tokenizer, "classification", lines, node.labels, lang=lang)
        train.append(str(helpers.write_encoded(tmp_path / f"{lang}.safetensors", data)))
        rows.append(str(tmp_path / f"{lang}.parquet"))
        helpers.write_rows(rows[-1], "classification", lines)
        specs[lang] = digest(data.meta["spec"])
    shared = {key: node.spec[key] for key in ("task", "format", "labels", "metric")}
    task = {**shared, "batch_size": 16, "train": specs, "dev": {"en": node.spec["dev"]}}
    task |= {"rows": 32, "translations": "dealt"}
    spec = {
        "kind": "train", "seed": 1, "cap": None, "tasks": [task], "recipe": node.spec["recipe"],
        "parent": digest(read_json(folder / "node.json")["spec"]),
    }  # fmt: skip
    args = argparse.Namespace(
        spec=json.dumps(spec), init=str(folder), train=train, train_rows=rows,
        dev=[str(tmp_path / "dev.safetensors")], dev_rows=[str(tmp_path / "dev.parquet")],
        budget=2000, state=str(tmp_path / "state"), save_every=600, lock_wait=0, sharding="none",
        compiled="no", checkpointing="auto", chosen="", trial="no", trackers=[],
        subset="", features=[], recorded="", leaks=[], out=str(tmp_path / "out"),
    )  # fmt: skip
    train_step.main(args)
    record = read_json(tmp_path / "out/node.json")
    assert record["rows"]["train"] == record["examples"] == 32
    drawn = record["drawn"]["toy classification"]
    assert sum(of["rows"] for of in drawn.values()) == 32 and all(
        of["rows"] for of in drawn.values()
    )
    assert record["steps"] == 2, "an epoch of 32 rows in batches of 16"
    # Another deal would be another training.
    lines = [
        {**row, "id": f"{i}x"} for i, row in enumerate(classification_rows(48, 1, node.labels))
    ]
    for path in rows:
        helpers.write_rows(path, "classification", lines)
    assert train_step.fingerprint_of(args, spec) != record["fingerprint"]


def test_translated_rows_may_lack_any_number():
    """A filter may drop most of a language: these rows are read in the others."""
    rows = {"de": pa.table({"id": ["3"]}), "en": pa.table({"id": [str(n) for n in range(8)]})}
    paths = {"de": "results/synthetic/t.strict/mnli/de.train.parquet", "en": "en.parquet"}
    chosen = deal.draw(rows, paths, {"task": "mnli"}, 1, "x")
    assert sum(map(len, chosen.values())) == 8
    with pytest.raises(UserError, match="lacks 7 of the 8 rows"):
        deal.draw(rows, paths | {"de": "de.parquet"}, {"task": "mnli"}, 1, "x")
