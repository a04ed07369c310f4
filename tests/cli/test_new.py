"""The config that `new` writes."""

import pytest
import yaml

from xstilts.cli import command, new
from xstilts.experiment import config, config_files
from xstilts.monitoring.check import check


def test_it_is_right_as_it_is_written(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    command.main(["new", "my.yaml"])
    assert capsys.readouterr().out == (
        "my.yaml: written; xstilts check my.yaml, then xstilts run my.yaml\n"
    )
    found = check(["my.yaml"])
    assert found.mistakes == [] and found.cells > 1 and found.jobs > found.cells
    assert config.load(config_files.read(["my.yaml"])).toy


def test_the_task_in_its_comments_is_right_too(tmp_path):
    """Uncommented as a reader would, with files that are as it says."""
    text = (new.EXPERIMENTS / "start.yaml").read_text()
    lines, inside = [], False
    for line in text.splitlines():
        inside = line == "tasks: {}" or (inside and line.startswith("#   "))
        lines.append(line.replace("tasks: {}", "tasks:").replace("#  ", " ") if inside else line)
    text = "\n".join(lines).replace("  # mine:", "  mine:").replace("udpos]", "mine]")
    (tmp_path / "my.yaml").write_text(text)
    for path in ("en/train", "en/dev", "de/dev", "ru/dev"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / f"{path}.csv").write_text("text,label\na b,x\nb c,y\n")
    found = check([str(tmp_path / "my.yaml")], directory=tmp_path)
    assert (found.mistakes, found.notes) == ([], [])
    settings = yaml.safe_load(text)
    assert settings["targets"] == ["xnli", "mine"] and "mine" in settings["intermediates"]
    assert found.cells == 3 * 2


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["there.yaml"], "there.yaml: is there already; give another name, or delete it"),
        (["my"], "my: a config is a YAML file: my.yaml"),
        (["no/my.yaml"], "no/my.yaml: there is no folder no"),
        (["my.yaml", "--like", "papr"], "there is no experiment `papr`; did you mean `paper`?"),
    ],
)
def test_what_it_refuses(monkeypatch, tmp_path, words, line):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.yaml").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        command.main(["new", *words])
    assert line in ended.value.code
    assert [path.name for path in tmp_path.iterdir()] == ["there.yaml"]
    assert (tmp_path / "there.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", [path.stem for path in new.EXPERIMENTS.glob("*.yaml")])
def test_every_experiment_can_be_started_from(tmp_path, name):
    path = tmp_path / "my.yaml"
    command.main(["new", str(path), "--like", name])
    assert path.read_bytes() == (new.EXPERIMENTS / f"{name}.yaml").read_bytes()


def test_the_prompts_that_an_experiment_names_are_beside_it(tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/siqa.md").write_text("mine")
    command.main(["new", str(config), "--like", "synthetic"])
    assert (
        "mine.yaml: written (prompts/mnli.md beside it); xstilts check" in capsys.readouterr().out
    )
    experiments = new.EXPERIMENTS
    assert config.read_text() == (experiments / "synthetic.yaml").read_text()
    prompt = tmp_path / "prompts/mnli.md"
    assert prompt.read_text() == (experiments / "prompts/mnli.md").read_text()
    assert (tmp_path / "prompts/siqa.md").read_text() == "mine"
