"""What is remembered of configuration files between compositions."""

import os
from pathlib import Path

import pytest

from sweeper.grid import repository
from sweeper.grid.expand import expand, hydra_session
from sweeper.grid.project import MARKER


@pytest.fixture
def option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of a project of the user's, who stands in it."""
    (tmp_path / MARKER).touch()
    path = tmp_path / "conf" / "algorithm" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("defaults: [grpo]\nentropy_coeff: 0.5\n")
    monkeypatch.chdir(tmp_path)
    return path


def entropy_coeff(*more: str) -> float:
    config = expand(["algorithm=mine", *more], multirun=False).points[0].config
    return float(config["algorithm"]["entropy_coeff"])


def test_a_file_that_has_changed_is_read_again_and_no_composition_changes_what_the_next_one_reads(option: Path) -> None:
    assert entropy_coeff() == 0.5
    assert entropy_coeff("algorithm.entropy_coeff=0.9") == 0.9
    assert entropy_coeff() == 0.5
    option.write_text("defaults: [grpo]\nentropy_coeff: 0.25\n")  # by one byte longer
    assert entropy_coeff() == 0.25
    before = option.stat()
    option.write_text("defaults: [grpo]\nentropy_coeff: 0.75\n")
    os.utime(option, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with hydra_session():
        assert entropy_coeff() == 0.75
    assert option in repository._parsed  # else this shows nothing
