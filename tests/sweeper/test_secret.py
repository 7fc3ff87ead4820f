from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.host import secret
from sweeper.host.errors import ConfigError
from sweeper.plan.secret_refusals import refuse_secrets
from sweeper.rows.row import Failure, row_path, write_row
from tests.sweeper.points import plan, spec
from tests.sweeper.rows import row

PLANTED = "hunter2-0123456789"


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_a_secrets_file_gives_its_variables(tmp_path: Path) -> None:
    path = private(tmp_path / "s", f"# mine\nWANDB_API_KEY={PLANTED}\n\nexport HF_TOKEN='a=b'\n")
    assert secret.read(path) == {"WANDB_API_KEY": PLANTED, "HF_TOKEN": "a=b"}


@pytest.mark.parametrize(
    ("mode", "text", "cure"),
    [(0o644, "A=b", "chmod 600"), (0o640, "A=b", "chmod 600"), (0o600, f"A=b\n{PLANTED}", "line 2: not NAME=value")],
)
def test_a_file_that_others_may_read_or_that_is_malformed_is_refused_without_its_content(
    mode: int, text: str, cure: str, tmp_path: Path
) -> None:
    path = private(tmp_path / "s", text)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=cure) as refusal:
        secret.read(path)
    assert PLANTED not in str(refusal.value)


@pytest.mark.parametrize(
    ("override", "cure"),
    [
        ("cluster.environment=[WANDB_API_KEY]", "names WANDB_API_KEY"),
        ("cluster.environment=['A=b']", "not a variable's name"),
        ("cluster.environment=[SLURM_CPU_BIND]", "SLURM sets that for each job"),
        (f"cluster.setup=['export HF_TOKEN={PLANTED}']", "gives HF_TOKEN a value"),
        ("cluster.secrets_file=/nowhere/secrets", "cannot be read: No such file"),
    ],
)
def test_settings_that_would_write_a_secret_down_are_refused_before_anything_is_queued(
    override: str, cure: str, tmp_path: Path
) -> None:
    run = plan(tmp_path, "cluster=slurm", "seed=0,1", override).refused[0]
    assert cure in str(run.reason)
    assert PLANTED not in str(run.reason)


@pytest.mark.parametrize("line", ["export HF_TOKEN=$(cat ~/.hf)", 'export WANDB_API_KEY="$KEY"', "module load cuda"])
def test_setup_lines_that_work_a_secret_out_on_the_node_are_accepted(line: str) -> None:
    cluster = spec("cluster=slurm").cluster
    refuse_secrets(replace(cluster, setup=(line,)))


def test_a_row_never_holds_the_value_of_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", PLANTED)
    run = spec("seed=1")
    write_row(tmp_path, row(run, failure=Failure(phase="train", reason=f"login failed for {PLANTED}", log="x")))
    text = row_path(tmp_path, run.run_id).read_text()
    assert PLANTED not in text
    assert "login failed for [WANDB_API_KEY]" in text
