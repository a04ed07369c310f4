"""The pages: what they name is there, and configs and commands in them are such.

What they tell a reader to type is run by tests/workflow/test_docs.py.
"""

import contextlib
import re
import shlex

import pytest
import yaml
from tests.workflow.running import ROOT, tiny

from xstilts.cli import command
from xstilts.experiment import tasks
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.running import trackers

PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES += sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
# ```language, and the name of the file that it is, if it is one.
BLOCK = re.compile(r"^```(\w*)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
OURS = ("workflow/", "docs/", "tests/", "envs/", "experiments/", "profiles/", ".ci/")


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, language):
    """(name of the file that it is, text) of each block of a language."""
    return [(name, text) for said, name, text in BLOCK.findall(text_of(page)) if said == language]


def code(page):
    """What stands in code within sentences."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", BLOCK.sub("", text_of(page)))


def headings(path):
    """The anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", path.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readme_is_short_and_leads_to_every_page():
    text = text_of("README.md")
    assert len(text.splitlines()) <= 150
    assert [page for page in PAGES[1:] if f"]({page})" not in text] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_are_good(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        file, _, anchor = target.partition("#")
        if file.startswith("http"):
            continue
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), f"links {target}, which is not there"
        assert not anchor or anchor in headings(path), f"{target}: no such heading"


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_files_of_ours_that_are_named_are_there(page):
    named = re.findall(r"`([\w./-]+)`", BLOCK.sub("", text_of(page)))
    for name in (n for n in named if n.startswith(OURS) or n.endswith((".py", ".smk"))):
        assert (ROOT / name).exists(), f"names {name}, which is not there"


@pytest.mark.parametrize("page", PAGES)
def test_make_commands_are_targets(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    # In code: "make sure" in a sentence is no command.
    said = [*code(page), *(text for _, text in blocks(page, "bash"))]
    assert {name for text in said for name in re.findall(r"\bmake ([a-z-]+)", text)} <= targets


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_are_there(page, capsys):
    """Of `xstilts` in sentences and tables; what is in blocks is run."""
    for text in code(page):
        words = shlex.split(text.partition(" | ")[0])
        if words[:1] != ["xstilts"] or len(words) < 2 or not words[1][0].islower():
            continue
        assert words[1] in command.COMMANDS, text
        parser = command.parser_of(words[1])
        known = {option for action in parser._actions for option in action.option_strings}
        ours = words[2 : words.index("--") if "--" in words else None]
        assert {word for word in ours if word[0] == "-" and word != "-"} <= known, text


@pytest.mark.parametrize("page", PAGES)
def test_yaml_is_a_config_or_a_part_of_one(page, monkeypatch):
    monkeypatch.setattr(trackers, "check", lambda names: None)  # that they are installed
    for _, text in blocks(page, "yaml"):
        part = yaml.safe_load(text)
        config = part if "models" in part else merge(tiny(), part)
        with contextlib.suppress(KeyError):
            entries = merge(tasks.known(), part["tasks"])
            named = [name for name in part["tasks"] if entries[name]["format"] != "images"]
            config["targets"] += [name for name in named if name not in config["targets"]]
        load(config)
