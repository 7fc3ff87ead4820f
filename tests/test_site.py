"""docs/ builds as a site: every page is in its navigation, every link and docstring reference leads somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_of_docs_is_a_page_of_the_site(site: Path) -> None:
    pages = {str(path.relative_to(REPOSITORY / "docs").with_suffix("")) for path in REPOSITORY.glob("docs/**/*.md")}
    built = {str(path.parent.relative_to(site)) for path in site.glob("**/index.html")}
    assert pages - {"index"} == built - {"."}


def test_the_reference_has_the_docstring_of_a_scorer(site: Path) -> None:
    assert "compute_score" in (site / "api" / "index.html").read_text()


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    asked = re.compile(r"<(?:script|img|iframe)[^>]+src=\"?http|<link[^>]+rel=\"?(?:stylesheet|preload)[^>]+http")
    assert not [page for page in site.glob("**/*.html") if asked.search(page.read_text())]
