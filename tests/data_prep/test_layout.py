"""Which files of a folder are read, what each is for, and what is said of the rest."""

import json
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_prep.cli import main
from data_prep.materialise import materialise
from data_prep.sources.layout import folder_digest, source_layout, training_layout
from data_prep.sources.role import Role, named_split
from data_prep.spec import DataError, DataSpec
from tests.data_prep.guru import record


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def _roles(root: Path) -> dict[str, Role]:
    return {file.path.relative_to(root).as_posix(): file.role for file in source_layout(root).files}


def test_gurus_own_folders_say_what_a_file_is_for(tmp_path: Path) -> None:
    _touch(tmp_path, "train/math.parquet", "online_eval/a.parquet", "offline_eval/b.parquet", ".cache/c.parquet")
    assert _roles(tmp_path) == {
        "train/math.parquet": Role.train,
        "online_eval/a.parquet": Role.evaluation,
        "offline_eval/b.parquet": Role.offline_evaluation,
    }


def test_the_curriculums_holdout_is_for_evaluation(tmp_path: Path) -> None:
    _touch(tmp_path, "math__sampled_1_4_12800.parquet", "holdout_500.parquet")
    assert _roles(tmp_path)["holdout_500.parquet"] is Role.evaluation
    assert _roles(tmp_path)["math__sampled_1_4_12800.parquet"] is Role.train


def test_a_folder_of_evaluation_files_alone_is_flat(tmp_path: Path) -> None:
    _touch(tmp_path, "holdout_500.parquet", "test_500.parquet")
    assert set(_roles(tmp_path).values()) == {Role.train}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("test.parquet", Role.evaluation),
        ("TEST.jsonl", Role.evaluation),
        ("data/test-00000-of-00001.parquet", Role.evaluation),
        ("data/test-00000-of-00001-8a0f3c1d2e4b5f67.parquet", Role.evaluation),
        ("data/train-00000-of-00001.parquet", Role.train),
        ("main/validation/0000.parquet", Role.evaluation),
        ("Validation/part.jsonl.gz", Role.evaluation),
        ("val.jsonl", Role.evaluation),
        ("valid_2.json", Role.evaluation),
        ("dev.csv", Role.evaluation),
        ("devset.jsonl", Role.evaluation),
        ("eval/a.jsonl", Role.evaluation),
        ("evaluation.parquet", Role.evaluation),
        ("testmini.parquet", Role.evaluation),
        ("gsm8k_test.parquet", Role.evaluation),
        ("gsm8k.test.jsonl", Role.evaluation),
        ("gsm8kTest.jsonl", Role.evaluation),
        ("test_1319_rows/a.jsonl", Role.evaluation),
        ("holdout.parquet", Role.evaluation),
        ("held-out/a.parquet", Role.evaluation),
        ("train/a.parquet", Role.train),
        ("train/values.parquet", Role.train),
        ("math.parquet", Role.train),
        ("contest.jsonl", Role.train),
        ("code_contests.parquet", Role.train),
        ("shortest_paths.jsonl", Role.train),
        ("humaneval.parquet", Role.train),
        ("mytest.jsonl", None),
        ("gsm8ktest.parquet", None),
        ("math/mathtests.jsonl", None),
        ("latest.jsonl", Role.train),
        ("medieval.jsonl", Role.train),
        ("train_test_split.parquet", None),
        ("train/test.parquet", None),
        ("test/train.parquet", None),
        ("values.jsonl", None),
        ("developer_questions.jsonl", None),
        ("math_test_prep.jsonl", None),
    ],
)
def test_a_name_says_what_a_file_is_for_or_that_it_must_be_asked(name: str, role: Role | None) -> None:
    assert named_split(name) is role


def _problems(root: Path, **files: range) -> None:
    for name, numbers in files.items():
        path = root / name.replace("__", "/").replace("_jsonl", ".jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [record(f"How many positive integers below {n}{n} are multiples of {n}?", str(n)) for n in numbers]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _ids(path: Path) -> set[str]:
    return {row["prompt"][0]["content"] for row in pq.read_table(path).to_pylist()}


@pytest.mark.parametrize("test", ["test_jsonl", "data__val_jsonl", "VALIDATION__a_jsonl"])
def test_no_problem_of_a_test_file_is_trained_on(tmp_path: Path, test: str) -> None:
    _problems(tmp_path / "in", train_jsonl=range(100, 140), **{test: range(500, 510)})
    spec = DataSpec(root=str(tmp_path / "in"), n_unique=None, n_eval_per_domain=None, n_val_per_domain=4)
    prepared = materialise(spec, tmp_path / "out")
    assert len(_ids(prepared.train)) == 40
    assert len(_ids(prepared.evaluation)) == 10
    assert not _ids(prepared.train) & _ids(prepared.evaluation)


def test_what_cannot_be_told_is_refused_with_the_cure_and_asked_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _problems(tmp_path, train_jsonl=range(100, 120), values_jsonl=range(200, 210))
    with pytest.raises(DataError, match=r'values\.jsonl.*does not say.*columns\.yaml: "values\.jsonl": {evaluation'):
        folder_digest(tmp_path)
    assert main(["validate", str(tmp_path)]) == 1
    assert "values.jsonl: unclear role: " in capsys.readouterr().out
    (tmp_path / "columns.yaml").write_text('"values.jsonl": {evaluation: true}\n')
    assert _roles(tmp_path) == {"train.jsonl": Role.train, "values.jsonl": Role.evaluation}
    (tmp_path / "columns.yaml").write_text('"values.jsonl": {evaluation: false}\n')
    assert set(_roles(tmp_path).values()) == {Role.train}
    assert main(["validate", str(tmp_path)]) == 0


@pytest.mark.parametrize("is_first", [True, False])
def test_what_a_file_is_for_may_be_declared_beside_its_columns(tmp_path: Path, is_first: bool) -> None:
    columns = "{prompt: question, ground_truth: answer, data_source: gsm8k}"
    entries = ['"my_test_v2.jsonl": {evaluation: true}', f'"*.jsonl": {columns}'][:: 1 if is_first else -1]
    for name in ("a.jsonl", "my_test_v2.jsonl"):
        (tmp_path / name).write_text('{"question": "How many?", "answer": "1"}\n')
    (tmp_path / "columns.yaml").write_text("\n".join(entries))
    files = training_layout(tmp_path).files
    assert [(file.name, file.role) for file in files] == [
        ("a.jsonl", Role.train),
        ("my_test_v2.jsonl", Role.evaluation),
    ]
    assert all(file.mapping is not None for file in files)


def test_a_declaration_that_no_file_has_the_name_of_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _problems(tmp_path / "in", a_jsonl=range(100, 140))
    (tmp_path / "in" / "columns.yaml").write_text('"tset.jsonl": {evaluation: true}\n"a.*": {evaluation: false}\n')
    said = 'columns.yaml declares "tset.jsonl", and no file is called so'
    assert main(["validate", str(tmp_path / "in")]) == 0
    assert f"note: {said}\n" in capsys.readouterr().out
    spec = DataSpec(root=str(tmp_path / "in"), n_unique=8, n_eval_per_domain=4, n_val_per_domain=2)
    assert json.loads(materialise(spec, tmp_path / "out").manifest.read_text())["notes"] == {said: 1}


def test_a_folder_with_a_test_file_alone_is_refused_for_training_and_can_be_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _problems(tmp_path, test_jsonl=range(100, 120))
    with pytest.raises(DataError, match=r"no file for training: .*test\.jsonl.*evaluation: false"):
        training_layout(tmp_path)
    assert main(["validate", str(tmp_path)]) == 0
    assert "note: there is nothing to train on" in capsys.readouterr().out


def test_a_published_layout_keeps_its_digest_and_one_that_is_read_otherwise_gets_another(tmp_path: Path) -> None:
    _problems(tmp_path / "a", train__a_jsonl=range(3), online_eval__b_jsonl=range(3, 5), holdout_500_jsonl=range(5, 6))
    assert folder_digest(tmp_path / "a") == "60005e34d02ed4de2181fd7712bb708db08f3ac8370b0f489b703f1fbb07c7ca"
    _problems(tmp_path / "b", train_jsonl=range(3), test_jsonl=range(3, 5))
    before = folder_digest(tmp_path / "b")
    (tmp_path / "b" / "columns.yaml").write_text('"test.jsonl": {evaluation: false}\n')
    with_columns = folder_digest(tmp_path / "b")
    (tmp_path / "b" / "columns.yaml").write_text('"test.jsonl": {evaluation: true}\n')
    assert len({before, with_columns, folder_digest(tmp_path / "b")}) == 3


def test_what_is_not_read_is_named_with_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _problems(tmp_path / "in", a_jsonl=range(100, 140))
    for name in ("one.txt", "two.txt", "three.txt", "four.txt", "e.csv", "about.json", "cache-1.arrow"):
        (tmp_path / "in" / name).write_text('{"a": 1}\n')
    (tmp_path / "in" / "gone").symlink_to("/nowhere/at/all")
    said = source_layout(tmp_path / "in").said()
    assert any(line.startswith("4 files not read, ending .txt is none of") and "and 1 more" in line for line in said)
    for words in ("e.csv", "about.json", "cache-1.arrow", "a broken link, to /nowhere/at/all: gone"):
        assert any(words in line and line.startswith("1 file not read") for line in said), words
    assert main(["validate", str(tmp_path / "in")]) == 0
    assert capsys.readouterr().out.count("not read") == 5
    assert main(["inspect", str(tmp_path / "in")]) == 0
    assert capsys.readouterr().out.count("not read") == 5
    spec = DataSpec(root=str(tmp_path / "in"), n_unique=8, n_eval_per_domain=4, n_val_per_domain=2)
    notes = json.loads(materialise(spec, tmp_path / "out").manifest.read_text())["notes"]
    assert sum(count for note, count in notes.items() if "not read" in note) == 8


def test_a_folder_of_which_nothing_can_be_read_says_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    (tmp_path / "rows.xlsx").write_text("")
    with pytest.raises(DataError, match=r"no file that can be read.*not declared in columns\.yaml.*rows\.xlsx"):
        training_layout(tmp_path)


@pytest.mark.parametrize("verb", ["inspect", "validate"])
def test_a_folder_of_a_table_alone_is_answered_with_the_line_that_declares_its_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    (tmp_path / "rows.csv").write_text("question,answer\nHow many?,1\n")
    assert main([verb, str(tmp_path)]) == 2
    command = capsys.readouterr().err.partition("This declares them: ")[2]
    subprocess.run(command, shell=True, check=True)
    assert main([verb, str(tmp_path)]) == 0


def test_links_are_followed_and_one_that_leads_back_is_named(tmp_path: Path) -> None:
    _problems(tmp_path / "elsewhere", a_jsonl=range(3))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "train").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "in")
    layout = source_layout(tmp_path / "in")
    assert [file.name for file in layout.files] == ["train/a.jsonl"]
    assert [(item.name, item.why) for item in layout.unread] == [
        ("train/back", "a link back to a folder that it is in")
    ]


def test_a_broken_link_to_data_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _problems(tmp_path, a_jsonl=range(3))
    (tmp_path / "b.jsonl").symlink_to("/nowhere/b.jsonl")
    with pytest.raises(DataError, match=r"b\.jsonl: a broken link, to /nowhere/b\.jsonl"):
        folder_digest(tmp_path)
    assert main(["validate", str(tmp_path)]) == 1
    assert "b.jsonl: unreadable: a broken link" in capsys.readouterr().out


def test_a_folder_named_as_a_file_is_entered(tmp_path: Path) -> None:
    _problems(tmp_path / "b.jsonl", a_jsonl=range(3))
    assert list(_roles(tmp_path)) == ["b.jsonl/a.jsonl"]
