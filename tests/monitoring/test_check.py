"""What a check says of a config, without running anything."""

import yaml
from tests import results

from xstilts.monitoring.check import Checked, check


def write(folder, **changes):
    path = folder / "my.yaml"
    path.write_text(yaml.safe_dump(results.CONFIG | changes))
    return [str(path)]


def test_all_mistakes_are_said_together(tmp_path):
    found = check(write(tmp_path, targets=["xnil", "udpso"]), directory=tmp_path)
    assert found == Checked(
        mistakes=[
            "targets: there is no task `xnil`; did you mean `xnli`?",
            "targets: there is no task `udpso`; did you mean `udpos`?",
        ]
    )


def test_a_config_that_is_not_there():
    assert check(["no.yaml"]).mistakes == ["no.yaml: there is no such config file"]


def test_nothing_is_changed(tmp_path):
    config = write(tmp_path)
    found = check(config, directory=tmp_path)
    assert found.mistakes == [] and found.jobs > found.cells > 0
    assert [path.name for path in tmp_path.rglob("*")] == ["my.yaml"]
