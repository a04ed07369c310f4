"""The report in Chromium: it is drawn, sorts, filters, opens cells, asks the network nothing."""

import pathlib

import pyarrow.parquet as pq
import pytest
from tests import results

from xstilts.analysis import significance
from xstilts.data import prepare
from xstilts.report import values
from xstilts.running.files import write_json
from xstilts.steps import report

EVIL = "</script><script>document.title='bad'</script><img src=x onerror=\"document.title='bad'\">"


def render(root, tables=None):
    path, grid = root / results.HOME / "report.html", root / results.HOME / "grid.csv"
    given = ["--grid", str(grid), "--out", str(path)] + (["--tables", tables] if tables else [])
    report.main(report.parser().parse_args(given))
    return path


@pytest.fixture
def tab(tmp_path, opened):
    results.write(tmp_path)
    tab = opened(render(tmp_path))
    yield tab
    assert tab.errors == []
    assert [url for url in tab.requests if not url.startswith(("file:", "data:"))] == []


def column(page, place):
    texts = page.locator(f"#main-table tbody tr > *:nth-child({place})").all_inner_texts()
    return [text.strip() for text in texts]


def test_the_table_is_drawn_and_sorts_by_any_column(tab):
    assert column(tab.page, 1) == ["none", "mnli"]
    # The means of German and Russian, the medians of two seeds; a cell without seed has one.
    assert column(tab.page, 2) == ["46.0", "56.0 +10.0"]
    assert column(tab.page, 3) == ["45.0", "41.0 −4.0"]
    heading = tab.page.locator("#main-table th").filter(has_text="xnli")
    heading.get_by_role("button").click()
    assert column(tab.page, 1) == ["mnli", "none"]
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").click()
    assert column(tab.page, 1) == ["none", "mnli"]
    assert heading.get_attribute("aria-sort") == "ascending"
    tab.page.get_by_role("button", name="intermediate").click()
    assert column(tab.page, 1) == ["mnli", "none"]


def test_significant_differences_are_marked(tmp_path, opened):
    results.write(tmp_path)
    line = "m,mnli,xnli,,score,examples and seeds,10,,,,,True"
    (tmp_path / "deltas.csv").write_text(f"{','.join(significance.COLUMNS)}\n{line}\n")
    tab = opened(render(tmp_path, tables=str(tmp_path)))
    assert column(tab.page, 2) == ["46.0", "56.0 +10.0*"]
    assert column(tab.page, 3) == ["45.0", "41.0 −4.0"]
    assert tab.page.locator("#heatmap-table").get_by_text("+10.0*").count() == 1
    assert "*: more than the noise of examples and seeds" in tab.page.locator("#notes").inner_text()
    assert tab.errors == []


def test_rows_are_filtered_by_name(tab):
    tab.page.fill("#filter", "mn")
    assert column(tab.page, 1) == ["mnli"]
    tab.page.fill("#filter", "nothing")
    assert tab.page.locator("#main-table").inner_text() == "No row of that name."


def test_a_field_of_the_heatmap_opens_its_cell(tab):
    field = tab.page.locator("#heatmap-table").get_by_role("link", name="mnli, xnli: 56.0, +10.0")
    assert field.inner_text() == "+10.0"
    field.click()
    cell = tab.page.locator("#cell")
    assert cell.locator("h2").first.inner_text() == "mnli → xnli"
    assert not tab.page.locator("#overview").is_visible()
    lines = cell.locator("table").first.locator("tbody tr").all_inner_texts()
    assert [line.split() for line in lines] == [
        ["de", "German", "60.0", "62.0", "61.0", "51.0", "+10.0"],
        ["ru", "Russian", "50.0", "52.0", "51.0", "41.0", "+10.0"],
    ]
    assert cell.locator("svg.curve").count() == 4, "two trainings of two seeds"
    label = cell.locator("svg.curve").first.get_attribute("aria-label")
    assert label == "dev score and loss over 200 steps, best at step 200"
    cell.get_by_text("Log", exact=True).first.click()
    cell.get_by_text("m/mnli/seed1/xnli is done").wait_for()
    assert cell.locator(".example").count() == 2
    assert cell.locator(".example.right dd").all_inner_texts() == [
        "ein Hund", "ein Tier", "entailment", "entailment",
    ]  # fmt: skip
    cell.get_by_label("Language").select_option("ru")
    assert cell.locator(".example dd").first.get_attribute("lang") == "ru"
    cell.get_by_text("all results").click()
    tab.page.locator("#overview").wait_for()


def test_a_language_is_found_by_code_and_by_name(tab):
    for query in ("ru", "russ"):
        tab.page.fill("#language", query)
        table = tab.page.locator("#language-table")
        assert table.locator("h3").all_inner_texts() == ["Russian (ru)"]
        rows = table.locator("tbody tr").all_inner_texts()
        assert [row.split() for row in rows] == [
            ["none", "41.0", "40.0"],
            ["mnli", "51.0", "+10.0", "36.0", "−4.0"],
        ]
    tab.page.fill("#language", "klingon")
    assert "it has de, ru" in tab.page.locator("#language-table").inner_text()


def test_any_two_rows_are_compared_also_by_language(tab):
    def rows():
        return [r.split() for r in tab.page.locator("#compare-table tbody tr").all_inner_texts()]

    assert rows() == [
        ["xnli", "46.0", "56.0", "+10.0"],
        ["tatoeba", "45.0", "41.0", "−4.0"],
        ["average", "45.5", "48.5", "+3.0"],
    ]
    tab.page.select_option("#left", label="mnli")
    tab.page.select_option("#right", label="none")
    tab.page.check("#by-language")
    assert rows()[:2] == [
        ["xnli", "56.0", "46.0", "−10.0"],
        ["de", "German", "61.0", "51.0", "−10.0"],
    ]


def test_two_rows_turned_round_have_the_sign_turned(tab):
    for a, b, gain in (("none", "mnli", "−4.0"), ("mnli", "none", "+4.0"), ("none", "none", "0.0")):
        tab.page.select_option("#left", label=a)
        tab.page.select_option("#right", label=b)
        row = tab.page.locator("#compare-table tbody tr").nth(1).inner_text()
        assert row.split()[-1] == gain


def test_a_page_without_all_differences_says_so(tmp_path, opened, monkeypatch):
    results.write(tmp_path)
    pairs, columns = 1, 3
    monkeypatch.setattr(values, "MAX_DIFFERENCES", 8 * pairs * columns)
    tab = opened(render(tmp_path))
    assert tab.page.locator("#by-language").is_disabled()
    assert tab.page.locator("#compare-table tbody tr").count() == columns
    monkeypatch.setattr(values, "MAX_DIFFERENCES", 0)
    less = opened(render(tmp_path))
    assert "tables/main.csv has the scores" in less.page.locator("#compare-tools").inner_text()
    assert tab.errors == less.errors == []


def test_tables_and_figures_are_saved_from_the_page_alone(tmp_path, opened):
    results.write(tmp_path)
    home = tmp_path / results.HOME
    files = {"tables/main.csv": b"a,b\n", "figures/heatmap.pdf": b"%PDF-" + bytes(range(256))}
    for name, content in files.items():
        (home / name).parent.mkdir()
        (home / name).write_bytes(content)
    tab = opened(render(tmp_path))
    for name, content in files.items():
        (home / name).unlink()
        with tab.page.expect_download() as started:
            tab.page.locator("#files").get_by_role("button", name=f"save {name}").click()
        assert started.value.suggested_filename == name.rpartition("/")[2]
        assert pathlib.Path(started.value.path()).read_bytes() == content
    assert tab.page.locator("#save-main button").all_inner_texts() == ["csv"]
    assert tab.page.locator("#save-heatmap button").all_inner_texts() == ["pdf"]
    assert tab.errors == []


def test_the_chance_level_is_shown(tab):
    heads = tab.page.locator("#main-table thead th small").all_inner_texts()
    assert heads[:2] == ["acc, chance 33.3", "acc, chance 50.0"]
    tab.page.get_by_role("link", name="mnli, xnli: 56.0, +10.0").click()
    assert tab.page.locator("#cell .figures").inner_text().split("\n")[-2:] == ["33.3", "by chance"]
    assert tab.page.locator("svg.curve").get_by_text("chance").count() == 4


def test_on_a_phone_nothing_is_wider_than_the_screen(tmp_path, opened):
    results.write(tmp_path)
    page = opened(render(tmp_path), width=390).page
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) == 390
    page.locator("#heatmap-table a").first.click()
    assert page.evaluate(width) == 390


def test_names_and_texts_stay_texts(tmp_path, opened):
    """Hostile names, rows, predictions and logs; without config.yaml names are not checked."""
    results.write(tmp_path)
    (tmp_path / results.HOME / "config.yaml").unlink()
    grid = tmp_path / results.HOME / "grid.csv"
    quoted = EVIL.replace('"', '""')
    grid.write_text(grid.read_text().replace("m,mnli,seed1,xnli", f'm,"{quoted}",seed1,xnli'))
    log = tmp_path / f"results/logs/evaluate/m/{EVIL}/seed1/xnli.log"
    log.parent.mkdir(parents=True)
    log.write_text(EVIL)
    for lang in ("de", "ru"):
        path = tmp_path / f"results/scores/m/mnli/seed1/xnli/{lang}.json"
        results.change(path, intermediate=EVIL, device=EVIL, versions={EVIL: EVIL})
        rows = [{"id": str(i), "text": EVIL, "text_pair": EVIL, "label": EVIL} for i in range(2)]
        data = tmp_path / f"results/data/xnli/{lang}.dev.parquet"
        prepare.write(data, rows, "classification", {})
        predictions = pq.read_table(path.with_suffix(".parquet")).to_pylist()
        table = results.pa.Table.from_pylist([{**row, "prediction": EVIL} for row in predictions])
        pq.write_table(table, path.with_suffix(".parquet"))
    tab = opened(render(tmp_path))
    page = tab.page
    assert EVIL in column(page, 1), "shown as it is"
    row = column(page, 1).index(EVIL) + 1
    page.locator(f"#heatmap-table tbody tr:nth-child({row}) a").first.click()
    assert page.locator("#cell h2").first.inner_text() == f"{EVIL} → xnli"
    page.locator("#cell").get_by_text("Log", exact=True).first.click()
    assert page.locator("#cell pre").last.inner_text() == EVIL
    assert page.locator("#cell .example.right dd").all_inner_texts() == [EVIL] * 4
    assert page.title() == "xstilts: results" and page.locator("img").count() == 0
    assert tab.errors == [] and len(tab.requests) == 1


def test_a_correlation_below_zero_and_numbers_that_are_near_or_far(tmp_path, opened):
    results.write(tmp_path)
    for row, seed in (("mnli", 1), ("mnli", 2), ("none", 1), ("none", 2)):
        path = tmp_path / f"results/scores/m/{row}/seed{seed}/xnli/de.json"
        results.change(path, score=-0.25)
        numbers = {"id": ["0", "1"], "prediction": ["4.5", "2.0"], "value": [0.9, 0.4]}
        pq.write_table(results.pa.table(numbers), path.with_suffix(".parquet"))
    rows = [{"id": str(i), "text": "a", "text_pair": "b", "label": 5.0 * (1 - i)} for i in range(2)]
    prepare.write(tmp_path / "results/data/xnli/de.dev.parquet", rows, "regression", {})
    tab = opened(render(tmp_path))
    tab.page.locator("#heatmap-table tbody tr").nth(1).locator("a").first.click()
    cell = tab.page.locator("#cell")
    assert "25.0" in cell.locator("table").first.inner_text()
    assert cell.locator(".example .badge").all_inner_texts() == ["off by 2", "off by 0.5"]
    assert cell.locator(".example.right").count() == 1
    assert tab.errors == []


def test_an_injected_script_would_not_run(tmp_path, opened):
    """The second line of defence: the policy in the page's head."""
    results.write(tmp_path)
    path = render(tmp_path)
    path.write_text(path.read_text().replace("<footer>", f"<footer>{EVIL[9:]}"))
    tab = opened(path)
    assert tab.page.title() == "xstilts: results"
    assert any("Content Security Policy" in line for line in tab.errors)


def test_what_is_not_done_says_why(tmp_path, opened):
    _, nodes = results.write(tmp_path)
    key = "results/tuned/m/mnli/seed1/mnli/node.json"
    (tmp_path / key).unlink()
    (tmp_path / nodes[key].log).write_text("step 1\nerror: the loss is nan\n")
    for lang in ("de", "ru"):
        (tmp_path / f"results/scores/m/mnli/seed1/xnli/{lang}.json").unlink()
    write_json(tmp_path / "results/scores/m/none/seed1/xnli/de.json", {"spec": {}})
    tab = opened(render(tmp_path))
    page = tab.page
    assert "5 of 7 cells are done" in page.locator("#lead").inner_text()
    assert page.locator(".keys").first.inner_text().split("\n") == ["5 done", "1 stale", "1 failed"]
    failed = page.locator(".problem.failed")
    assert failed.inner_text().split("\n")[::2] == [
        "failed: mnli → xnli, seed1", "error: the loss is nan", nodes[key].log,
    ]  # fmt: skip
    failed.get_by_role("link").click()
    page.get_by_text("step 1\nerror: the loss is nan").wait_for()
    assert tab.errors == []


def test_a_training_that_collapsed_is_marked_in_its_cells(tmp_path, opened):
    results.write(tmp_path)
    mark = {"score": 0.34, "low": 0.3, "high": 0.38, "guessing": 0.35, "guess": "always neutral"}
    results.change(tmp_path / "results/encoders/m/mnli/seed2/node.json", collapsed=mark)
    tab = opened(render(tmp_path))
    tab.page.locator("#heatmap-table").get_by_role("link", name="mnli, xnli: 56.0, +10.0").click()
    cell = tab.page.locator("#cell")
    state = "seed1 done, 2 of 2 languages; seed2 done, 2 of 2 languages, collapsed"
    assert cell.locator("p.note").first.inner_text() == f"model m; {state}"
    cell.locator("summary").filter(has_text="seed2").click()
    [said] = cell.locator(".problem").all_inner_texts()
    assert said.startswith("Collapsed: its dev score, 34.0 (95%: 30.0 to 38.0), is not above what")
    assert tab.errors == []
