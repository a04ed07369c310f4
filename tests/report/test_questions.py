"""The page opens with the questions: sentence, figure, table, the cells behind a class."""

import dataclasses
import json
import re

import pytest
from tests import results
from tests.analysis import answers
from tests.report.test_browser import EVIL, render

from xstilts.analysis.answers import files as answer_files
from xstilts.analysis.answers import text as answer_text
from xstilts.analysis.plots import answer, style
from xstilts.report import contents, questions
from xstilts.running.errors import UserError
from xstilts.steps import figures as figures_step
from xstilts.steps import tables as tables_step

KINDS = ("compared", "slopes", "unanswered", "hostile", "three-scales")


def ask(root, *kinds, **more):
    """Write the files of answers of some kinds, as tables and figures do, beside `results`."""
    home = root / results.HOME
    for name, found in {**{kind: answers.ALL[kind]() for kind in kinds}, **more}.items():
        sentence = answer_text.sentence(found.meta, found.table)
        found = dataclasses.replace(found, meta={**found.meta, "sentence": sentence})
        answers.write(home / "tables", name, found)
        figure = answer.draw(found.meta, found.table, found.points)
        style.save(figure, home / "figures/questions" / name, ("svg", "pdf"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A page with questions; not to be changed."""
    root = tmp_path_factory.mktemp("asked")
    results.write(root)
    ask(root, *KINDS)
    return render(root)


def quiet(tab):
    """Nothing is complained about, and nothing is fetched."""
    asked_for = [url for url in tab.requests if not url.startswith(("file:", "data:"))]
    return tab.errors == asked_for == []


def test_a_question_in_full(tmp_path):
    found = answers.compared()
    about = {**found.meta, "sentence": "A sentence.", "notes": ["More."]}
    answers.write(tmp_path / "tables", "q", dataclasses.replace(found, meta=about))
    [question] = questions.read(tmp_path, [("m", "none"), ("m", "mnli")], ["tatoeba", "xnli"])
    table = answer_text.text_table(about, found.table)
    assert question.pop("notes") == list(table.notes) and table.notes[-1] == "More."
    rows = [block.pop("rows") for block in question["blocks"]]
    assert rows[1][1] == {
        "class": 2,
        "name": "multi-hop",
        "cells": ["−2.1", "−3.6 to −0.6", "0.004", "2.1", "2", "3", "14", "12,345"],
        "marked": True,
    }
    assert [[line["name"] for line in block] for block in rows] == [
        ["sentences", "single-hop", "multi-hop"],
        ["single-hop", "multi-hop"],
    ]
    assert question == {
        "name": "q",
        "ask": "Does the gain shrink with reasoning?",
        "sentence": "A sentence.",
        "answered": True,
        "missing": {"cells": [], "more": 0},
        "figure": None,
        "columns": [
            "estimate", "95%", "p (Holm)", "detectable", "rows", "targets", "languages", "examples",
        ],
        "blocks": [{"heading": "gain, points"}, {"heading": "difference to sentences, points"}],
        "classes": [
            {"name": name, "rows": [1], "targets": [1], "languages": ["de", "ru"]}
            for name in ("sentences", "single-hop", "multi-hop")
        ],
    }  # fmt: skip


def test_missing_cells_are_named_and_lead_to_their_place(tmp_path, monkeypatch):
    monkeypatch.setattr(questions, "MISSING", 2)
    missing = ["m/mnli/seed1/xnli", ["m", "old", "seed1", "xnli"], "m/mnli/seed2/xnli"]
    answers.write(tmp_path / "tables", "q", answers.answer(answers.meta(missing=missing), []))
    [question] = questions.read(tmp_path, [("m", "mnli")], ["xnli"])
    assert question["missing"] == {
        "cells": [
            {"name": "m/mnli/seed1/xnli", "at": [0, 0]},
            {"name": "m/old/seed1/xnli", "at": None},
        ],
        "more": 1,
    }
    assert not question["answered"] and question["sentence"].startswith("Not answered yet: 3 cells")


def test_a_figure_is_a_picture_of_its_size_or_none(tmp_path):
    path = tmp_path / "a.svg"
    assert questions._figure(path) is None
    path.write_text('<svg width="72pt" height="36.5pt" viewBox="0 0 1 1"></svg>')
    found = questions._figure(path)
    assert found["src"].startswith("data:image/svg+xml;base64,")
    assert (found["width"], found["height"]) == (96, 49)
    path.write_text("<svg></svg>")
    assert questions._figure(path) is None
    path.write_text('<svg width="72pt" height="36.5pt">' + " " * questions.MAX_FIGURE)
    assert questions._figure(path) is None


def test_a_damaged_answer_is_one_line(tmp_path):
    results.write(tmp_path)
    ask(tmp_path, "single")
    (tmp_path / results.HOME / "tables/questions/single.json").write_text("{")
    with pytest.raises(UserError, match=r"single\.json: is damaged; delete it"):
        contents.read(tmp_path / results.HOME / "grid.csv")


def test_the_page_opens_with_the_questions(asked, opened):
    tab = opened(asked)
    page = tab.page
    assert page.locator("main section").first.get_attribute("id") == "questions"
    assert page.locator("nav a").first.inner_text() == "Questions"
    parts = page.locator(".question")
    assert parts.locator("h3").all_inner_texts()[:2] == [
        "Does the gain shrink with reasoning?", "Why? " * 59 + "Why?",
    ]  # fmt: skip
    first = parts.nth(0)
    sentence = first.locator(".sentence").inner_text()
    assert sentence.startswith("Compared to sentences, the gain is smaller for multi-hop (−2.1 po")
    assert first.locator("img").get_attribute("alt") == sentence
    size = first.locator("img").evaluate("image => [image.complete, image.naturalWidth > 200]")
    assert size == [True, True], "the policy of the page lets it be drawn"
    lines = first.locator("tbody tr").all_inner_texts()
    assert [line.split("\t")[0] for line in lines] == [
        "gain, points", "sentences", "single-hop", "multi-hop",
        "difference to sentences, points", "single-hop", "multi-hop",
    ]  # fmt: skip
    assert "−2.1*" in lines[-1]
    assert first.locator(".saves button").all_inner_texts() == ["csv", "pdf"]
    assert quiet(tab)


def test_a_class_leads_to_the_cells_behind_it(asked, opened):
    tab = opened(asked)
    page = tab.page
    page.locator(".question").first.get_by_role("link", name="multi-hop").first.click()
    assert not page.locator("#overview").is_visible()
    behind = page.locator("#class")
    assert behind.locator("h2").inner_text() == "multi-hop"
    assert "over 2 languages: de, ru." in behind.inner_text()
    assert "each as in the main table: over all of its languages" in behind.inner_text()
    assert behind.locator(".heat th").all_inner_texts() == ["", "xnli", "mnli"]
    behind.get_by_role("link", name="mnli, xnli: 56.0, +10.0").click()
    assert page.locator("#cell h2").first.inner_text() == "mnli → xnli"
    assert not behind.is_visible()
    page.go_back()
    behind.get_by_text("the question").click()
    page.locator(".question").first.wait_for()
    assert not behind.is_visible()
    page.goto(f"{page.url.partition('#')[0]}#class/7/9")
    assert page.locator("#overview").is_visible(), "an address of none"
    assert quiet(tab)


def test_a_question_that_is_not_answered_says_what_is_missing(asked, opened):
    tab = opened(asked)
    part = tab.page.locator(".question.open")
    assert part.locator(".sentence").inner_text().startswith("Not answered yet: 4 of 24 cells are")
    assert part.locator("table, img").count() == 0
    part.get_by_text("Missing cells").click()
    assert part.locator("li").count() == 4
    part.get_by_role("link", name="m/mnli/seed1/tatoeba").click()
    assert tab.page.locator("#cell h2").first.inner_text() == "mnli → tatoeba"
    assert quiet(tab)


def test_by_keyboard_a_class_is_opened(asked, opened):
    tab = opened(asked)
    link = tab.page.locator(".question").first.get_by_role("link", name="sentences").first
    link.focus()
    tab.page.keyboard.press("Enter")
    assert tab.page.locator("#class h2").inner_text() == "sentences"
    tab.page.keyboard.press("Tab")
    assert quiet(tab)


def test_on_a_phone_nothing_is_wider_than_the_screen(asked, opened):
    tab = opened(asked, width=390)
    width = "document.documentElement.scrollWidth"
    assert tab.page.evaluate(width) == 390
    parts = tab.page.locator(".question h3, .question .sentence, .question figure, .question .note")
    for part in parts.all():
        box = part.bounding_box()
        assert box is None or box["x"] + box["width"] <= 390
    narrow = tab.page.locator(".answer img.narrow").first.bounding_box()
    assert narrow["width"] > 300, "legible"
    tab.page.locator("#answers th.name a").first.click()
    assert tab.page.evaluate(width) == 390
    assert quiet(tab)


def test_in_print_nothing_is_cut(asked, opened):
    tab = opened(asked, width=700)
    tab.page.emulate_media(media="print")
    figure = tab.page.locator(".question figure").last
    assert figure.evaluate("f => f.scrollWidth <= f.clientWidth")
    assert not tab.page.locator(".question .saves").first.is_visible()


def test_without_questions_the_page_is_as_it_was(tmp_path, opened):
    results.write(tmp_path)
    page = opened(render(tmp_path)).page
    assert not page.locator("#questions").is_visible()
    assert page.locator("nav a:visible").first.inner_text() == "Table"
    assert page.locator("img").count() == 0


def test_names_of_questions_and_classes_stay_texts(tmp_path, opened):
    results.write(tmp_path)
    rows = [answers.row(EVIL, 1.0, 0.5, 1.5), answers.row("עברית", 1.0, 0.5, 1.5)]
    found = answers.answer(answers.meta(ask=EVIL, missing=[], notes=[EVIL]), rows)
    missing = answers.answer(answers.meta(missing=[f"m/{EVIL}/seed1/xnli"]), [])
    ask(tmp_path, evil=found, open=missing)
    tab = opened(render(tmp_path))
    page = tab.page
    assert page.locator(".question h3").first.inner_text() == EVIL
    link = page.locator(".question th.name a").first
    assert link.inner_text() == EVIL
    assert page.locator(".question th.name").nth(2).get_attribute("dir") == "auto"
    link.click()
    assert page.locator("#class h2").inner_text() == EVIL
    assert page.title() == "xstilts: results" and page.locator("img").count() == 1
    assert tab.errors == []


def test_the_steps_draw_what_is_asked_and_forget_what_is_not(tmp_path, monkeypatch):
    results.write(tmp_path, seeds=[1], targets=["xnli"])
    monkeypatch.chdir(tmp_path)
    tables, figures = f"{results.HOME}/tables", f"{results.HOME}/figures"
    given = ["--grid", f"{results.HOME}/grid.csv", "--out", tables]
    tables_step.main(tables_step.parser().parse_args(given))
    ask(tmp_path, "single", "ranks")
    for name in ("old.svg", "old.pdf"):
        (tmp_path / figures / "questions" / name).write_text("of a question of an earlier config")
    for path in (tmp_path / figures / "questions").glob("[sr]*"):
        path.unlink()
    figures_step.main(figures_step.parser().parse_args(["--tables", tables, "--out", figures]))
    found = sorted(path.name for path in (tmp_path / figures / "questions").iterdir())
    assert found == [f"{n}.{kind}" for n in ("ranks", "single") for kind in ("pdf", "png", "svg")]


def test_every_number_of_a_sentence_is_in_its_table():
    """Both are made by `numbers`, with as many decimals."""
    for kind in ("single", "compared", "slopes", "ranks", "slopes-compared", "collapsed"):
        found = answers.ALL[kind]()
        table = answer_text.text_table(found.meta, found.table)
        texts = " ".join(cell.text for _, cells in table.rows for cell in cells)
        sentence = answer_text.sentence(found.meta, found.table)
        for number in re.findall(r"[+−]?\d+\.\d+", sentence):
            assert number in texts, (kind, number)


def test_the_data_of_the_page_is_plain(asked):
    text = asked.read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))
    assert [question["name"] for question in data["questions"]] == sorted(KINDS)
    assert answer_files.FOLDER == "questions"
