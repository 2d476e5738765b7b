"""A headless Chromium of this machine, for pages that people open from a file."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; without one on the machine the test is skipped, and on a build server it fails."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        words = f"no browser on the PATH ({', '.join(NAMES)}): pages are not looked at"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        print(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
