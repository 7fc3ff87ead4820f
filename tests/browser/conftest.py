"""A real browser, the system's Chromium, that nothing but the page under test may be asked of."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Started once; a test opens a page of its own with `browser.new_page(viewport=...)`."""
    subprocess.run([HERE / "install"], check=True)
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root.
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield started
        started.close()
