"""Each distinct segment is translated once, in blocks that are kept."""

import json

import pytest

from xstilts.running.errors import UserError
from xstilts.translation.blocks import Blocks, characters, key, translate

TEXTS = ["a b", "c\nd", "a b", "d"]  # four segments, three of them different lines


class Upper:
    """An engine that counts what it reads, and may fail."""

    def __init__(self, fail: str = "") -> None:
        self.read: list[list[str]] = []
        self.fail = fail

    def translate(self, lines):
        """Return the lines in capitals."""
        self.read.append(list(lines))
        if self.fail in lines:
            raise UserError("failed")
        return [line.upper() for line in lines]


def blocks(folder, key="k", **how) -> Blocks:
    """Return blocks of two segments."""
    return Blocks(folder, key, 2, 99, **how)


def test_each_segment_once(tmp_path):
    """Texts that repeat, and lines that are in several, are read once."""
    engine = Upper()
    found, resumed = translate(TEXTS, blocks(tmp_path), lambda: engine, lambda _: None)
    assert found == {"a b": "A B", "c\nd": "C\nD", "d": "D"} and resumed == 0
    assert engine.read == [["a b", "c"], ["d"]]
    assert characters(TEXTS, 99) == 5


def test_goes_on_where_it_failed(tmp_path):
    """What is done is read, what was not is made; nothing is made twice."""
    with pytest.raises(UserError, match=r"^block 2 of 2: failed$"):
        translate(TEXTS, blocks(tmp_path), lambda: Upper("d"), lambda _: None)
    engine = Upper()
    found, resumed = translate(TEXTS, blocks(tmp_path), lambda: engine, lambda _: None)
    assert engine.read == [["d"]] and resumed == 1 and found["a b"] == "A B"


@pytest.mark.parametrize("what", ["another key", "damaged", "other text"])
def test_a_block_of_something_else_is_made_anew(tmp_path, what):
    """Of another translator, half written by hand, or of other segments."""
    translate(TEXTS, blocks(tmp_path), Upper, lambda _: None)
    first = tmp_path / "000001.json"
    if what == "damaged":
        first.write_text(first.read_text()[:10])
    engine, texts = Upper(), ["z", *TEXTS] if what == "other text" else TEXTS
    key = "other" if what == "another key" else "k"
    _, resumed = translate(texts, blocks(tmp_path, key), lambda: engine, lambda _: None)
    assert resumed == (1 if what == "damaged" else 0) and engine.read[0][0] == texts[0]
    assert json.loads(first.read_text())["lines"]


def test_no_engine_where_all_is_there(tmp_path):
    """A model is not loaded for nothing."""
    translate(TEXTS, blocks(tmp_path), Upper, lambda _: None)

    def none():
        raise AssertionError

    assert translate(TEXTS, blocks(tmp_path), none)[1] == 2


class Fixed:
    """An engine that returns the same whatever it reads."""

    def __init__(self, lines, more: int = 0) -> None:
        self.lines, self.more = lines, more

    def translate(self, lines):
        """Return the first of them."""
        return self.lines[: len(lines) + self.more]


def test_another_number_of_lines(tmp_path):
    """It is said which block."""
    line = "block 1 of 2: 2 lines went in and 3 came out"
    with pytest.raises(UserError, match=line):
        translate(TEXTS, blocks(tmp_path), lambda: Fixed(["x"] * 9, 1))


def test_empty_translations(tmp_path):
    """More than a tenth of a block is refused, with an example, and a translator that is silent;
    not a few of a small block, which would stop the job for good."""
    many = [f"n {n}" for n in range(100)]
    for count in (10, 11):
        engine = Fixed(["x"] * (100 - count) + [" "] * count)
        size = Blocks(tmp_path / str(count), "k", 100, 99)
        if count == 10:
            assert translate(many, size, lambda: engine)[0]["n 99"] == ""  # noqa: B023
            continue
        line = "block 1 of 1: 11 of its 100 translations are empty, the first of `n 89`"
        with pytest.raises(UserError, match=line):
            translate(many, size, lambda: engine)  # noqa: B023
    found, _ = translate(TEXTS, blocks(tmp_path), lambda: Fixed(["x", " "]))
    assert found["c\nd"] == "\nx"
    with pytest.raises(UserError, match="2 of its 2 translations are empty, the first of `a b`"):
        translate(TEXTS, blocks(tmp_path / "silent"), lambda: Fixed(["", " "]))
    found, _ = translate(TEXTS, blocks(tmp_path / "any", most_empty=1.0), lambda: Fixed(["", ""]))
    assert set(found.values()) == {"", "\n"}


def test_blocks_are_of_a_version_and_of_pins():
    """A lock file that moves while a job is killed makes its blocks anew."""
    spec, pins = {"translator": {"engine": "x"}, "version": 1}, {"models/a": "1"}
    others = [key(spec | {"version": 2}, pins), key(spec, {"models/a": "2"})]
    assert key(spec, dict(pins)) == key(spec, pins) not in others
