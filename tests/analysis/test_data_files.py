"""The data files beside a report: none of an earlier rendering stays beside new ones, and nothing else is touched."""

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.drawing.answer import Answer, Bar, Forest, Scale, Status
from analysis.report.data_files import MANIFEST, DataFiles
from analysis.report.sections import answers

FRAME = pd.DataFrame({"x": [1, 2]})


def rendering(folder: Path, *names: str) -> set[str]:
    """The files that are there after one."""
    files = DataFiles(folder)
    for name in names:
        files.write(name, FRAME)
    files.remove_others()
    return {path.name for path in folder.iterdir()} - {MANIFEST}


def test_files_of_an_earlier_rendering_go_and_those_of_others_or_changed_since_stay(tmp_path: Path) -> None:
    folder = tmp_path / "out_tables"
    assert rendering(folder, "curves", "old", "edited") == {
        f"{name}.{kind}" for name in ("curves", "old", "edited") for kind in ("csv", "json")
    }
    (folder / "edited.csv").write_text("mine")
    (folder / "notes.csv").write_text("mine too")
    assert rendering(folder, "curves") == {"curves.csv", "curves.json", "edited.csv", "notes.csv"}


@pytest.mark.parametrize("manifest", ["", "[]", "{", json.dumps({"../kept.csv": "0", "notes.txt": "0", "kept.csv": 0})])
def test_a_list_that_another_wrote_removes_nothing(tmp_path: Path, manifest: str) -> None:
    folder = tmp_path / "out_tables"
    folder.mkdir()
    others = [tmp_path / "kept.csv", folder / "kept.csv", folder / "notes.txt"]
    for path in others:
        path.write_text("mine")
    (folder / MANIFEST).write_text(manifest)
    assert rendering(folder, "curves") == {"curves.csv", "curves.json", "kept.csv", "notes.txt"}
    assert all(path.read_text() == "mine" for path in others)


def test_the_name_of_a_file_has_no_comma() -> None:
    forest = Forest(title="t", axis=Scale(label="x"), bars=(Bar(label="a", value=1.0, low=0.5, high=1.5),))
    answer = Answer(
        name="unseen_size",
        question="?",
        verdict="v",
        text="v",
        status=Status.answered,
        figures={"64 problems, each seen 3.4 times": forest},
    )
    (figure,) = answers.section(answer).figures
    assert figure.name == "unseen-size-64-problems-each-seen-3.4-times"
