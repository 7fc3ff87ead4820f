import json
import subprocess
from pathlib import Path

import pytest

from sweeper.host.errors import ConfigError
from sweeper.launch.slurm import frozen_start
from sweeper.launch.slurm.array import Chunk
from sweeper.launch.slurm.script import script, setup
from sweeper.launch.slurm.shape import shape_of
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from tests.sweeper.points import spec

GOLDEN = Path(__file__).parent / "golden"
RESULTS = Path("/shared/results")
COMMON = ("model_family=qwen2.5", "model=qwen2.5-7b", "cluster.partition=h100", "cluster.account=rl")
SITES = {
    "plain": ("cluster=slurm", "cluster.python=/shared/envs/sweeper/bin/python"),
    "modules": ("cluster=slurm_modules",),
    "pyxis": (
        "cluster=slurm_pyxis",
        "cluster.container.image=/shared/images/sweeper.sqsh",
        "cluster.container.mounts=[/shared/hf,/local/scratch:/tmp]",
    ),
    "apptainer": (
        "cluster=slurm_apptainer",
        "cluster.container.image=/shared/images/sweeper.sif",
        "cluster.container.mounts=[/shared/hf]",
        "model.resources.nodes=2",
    ),
}


def rendered(run: RunSpec) -> str:
    code = str(RESULTS / "code" / "0123456789abcdef")
    chunk = Chunk(name="sweep-0123456789", run_ids=(run.run_id,) * 3, code=code, digest="0123", at_once=2)
    return script(chunk, shape_of(run), RESULTS)


@pytest.mark.parametrize("site", SITES)
def test_the_batch_script_of_each_kind_of_site_is_the_golden_one(site: str, update_golden: bool) -> None:
    start = f"'{Path(frozen_start.__file__).read_text()}'"
    assert not set(start[1:-1]) & set("`$'")  # nothing in it that a shell would look at
    text, path = rendered(spec(*COMMON, *SITES[site])), GOLDEN / f"sbatch_{site}.sh"
    assert start in text
    text = text.replace(start, "'frozen_start.py'")
    if update_golden:
        path.write_text(text)
    assert text == path.read_text()


def test_a_job_without_gpus_asks_for_none_and_its_container_gets_none() -> None:
    text = rendered(spec(*COMMON, *SITES["apptainer"], "cluster.gpus_per_node=0", "cluster.max_nodes=2"))
    assert "gpus" not in text
    assert "--nv" not in text


def test_a_results_folder_with_a_pattern_of_slurms_in_its_name_keeps_it() -> None:
    chunk = Chunk(name="sweep-0123456789", run_ids=(RunId("a"),), code="/code", at_once=2)
    text = script(chunk, shape_of(spec(*COMMON, *SITES["plain"])), Path("/shared/50%j of %x"))
    assert "#SBATCH --output='/shared/50%%j of %%x/slurm/logs/%A_%a_0_log.out'" in text
    assert "--output '/shared/50%%j of %%x/slurm/logs/%A_%a_%t_log.out'" in text
    assert "sweeper.launch.slurm.element '/shared/50%j of %x' sweep-0123456789" in text


def test_only_named_variables_pass_from_the_submitter() -> None:
    text = rendered(spec(*COMMON, *SITES["plain"], "cluster.environment=[HF_HOME,MY_FLAG]"))
    assert "#SBATCH --export=HOME,LANG,LOGNAME,PATH,SHELL,USER,HF_HOME,MY_FLAG" in text


@pytest.mark.parametrize("name", ["a\ntouch injected", "a\x1b[2J", "a\u2028b", "a\rb"])
def test_no_line_of_a_script_comes_from_a_path(name: str) -> None:
    for results, code in ((RESULTS / name, "/code"), (RESULTS, f"/code/{name}")):
        chunk = Chunk(name="sweep-0123456789", run_ids=(RunId("a"),), code=code, at_once=2)
        with pytest.raises(ConfigError, match=r"(results_dir|code)=.*control characters"):
            script(chunk, shape_of(spec(*COMMON, *SITES["plain"])), results)


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        (["module load cuda/99", "touch began"], 127, "cluster.setup failed (exit code 127): module load cuda/99"),
        (["false || true", "[ -n '' ] && touch began", "if true; then", "true", "fi"], 0, ""),
        (["cd /nowhere"], 1, "cluster.setup failed (exit code 1): cd /nowhere"),
        (["source ./profile", "set -e"], 0, ""),
        (["module() { false; true; }", "module load cuda"], 0, ""),
        (["module() { true; return 3; }", "module load cuda"], 3, "cluster.setup failed (exit code 3): "),
        (["source ./none"], 1, "cluster.setup failed (exit code 1): source ./none"),
    ],
)
def test_a_line_of_the_setup_that_fails_ends_the_job_and_is_named(
    tmp_path: Path, lines: list[str], code: int, said: str
) -> None:
    shape = shape_of(spec("cluster=slurm_cpu", f"cluster.setup={json.dumps(lines)}"))
    (tmp_path / "profile").write_text('[ -n "$PS1" ]\nfalse\ntrue\n')  # as those that people source
    (tmp_path / "job.sh").write_text("\n".join([*setup(shape), "false", "touch ran"]))
    for command in (["job.sh"], ["-c", (tmp_path / "job.sh").read_text()]):  # a job's, and doctor's
        done = subprocess.run(["bash", *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == code
        assert said in done.stderr
        assert (tmp_path / "ran").exists() == (code == 0)
        (tmp_path / "ran").unlink(missing_ok=True)
