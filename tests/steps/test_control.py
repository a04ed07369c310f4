"""The step that makes controls: of files that are read beside each other, a batch at a time."""

import json

import pytest

from xstilts.data import prepare
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json
from xstilts.steps import control
from xstilts.translation import controls, streaming

PASSED = {"de": "0124", "ru": "12367"}  # ids; row 5 passes nowhere
FORMAT = "classification"


def row(number, lang):
    """Return a row in a language."""
    return {"id": number, "text": f"{lang} one {number}", "text_pair": f"{lang} two {number}",
            "label": "a"}  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the step on eight English rows; return the rows of the control."""
    monkeypatch.setattr(streaming, "BATCH", 2)

    def write(name, ids, lang):
        spec = {"hub": "o/d", "format": FORMAT, "name": name}
        path = tmp_path / f"{name}.parquet"
        record = {"spec": spec, "pin": {"revision": "1"}}
        prepare.write(path, [row(one, lang) for one in ids], FORMAT, record)
        return str(path), digest(spec)

    def run(kind, lang="en", made=None, passed=None, **more):
        source, data = write("en", "01234567", "en")
        files = {code: write(code, ids, code) for code, ids in (passed or PASSED).items()}
        back = {
            code: [write(f"{code}-{n}", ids, f"back from {code}") for n, ids in enumerate(shards)]
            for code, shards in (made or {}).items()
        }
        spec = {
            "control": {"kind": kind, "from": "en", **more}, "task": "t", "format": FORMAT,
            "lang": lang, "data": data, "passed": {code: of for code, (_, of) in files.items()},
            "made": {code: [of for _, of in shards] for code, shards in back.items()},
        }  # fmt: skip
        args = [
            "--spec", json.dumps(spec), "--rows", source, "--out", str(tmp_path / "out.parquet"),
            "--record", str(tmp_path / "out.json"),
            "--passed", *(path for path, _ in files.values()),
            "--made", *(path for shards in back.values() for path, _ in shards),
        ]  # fmt: skip
        control.main(control.parser().parse_args(args))
        found = prepare.read(tmp_path / "out.parquet").to_pylist()
        record, about = read_json(tmp_path / "out.json"), prepare.metadata(tmp_path / "out.parquet")
        assert record["rows_kept"] == about["rows_kept"] == len(found)
        assert record["rows_total"] == 8 and about["spec"] == record["spec"] == spec
        return found

    return run


def test_english_of_the_rows_that_pass(run):
    assert run("english") == [row(one, "en") for one in "0123467"]


def test_pairs_of_rows_that_pass_in_both_languages(run):
    """Those that pass in one alone are left out."""
    assert run("shuffled", "de") == [
        row(one, "de") | {"text_pair": f"ru two {one}"} for one in "12"
    ]


def test_a_round_trip_is_from_the_language_that_a_row_falls_to(run):
    """In two shards each; a row that did not come back is left out, as is what passes nowhere."""
    languages = {one: [c for c, ids in PASSED.items() if one in ids] for one in "0123467"}
    dealt = {one: controls.dealt(one, there) for one, there in languages.items()}
    assert set(dealt.values()) == {"de", "ru"}
    made = {
        code: [
            [one for one in "012346" if dealt[one] == code and int(one) % 2 == n] for n in (0, 1)
        ]
        for code in PASSED
    }
    assert run("round_trip", made=made) == [row(one, f"back from {dealt[one]}") for one in "012346"]


def test_a_share_stays_english_of_the_rows_that_pass_alone(run):
    """`keep_english` beside a round trip: a row that passes nowhere is not there in English."""
    languages = {one: [c for c, ids in PASSED.items() if one in ids] for one in "0123467"}
    dealt = {one: controls.dealt(one, [*there, "en"]) for one, there in languages.items()}
    made = {code: [[one for one in dealt if dealt[one] == code]] for code in PASSED}
    found = run("round_trip", made=made, keep_english=True)
    assert [one["id"] for one in found] == list("0123467")
    assert [one["id"] for one in found if one == row(one["id"], "en")] == [
        one for one, code in dealt.items() if code == "en"
    ]


def test_noise_is_of_one_language(run):
    found = run("noise", "de", passed={"de": PASSED["de"]}, rate=1.0)
    assert [one["id"] for one in found] == list(PASSED["de"])
    assert all(one["text"] != row(one["id"], "de")["text"] for one in found)


def test_no_row_is_one_line_and_no_file(run, tmp_path):
    with pytest.raises(UserError, match=r"^shuffled of t: no row is left$"):
        run("shuffled", "de", passed={"de": "01", "ru": "23"})
    assert not (tmp_path / "out.parquet").exists() and not (tmp_path / "out.json").exists()


def test_rows_in_another_order_are_refused(run):
    with pytest.raises(
        UserError, match=r"de\.parquet: row `1` is not where it is in .*en\.parquet"
    ):
        run("english", passed={"de": "21"})
