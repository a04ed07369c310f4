"""Which xstilts this is, as the page says it."""

import subprocess

import xstilts
from xstilts.running import record


def test_the_commit_is_that_of_this_code_and_of_no_repository_around_it(tmp_path, monkeypatch):
    name = f"xstilts {xstilts.__version__}"
    package = tmp_path / "lib/xstilts/__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text("")
    monkeypatch.setattr(xstilts, "__file__", str(package))

    def git(*args):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        said = subprocess.run(
            ["git", *who, *args], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return said.stdout.strip()

    def code():
        return record.code.__wrapped__()  # not what was found before

    assert code() == name, "no repository"
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "somebody's own")
    assert code() == name, "installed below a repository that does not hold it"
    git("add", "lib")
    git("commit", "-q", "-m", "ours")
    git("tag", "v9")
    commit = git("rev-parse", "--short=12", "HEAD")
    assert code() == f"{name}, commit {commit}"
    package.write_text("changed")
    assert code() == f"{name}, commit {commit}-dirty"
    monkeypatch.setenv("PATH", "")
    assert code() == name, "no git"
