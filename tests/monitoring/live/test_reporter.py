"""The score that a finished cell is said to have."""

from tests import results

from xstilts.monitoring.live.reporter import cell_score


def test_the_score_of_a_cell_is_the_mean_over_its_languages_in_percent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, nodes = results.write(tmp_path, seeds=[1])
    cell = nodes["results/scores/m/mnli/seed1/xnli/cell.json"]
    files = [tmp_path / path for path in cell.outputs]
    assert [path.name for path in files] == ["de.json", "ru.json"]
    for path, score in zip(files, (0.5, 0.25), strict=True):
        results.change(path, score=score)
    assert cell_score(cell) == 37.5
    files[0].unlink()  # a language without rows
    assert cell_score(cell) == 25.0
    results.change(files[1], score=None)
    assert cell_score(cell) is None, "damaged"
    files[1].unlink()
    assert cell_score(cell) is None
