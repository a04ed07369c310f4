"""The step that translates: killed and continued, and what it says of rows."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xstilts.data import prepare
from xstilts.running.files import digest, read_json
from xstilts.steps import translate
from xstilts.translation import controls

ROOT = Path(__file__).resolve().parents[2]
# A translator of a third of a second a block, into capitals.
SLOW = {"engine": "command", "from": "en", "to": "xx", "run": "sleep 0.3; tr a-z A-Z",
        "blank_lines": False}  # fmt: skip
TEXTS = [(f"premise {n // 2}\nof two lines", f"claim {n}") for n in range(8)]
ROWS = [
    {"id": str(n), "text": text, "text_pair": pair, "label": "a"}
    for n, (text, pair) in enumerate(TEXTS)
]


def spec_of(**changes):
    """Return the spec of a shard of the rows."""
    made = {"kind": "translated", "task": "t", "format": "classification", "lang": "xx",
            "shard": [0, 1], "translator": SLOW, "block": 2, "longest": 99,
            "data": digest({"hub": "o/d"}), "version": 1}  # fmt: skip
    return made | changes


@pytest.fixture
def folder(tmp_path):
    """A folder with prepared rows."""
    record = {"spec": {"hub": "o/d"}, "pin": {"revision": "1"}}
    prepare.write(tmp_path / "rows.parquet", ROWS, "classification", record)
    return tmp_path


def command(folder: Path, out: str, **changes) -> list[str]:
    """Return the command line of the step."""
    return [
        sys.executable, "-m", "xstilts.steps.translate", "--spec", json.dumps(spec_of(**changes)),
        "--rows", "rows.parquet", "--state", f"{out}/state", "--out", f"{out}/0.parquet",
        "--record", f"{out}/0.json",
    ]  # fmt: skip


def run(folder: Path, out: str, **changes) -> subprocess.CompletedProcess:
    """Run the step to its end."""
    env = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    args = command(folder, out, **changes)
    return subprocess.run(args, cwd=folder, env=env, text=True, capture_output=True, check=False)


def test_killed_and_continued_it_writes_the_same_bytes(folder):
    """Of seven blocks the first two are there when it is killed; they are not translated again."""
    env = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    process = subprocess.Popen(
        command(folder, "killed"), cwd=folder, env=env, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    second = folder / "killed/state/blocks/000002.json"
    deadline = time.monotonic() + 60
    while not second.exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "killed/0.json").exists() and not (folder / "killed/0.parquet").exists()
    blocks = len(list(second.parent.glob("*.json")))
    assert 2 <= blocks < 7
    for out in ("killed", "whole"):
        done = run(folder, out)
        assert done.returncode == 0, done.stderr
    record = read_json(folder / "killed/0.json")
    assert record["resumed"] == blocks
    assert (folder / "killed/0.parquet").read_bytes() == (folder / "whole/0.parquet").read_bytes()
    assert "resumed" not in read_json(folder / "whole/0.json")
    assert not second.parent.exists()
    # Eight premises are four texts of a line that differs and one that does not, and eight claims.
    assert record["texts"] == 12 and record["rows_kept"] == 8
    assert record["characters"] == 4 * len("premise 0") + len("of two lines") + 8 * len("claim 0")
    assert record["kept"]["breaks"] == {"before": 4, "after": 4, "kept": 4}
    assert record["kept"]["numbers"] == {"before": 12, "after": 12, "kept": 12}
    rows = prepare.read(folder / "whole/0.parquet").to_pylist()
    assert rows == [
        row | {"text": row["text"].upper(), "text_pair": row["text_pair"].upper()} for row in ROWS
    ]
    about = prepare.metadata(folder / "whole/0.parquet")
    assert about["spec"] == spec_of() and about["pins"] == {"datasets/o/d": "1"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("head -n 1", "block 1 of 7: 2 lines went in and 1 came out; it must write"),
        ("tr a-z ' '", "are empty, the first of"),
        ("no-such-program", "`no-such-program` is not installed"),
        ("false", "block 1 of 7: `false` failed with exit status 1"),
    ],
)  # fmt: skip
def test_what_a_translator_does_wrong(folder, line, said):
    """One line, which block, no file."""
    rows = [{"id": "1", "text": "only", "text_pair": "words", "label": "a"}]
    if "empty" in said:
        record = {"spec": {"hub": "o/d"}, "pin": {"revision": "1"}}
        prepare.write(folder / "rows.parquet", rows, "classification", record)
    done = run(folder, "out", translator=SLOW | {"run": line})
    assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr
    assert not (folder / "out/0.parquet").exists() and not (folder / "out/0.json").exists()


@pytest.mark.parametrize("keep", [False, True])
def test_the_shards_of_a_round_trip_share_the_rows_between_their_languages(tmp_path, keep):
    """Each row that is in a shard of a language falls to one of those that have it."""
    passed, files = {"de": "0123456", "ru": "2345678"}, []
    for lang, ids in passed.items():
        files.append(str(tmp_path / f"{lang}.parquet"))
        record = {"spec": {"hub": "o/d"}, "pin": {"revision": "1"}}
        kept = [{"id": one, "text": lang, "text_pair": None, "label": "a"} for one in ids]
        prepare.write(files[-1], kept, "classification", record)
    found = {}
    for lang in passed:
        of = {
            "dealt": list(passed),
            "lang": "en",
            "keep_english": keep,
            "translator": {"from": lang},
        }
        for shard in ("02468", "1357"):
            rows = [{"id": one} for one in passed[lang] if one in shard]
            found |= {row["id"]: lang for row in translate._dealt(rows, files, of)}
    home = ["en"] if keep else []
    dealt = {
        one: controls.dealt(one, [*(lang for lang, ids in passed.items() if one in ids), *home])
        for one in "012345678"
    }
    assert found == {one: lang for one, lang in dealt.items() if lang != "en"}
