"""The command line of a translator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiment.test_grid import make

from xstilts.experiment import commands
from xstilts.running.errors import UserError


@pytest.mark.parametrize(
    ("run", "name"),
    [
        ("apertium -u eng-{lang3}", "apertium"),
        ("LC_ALL=C.UTF-8 A='b c' apertium eng-spa", "apertium"),
        ("./own.sh | cat", "./own.sh"),
        ("(a; b)", ""),
        ("$HOME/bin/x", ""),
        ("A=b", ""),
        ("cat 'x", ""),
    ],
)
def test_the_program_of_a_command_line(run, name):
    assert commands.program(run) == name


@given(st.text(max_size=30))
def test_any_text_has_a_program_or_none(run):
    assert isinstance(commands.program(run), str)


def of(run, *languages, more=()):
    made = {"tasks": ["mnli"], "translated": {"by": "own", "languages": list(languages)}}
    other = {f"y{n}": made | {"translated": {"by": "own", "languages": [lang]}}
             for n, lang in enumerate(more)}  # fmt: skip
    return make(
        source="toy", targets=["xnli"], languages=["de"], seeds=[1], tasks={},
        translators={"own": {"engine": "command", "run": run}},
        intermediates={"x": made, **other},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("run", "line"),
    [
        ("cat 'x", "translators: own: run: `cat 'x` cannot be read: no closing quotation"),
        ("t eng-{lng3}", r"run: there is no field `{lng3}`; did you mean `lang3`\? \(there are"),
        ("t '{lng3}'", "there is no field `{lng3}`"),
        ("t {target}", "there is no field `{target}`"),
        ("t eng-${lang}", r"`\${lang}` is a variable of the shell; write `{lang}`"),
        ("t {{lang}}", "`{{lang}}` has its braces twice; write `{lang}`"),
    ],
)
def test_a_command_line_that_cannot_be(run, line):
    with pytest.raises(UserError, match=line):
        of(run, "de")


@pytest.mark.parametrize("run", ["t ${HOME} {lang}", "awk '{print}' {a,b}", "t {from3}-{code}"])
def test_other_brackets_are_the_shells(run):
    assert of(run, "de")


def test_a_command_of_one_language_is_not_asked_for_two():
    line = "translators: own: run: names no language, so de, es would be the same; write"
    for languages, more in ((("es", "de"), ()), (("de",), ("es",))):
        with pytest.raises(UserError, match=line):
            of("apertium -u eng-spa", *languages, more=more)
        assert of("apertium -u eng-{lang3}", *languages, more=more)
    assert of("apertium -u eng-spa", "es", more=["es"])
