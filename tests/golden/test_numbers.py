"""The numbers of two stored results folders and of the synthetic sweep over every axis stay what they are.

`folders/sft_share` holds rows that real runs of `+grid=sft_rl_ratio` wrote (two sizes, fine-tuning shares 0 and 0.4,
two points of the grid never run); `folders/imported` what `python -m analysis import` makes of `sources/`. Every answer
goes through the command line. `pytest --update-golden tests/golden` rewrites the files under `numbers/`: commit that by
itself and say which numbers change and why.
"""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from html import unescape
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from analysis import cli as analysis
from sweeper.cli import main as sweeper
from tests.analysis.whole_sweep import write_whole_sweep
from tests.golden.trees import columnar, differences, parse, text_of

HERE = Path(__file__).parent
STORED = {"sft_share": ("--grid", "sft_rl_ratio"), "imported": (), "whole_sweep": ()}
WRITTEN = {"whole_sweep"}
# A run is known by its grid or its folder: only the sweep has states.
TABLES = (*((folder, "results") for folder in STORED), ("sft_share", "status"))
IMPORTS = (
    ("tiny-40k_s0.jsonl", "tiny-40k_s1.jsonl", "--model", "tiny-40k"),
    ("tiny-130k_s0.jsonl", "--model", "tiny-130k", "--seed", "0", "--gpus", "1"),
)
IMPORT_LABELS = ("--algorithm", "grpo", "--domain-mix", "uniform", "--n-unique", "64")


def printed(main: Callable[[Sequence[str]], int], *arguments: str) -> str:
    out = StringIO()
    with redirect_stdout(out):
        assert main(arguments) == 0
    return out.getvalue()


QUESTIONS = tuple(json.loads(printed(analysis.main, "ask", "--list", "--json"))["data"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies, since readers may leave files beside what they read."""
    root = tmp_path_factory.mktemp("golden")
    shutil.copytree(HERE / "folders", root, dirs_exist_ok=True)
    write_whole_sweep(root / "whole_sweep", seeds=2)
    return {name: root / name for name in STORED}


def assert_golden(found: Any, name: str, *, update: bool) -> None:
    path = HERE / "numbers" / f"{name}.json"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(found))
    first = list(islice(differences(json.loads(path.read_text()), found), 11))
    assert not first, "\n".join([f"{path.relative_to(HERE)} differs:", *first[:10], *(["..."] if first[10:] else [])])


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("folder", STORED)
def test_every_answer_is_the_golden_one(
    folder: str, question: str, folders: dict[str, Path], update_golden: bool
) -> None:
    command = ("ask", question, "--results", str(folders[folder]), *STORED[folder], "--json")
    assert_golden(parse(printed(analysis.main, *command)), f"{folder}/ask_{question}", update=update_golden)


@pytest.mark.parametrize(("folder", "verb"), TABLES)
def test_the_tables_of_results_and_states_are_the_golden_ones(
    folder: str, verb: str, folders: dict[str, Path], update_golden: bool
) -> None:
    found = printed(sweeper.main, verb, "--results", str(folders[folder]), "--json")
    assert_golden(parse(found), f"{folder}/{verb}", update=update_golden)


def sentences(page: str) -> list[str]:
    """The texts of a page's paragraphs and list items."""
    page = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    texts = re.findall(r"<(p|li)\b[^>]*>(.*?)</\1>", page, re.DOTALL)
    return [unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text))).strip() for _, text in texts]


def without_written_digest(text: str, folder: str) -> str:
    """The text without the digest of files that the test writes itself: their last bits are those of the machine."""
    return re.sub(r"digest [0-9a-f]{16}", "digest of this machine", text) if folder in WRITTEN else text


@pytest.mark.parametrize("folder", STORED)
def test_the_reports_numbers_and_sentences_are_the_golden_ones(
    folder: str, folders: dict[str, Path], tmp_path: Path, update_golden: bool
) -> None:
    out = tmp_path / "report.html"
    printed(analysis.main, "report", "--results", str(folders[folder]), *STORED[folder], "-o", str(out))
    out.write_text(without_written_digest(out.read_text(), folder))
    tables = {path.stem: json.loads(path.read_text()) for path in sorted((tmp_path / "report_tables").glob("*.json"))}
    # The numbers of an answer are golden already: of its tables only how many records they have.
    repeated = tuple(f"{question.replace('_', '-')}-" for question in QUESTIONS)
    shown = {
        name: {"records": len(records)}
        if name.startswith(repeated)
        else columnar(json.loads(without_written_digest(json.dumps(records), folder)))
        for name, records in tables.items()
    }
    assert_golden(shown, f"{folder}/report", update=update_golden)
    assert_golden(sentences(out.read_text()), f"{folder}/report_sentences", update=update_golden)


NEW = ("probs_diff", "truncated", "clip_share", "grad_norm")


def without_new_measures(row: Path) -> str:
    """A row as it was when the stored ones were imported: these were not read, nor metrics without a place told."""
    told = json.loads(row.read_text())
    curve = [{key: value for key, value in point.items() if key not in NEW} for point in told["curve"]]
    missing = {name: why for name, why in told["imported"]["missing"].items() if name != "metrics"}
    missing = {name: why.replace(" must be logged at every step", " must be logged") for name, why in missing.items()}
    return json.dumps({**told, "curve": curve, "imported": {**told["imported"], "missing": missing}})


def test_an_import_of_the_sources_gives_the_stored_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "sources")  # a row names its source as it was typed
    for arguments in IMPORTS:
        printed(analysis.main, "import", *arguments, *IMPORT_LABELS, "--results", str(tmp_path))
    stored = {path.name: parse(path.read_text()) for path in (HERE / "folders" / "imported" / "rows").iterdir()}
    found = {path.name: parse(without_new_measures(path)) for path in (tmp_path / "rows").iterdir()}
    assert found.keys() == stored.keys()
    for name in stored:
        assert not list(islice(differences(stored[name], found[name], name), 10))


def test_there_is_a_golden_file_for_every_command_and_no_other() -> None:
    commands = [*(f"ask_{question}" for question in QUESTIONS), "report", "report_sentences"]
    expected = {f"{folder}/{command}.json" for folder in STORED for command in commands}
    expected |= {f"{folder}/{verb}.json" for folder, verb in TABLES}
    assert {str(path.relative_to(HERE / "numbers")) for path in (HERE / "numbers").rglob("*.json")} == expected


@pytest.mark.parametrize(
    ("kept", "found", "message"),
    [
        ([{"a": 1.0}, {"a": 2.0}], [{"a": 1.0}, {"a": 2.000004}], "each.a[1]: 2.0 is now 2.000004"),
        ({"a": {"b": None}}, {"a": {"b": 0.0}}, "a.b: null is now 0.0"),
        ({"a": 1}, {"a": True}, "a: 1 is now true"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, 'whole: keys ["a", "b"] are now ["b", "a"]'),
        ({"a": [1, 2]}, {"a": [1]}, "a: 2 items are now 1"),
        ({"a": "0.12"}, {"a": "0.13"}, 'a: "0.12" is now "0.13"'),
        (
            {"tables": {"curves": [{"low": 0.1}, {"low": 0.2}]}},
            {"tables": {"curves": [{"low": 0.1}, {"low": 0.200006}]}},
            "tables.curves.each.low[1]: 0.2 is now 0.200006",
        ),
    ],
)
def test_a_difference_is_named_by_its_path(kept: Any, found: Any, message: str) -> None:
    assert list(differences(columnar(kept), columnar(found))) == [message]


def test_last_digits_and_the_way_through_a_file_make_no_difference() -> None:
    # Columns are made once: a list of objects within columns stays as it was written.
    tree = {"a": [{"x": 1 / 3, "y": [0.1, None]}, {"x": 2e-12, "y": []}], "b": {}, "c": [[1], ["é\n"]]}
    near = {"a": [{"x": 1 / 3 + 1e-8, "y": [0.1, None]}, {"x": 0.0, "y": []}], "b": {}, "c": [[1], ["é\n"]]}
    assert list(differences(json.loads(text_of(columnar(tree))), columnar(near))) == []
