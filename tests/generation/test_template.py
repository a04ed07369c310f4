"""A prompt's template: what is put in, and every mistake in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import WORKFLOW
from xstilts.generation import template
from xstilts.generation.shapes import FIELDS
from xstilts.running.errors import UserError

LABELS = ("entailment", "neutral")
HEADED = """---
fields: {text: premise, text_pair: hypothesis}
labels:
  entailment: must be true
---
Write {fields} in {language} ({code}), {label}: the hypothesis {meaning}. As {"a": 1}, {0} or { x }.
{examples}
"""


def parsed(text, format="classification", shots=1):
    return template.parse(text, "prompt: p.md", format, LABELS, shots)


def test_every_field_is_put_in_and_other_braces_stay():
    names = {"label": "label", "text": "premise", "text_pair": "hypothesis"}
    examples = [{"label": "entailment", "premise": "Größe", "hypothesis": "b"}, {"label": "x"}]
    made = parsed(HEADED)
    assert made.names == {"text": "premise", "text_pair": "hypothesis"}
    assert made.prompt("German", "de", "entailment", names, 0, examples) == (
        'Write "label", "premise", "hypothesis" in German (de), entailment: the hypothesis must be'
        ' true. As {"a": 1}, {0} or { x }.\n'
        '{"label": "entailment", "premise": "Größe", "hypothesis": "b"}\n{"label": "x"}'
    )
    assert "neutral: the hypothesis neutral." in made.prompt(
        "German", "de", "neutral", names, 0, []
    )


def test_what_is_put_in_is_not_read_again():
    made = parsed("{language} {label} {examples}")
    text = made.prompt("German", "de", "neutral", {}, 0, [{"text": "{label} {code}"}])
    assert text == 'German neutral {"text": "{label} {code}"}'


def test_a_choice_says_how_many_are_wrong():
    made = parsed("{language}: {choices} wrong ones\n{examples}", "choice")
    assert made.prompt("German", "de", 1, {}, 3, []) == "German: 2 wrong ones"


@pytest.mark.parametrize(
    "text, line",
    [
        ("{language} {lable} {examples}", "no field {lable}; did you mean `label`? (valid: lang"),
        ("{label} {examples}", "does not say {language}, so no language would be asked for"),
        ("{language} {examples}", "does not say {label}, of which one is asked for at a time"),
        ("{language} {label}", "does not say {examples}, where the 1 of each prompt are shown"),
        ("---\nfield: {}\n---\n{language}", "there is no key `field`; did you mean `fields`?"),
        ("---\n- a\n---\n", "what is above the second --- must be `fields` and `labels`"),
        ("---\na: [\n---\n", "what is above the second --- is no YAML"),
        ("--- \nfields: {}\n{language}", "begins with ---, and no second line of three dashes"),
        (
            "---\nfields: {txt: premise}\n---\n{language} {label} {examples}",
            "fields: there is no `txt`; did you mean `text`? (valid: label, text, text_pair)",
        ),
        (
            "---\nfields: {text: label}\n---\n{language} {label} {examples}",
            "fields: two are called `label`",
        ),
        (
            "---\nlabels: {entailed: it follows}\n---\n{language} {label} {examples}",
            "labels: there is no `entailed`; did you mean `entailment`?",
        ),
        (
            "---\nlabels: {neutral: [1]}\n---\n{language} {label} {examples}",
            "labels: neutral: must be text, not `[1]`",
        ),
        ("---\nlabels: a\n---\n{language} {label} {examples}", "labels: must be a mapping"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(text, line):
    with pytest.raises(UserError) as error:
        parsed(text)
    assert str(error.value).startswith("prompt: p.md: ") and line in str(error.value)
    assert "\n" not in str(error.value)


def test_without_examples_none_has_to_be_put_in():
    assert parsed("{language} {label}", shots=0).body


@pytest.mark.parametrize("format", FIELDS)
def test_every_format_has_a_prompt(format):
    text = (WORKFLOW / f"reference/prompts/{format}.md").read_text()
    made = template.parse(text, "prompt", format, (), 3).prompt("German", "de", "x", {}, 3, [])
    assert "German" in made and "one JSON object" in made


@given(st.text())
def test_any_text_is_a_template_or_one_line(text):
    try:
        made = parsed(f"{text}\n{{language}} {{label}} {{examples}}")
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert made.prompt("German", "de", "neutral", {}, 0, []).endswith("German neutral")
