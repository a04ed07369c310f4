"""The list of the languages of a target: checked, with the pins of all of them."""

import json

import pytest

from xstilts.encoding.encoded import Encoded, pack
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json
from xstilts.steps import manifest


def encoded(path, lang, **pins):
    """Encoded rows of a language; what the manifest says of them."""
    spec = {"lang": lang}
    Encoded(pack([[0, 2]]), {"spec": spec, "pins": pins}).save(path)
    return [f"{lang}.parquet", str(path), digest(spec)]


def run(path, languages):
    spec = {"kind": "manifest", "languages": languages}
    given = ["--spec", json.dumps(spec), "--out", str(path)]
    manifest.main(manifest.parser().parse_args(given))
    return spec


def test_the_list_in_full(tmp_path, capsys):
    spec = run(
        tmp_path / "dev.json",
        {
            "de": encoded(tmp_path / "de.safetensors", "de", a="r1", b="r2"),
            "ru": encoded(tmp_path / "ru.safetensors", "ru", b="r2", c="r3"),
        },
    )
    pins = {"a": "r1", "b": "r2", "c": "r3"}
    assert read_json(tmp_path / "dev.json") == {"spec": spec, "pins": pins}
    assert capsys.readouterr().out == "2 languages: de, ru\n"


def test_a_language_without_rows_is_told_and_stays_in_the_list(tmp_path, capsys):
    gone = {"lang": "fi"}
    Encoded(pack([]), {"spec": gone, "pins": {}, "absent": "no such file"}).save(
        tmp_path / "fi.safetensors"
    )
    fi = ["fi.parquet", str(tmp_path / "fi.safetensors"), digest(gone)]
    out = tmp_path / "xnli" / "dev.json"
    spec = run(out, {"de": encoded(tmp_path / "de.safetensors", "de"), "fi": fi})
    assert read_json(out)["spec"] == spec
    assert "note: task xnli (fi): no such file; fi is left out\n" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"task xnli: there are no rows in any language; fi: no su"):
        run(out, {"fi": fi})


def test_rows_of_another_spec_or_damaged_are_not_listed(tmp_path):
    line = encoded(tmp_path / "de.safetensors", "de")
    with pytest.raises(UserError, match=r"de\.safetensors: made by another spec"):
        run(tmp_path / "dev.json", {"de": [*line[:2], "another"]})
    (tmp_path / "de.safetensors").write_bytes(b"cut off")
    with pytest.raises(UserError, match=r"de\.safetensors: damaged"):
        run(tmp_path / "dev.json", {"de": line})
    assert not (tmp_path / "dev.json").exists()
