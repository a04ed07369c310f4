"""A real browser without a window, that notes all it is asked to fetch and all it complains of."""

import contextlib
import os
import shutil
from dataclasses import dataclass, field

import pytest


@dataclass
class Tab:
    """A page of the browser, and what happened in it."""

    page: object
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        # Root, as in CI's container, has no sandbox.
        found = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser):
    """From a file and a width to its tab; each is closed at the end."""
    with contextlib.ExitStack() as stack:

        def tab(path, width=1400):
            page = browser.new_page(viewport={"width": width, "height": 900})
            stack.callback(page.close)
            found = Tab(page)
            page.on("request", lambda request: found.requests.append(request.url))
            page.on("console", lambda said: found.complaints.append(said.text))
            page.on("pageerror", lambda error: found.complaints.append(str(error)))
            page.on("dialog", lambda dialog: found.complaints.append(dialog.message))
            page.goto(path.as_uri())
            return found

        yield tab
