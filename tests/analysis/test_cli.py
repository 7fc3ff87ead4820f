"""The command line: fast help, machine-readable fits, errors with the cure."""

import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from analysis.cli import main
from tests.analysis.synthetic_rows import write_grid


def test_help_teaches_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from analysis.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('numpy', 'pandas', 'vl_convert', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "python -m analysis report --results results --grid model_scale" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_stops_early_ends_it_quietly() -> None:
    command = f"set -o pipefail; {sys.executable} -m analysis ask --list | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_report_goes_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_grid(tmp_path, models={"tiny-40k": 27_000})
    assert main(["report", "--results", str(tmp_path), "--grid", "model_scale"]) == 0
    assert (tmp_path / "reports" / "model_scale.html").exists()
    assert main(["report", "--results", str(tmp_path), "-o", str(tmp_path / "new" / "a.html")]) == 0
    assert (tmp_path / "new" / "a.html").exists()
    assert (tmp_path / "new" / "a_tables" / "results.csv").exists()
    first, best, page, *_ = capsys.readouterr().out.splitlines()[4:]
    assert best.startswith("best: tiny-40k, ")
    assert unescape((tmp_path / "new" / "a.html").read_text()).count(f">{first}<") == 1
    assert page == str(tmp_path / "new" / "a.html")


def test_figures_of_an_answer_are_files_with_plain_names(tmp_path: Path) -> None:
    write_grid(tmp_path)
    figures = tmp_path / "figures"
    assert main(["ask", "size", "--results", str(tmp_path), "--grid", "model_scale", "--figures", str(figures)]) == 0
    names = [path.name for path in figures.iterdir()]
    assert names
    assert all(re.fullmatch(r"model-scale-size-[a-z0-9-]+\.svg", name) for name in names)
    for path in figures.iterdir():
        ElementTree.parse(path)


def test_fit_as_json_holds_the_interval_and_the_held_out_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_grid(tmp_path)
    assert main(["fit", "--results", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["command"] == "fit"
    law = answer["data"][0]
    assert (law["axis"], law["subset"], law["not_fitted"]) == ("size", "all runs", None)
    assert law["fit"]["alpha_low"] < law["fit"]["alpha"] < law["fit"]["alpha_high"]
    assert law["fit"]["held_out"]["last_value_mae"] > 0
    assert len(law["runs"]) == 8


def test_a_law_that_is_not_fitted_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_grid(tmp_path, models={"tiny-40k": 27_000})
    assert main(["fit", "--results", str(tmp_path)]) == 0
    assert "not fitted: 1 distinct value of x, at least 4 are needed" in capsys.readouterr().out


def test_an_unknown_grid_ends_with_code_2_and_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_grid(tmp_path, models={"tiny-40k": 27_000})
    assert main(["report", "--results", str(tmp_path), "--grid", "nope"]) == 2
    error = capsys.readouterr().err
    assert "known grids: model_scale" in error
    assert len(error.splitlines()) == 1
