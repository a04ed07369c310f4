"""A headless browser that records its requests and errors."""

import contextlib
import os
import shutil
from dataclasses import dataclass, field

import pytest


@dataclass
class Tab:
    """A page of the browser, its requests and its errors."""

    page: object
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        # Root, as in CI's container, has no sandbox.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Open a file in a tab of a width; tabs are closed at the end."""
    with contextlib.ExitStack() as stack:

        def open_tab(path, width=1400):
            page = browser.new_page(viewport={"width": width, "height": 900})
            stack.callback(page.close)
            tab = Tab(page)
            page.on("request", lambda request: tab.requests.append(request.url))
            page.on("console", lambda message: tab.errors.append(message.text))
            page.on("pageerror", lambda error: tab.errors.append(str(error)))
            page.on("dialog", lambda dialog: tab.errors.append(dialog.message))
            page.goto(path.as_uri())
            return tab

        yield open_tab
