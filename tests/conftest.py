"""What all tests share: hypothesis settings, their order, and no silent skips in CI."""

import os
import re
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

# No deadline: a first call may import a library. In CI the same examples every time.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")

CLUSTER = "tests/slurm/"  # its tests share a cluster, which takes long to bring up
ORDER = ["", CLUSTER, "tests/workflow/"]  # the fast tests first; the cluster waits much


def pytest_collection_modifyitems(items):
    """Put the fast tests first, then those on the cluster."""
    items.sort(key=lambda item: max(i for i, at in enumerate(ORDER) if item.nodeid.startswith(at)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Of two processes, give each whole files, and one of them the tests on the cluster.

    That is `--dist loadgroup`, which pytest-xdist 3.8 does not keep under pytest 9.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return CLUSTER if nodeid.startswith(CLUSTER) else nodeid.partition("::")[0]

    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail a test that skips in CI."""
    return _no_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Fail a module that skips in CI as a whole."""
    return _no_skip((yield))


def _no_skip(report):
    """With CI set, fail what skips, unless its reason names a path in `../shared` that is absent.

    An installable part that is missing would else shrink the tests without a word. An expected
    failure is no skip.
    """
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        path = re.search(r"\.\./shared[\w/-]*", reason)
        if not path or (ROOT / path.group()).exists():
            report.outcome = "failed"
            report.longrepr = f"skipped, which may not happen in CI: {reason}"
    return report
