"""Eight secrets in the environment, in a secrets file, in messages and in settings: none is written down."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from analysis.cli import main as analysis
from sweeper.cli.main import main as sweeper
from sweeper.grid.overrides import parsed
from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.job.exit import _told, finish
from sweeper.job.phases import Measured
from sweeper.job.run import begin
from sweeper.plan.secret_refusals import SecretSearch
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, row_path
from sweeper.runs.folder import RunDir
from sweeper.runs.triage import Ending, classify
from tests.canaries import CANARIES, holding, tell
from tests.sweeper.points import spec
from tests.sweeper.rows import row
from tests.sweeper.test_environment import launched

POINT = ("model=tiny-40k", "data_scale=n64", "training.total_steps=1")
SAID = "refused: " + " and ".join(CANARIES.values())


@pytest.fixture
def in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)


def test_the_search_for_canaries_finds_each_of_them(tmp_path: Path) -> None:
    for name, value in CANARIES.items():
        (tmp_path / name).write_text(json.dumps({"x": value}))
    (tmp_path / "piece").write_text(CANARIES["CANARY_PAT"][6:20])
    assert {f"{name}: {name}" for name in CANARIES} | {"piece: CANARY_PAT"} <= set(holding(tmp_path))
    assert tell([SAID]) == [*CANARIES]


def test_a_run_with_secrets_in_environment_and_file_leaves_none_behind(tmp_path: Path) -> None:
    """Real processes: the launch, its job and the report."""
    results, private = tmp_path / "results", tmp_path / "private"
    private.write_text("".join(f"{name}={value}\n" for name, value in [*CANARIES.items()][4:]))
    private.chmod(0o600)
    variables, said, _ = launched(results, f"cluster.secrets_file={private}", **dict([*CANARIES.items()][:4]))
    assert variables >= CANARIES.keys()  # the job had them
    (attempt,) = next((results / "runs").iterdir()).glob("attempts/*")
    arguments = json.loads((attempt / "standin.json").read_text())["arguments"]
    assert tell([said, *arguments]) == []
    assert holding(results) == []
    assert (results / "reports").is_dir()


@pytest.mark.usefixtures("in_environment")
@pytest.mark.parametrize("before", ["", "x" * 280, "x" * 480])
def test_a_run_that_fails_with_secrets_in_its_words_leaves_none_behind(
    before: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = spec(*POINT)
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.path.mkdir(parents=True)
    run_dir.freeze(run)
    attempt = run_dir.new_attempt()
    assert finish(begin(run_dir, run, attempt), Measured(), RunFailedError(f"ValueError: {before}{SAID}")) == 1
    for verb in (["why", str(run.run_id)], ["status"], ["results"], ["retry", "--dry-run"]):
        sweeper([*verb, "--results", str(tmp_path)])
    assert analysis(["report", "--results", str(tmp_path), "-o", str(tmp_path / "report.html")]) == 0
    out, err = capsys.readouterr()
    assert "FAILED in " in out
    assert tell([out, err]) == []
    assert holding(tmp_path) == []


@pytest.mark.usefixtures("in_environment")
@pytest.mark.parametrize("before", ["", "x" * 280, "x" * 480])
def test_each_layer_of_a_failure_hides_by_itself(
    before: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Diagnosis, job and row: in a whole run each of the last two hides what the one before it let through."""
    run, said = spec(*POINT), f"ValueError: {before}{SAID}"
    found = classify(Ending(status="failed", reason=said))
    assert found.evidence is not None
    assert "ValueError" in found.evidence
    assert tell([found.evidence]) == []
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.path.mkdir(parents=True)
    failure = _told(begin(run_dir, run, run_dir.new_attempt()), said, FailureClass.config)
    assert tell([failure.reason, str(failure.evidence), capsys.readouterr().out]) == []
    written = row(run, failure=Failure(phase="train", reason=said, log="x", evidence=said)).to_json()
    assert "ValueError" in written
    assert tell([written]) == []


@pytest.mark.usefixtures("in_environment")
def test_a_report_of_rows_that_others_wrote_holds_none_of_ours(tmp_path: Path) -> None:
    run, rows = spec(*POINT), tmp_path / "theirs" / "rows"
    rows.mkdir(parents=True)
    values = asdict(row(run, failure=Failure(phase="train", reason=SAID, log="x", evidence=SAID)))
    row_path(rows.parent, run.run_id).write_text(json.dumps(values))
    out = tmp_path / "out"
    assert analysis(["report", "--results", str(rows.parent), "-o", str(out / "report.html")]) == 0
    assert holding(rows) != []
    assert holding(out) == []


@pytest.mark.usefixtures("in_environment")
def test_an_import_and_an_export_hold_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results"
    for number, value in enumerate(CANARIES.values()):
        table = tmp_path / f"t{number}.csv"
        named = value.replace('"', '""')
        table.write_text(f'run,step,reward\n"{named}",1,0.5\n"{named}",2,0.6\n')
        columns = ["--map", "reward=critic/score/mean"]
        assert analysis(["import", str(table), *columns, "--model", "tiny-40k", "--results", str(results)]) == 0
    assert sweeper(["export-sbatch", f"results_dir={results}", *POINT, "cluster=slurm", "cluster.device=cpu"]) == 0
    assert len(list((results / "rows").glob("*.json"))) == len(CANARIES)
    assert len(list((results / "slurm").glob("*.sh"))) == 1
    assert tell(capsys.readouterr()) == []
    assert holding(results) == []


@pytest.mark.usefixtures("in_environment")
@pytest.mark.parametrize("name", [*CANARIES])
@pytest.mark.parametrize("place", ["+verl.trainer.project_name={}", "cluster.setup=[{}]", "model.path={}"])
def test_a_launch_with_a_secret_in_its_settings_writes_and_prints_nothing_of_it(
    name: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quoted = json.dumps(CANARIES[name], ensure_ascii=False)
    assert sweeper([f"results_dir={tmp_path}", *POINT, "cluster=slurm", place.format(quoted)]) == 2
    out, err = capsys.readouterr()
    assert "holds" in err
    assert tell([out, err]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("in_environment")
@pytest.mark.parametrize("name", [*CANARIES])
def test_each_layer_of_a_launch_refuses_a_secret_by_itself(name: str) -> None:
    """The words of a command line, and what is composed of them and of files: the first stands before the second."""
    value = CANARIES[name]
    with pytest.raises(ConfigError, match="holds") as of_words:
        parsed([f"model.path={json.dumps(value, ensure_ascii=False)}"])
    with pytest.raises(ConfigError, match=r"model\.path holds") as of_files:
        SecretSearch().refuse({"model": {"path": value}})
    assert tell([str(of_words.value), str(of_files.value)]) == []
