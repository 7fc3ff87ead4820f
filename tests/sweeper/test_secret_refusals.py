"""What a configuration may not hold: refused before anything is written, without telling it."""

from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.grid.expand import expand
from sweeper.host import secret
from sweeper.host.errors import ConfigError
from sweeper.plan.plan import make_plan
from sweeper.plan.secret_refusals import SecretSearch, refuse_secrets
from tests.sweeper.points import plan, spec
from tests.sweeper.test_secret import PLANTED, SHAPED, private

ON_SLURM = "cluster=slurm"


@pytest.fixture(autouse=True)
def nothing_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_read", {})


@pytest.mark.parametrize(
    ("override", "cure"),
    [
        ("cluster.environment=[WANDB_API_KEY]", "names WANDB_API_KEY"),
        ("cluster.environment=[GITHUB_PAT]", "names GITHUB_PAT"),
        ("cluster.environment=[ALL]", "names ALL, which is not a variable but a word of sbatch"),
        ("cluster.environment=[none]", "names none, which is not a variable"),
        ("cluster.environment=[HOME,NIL]", "names NIL, which is not a variable"),
        ("cluster.environment=['A=b']", "not a variable's name"),
        ("cluster.environment=[SLURM_CPU_BIND]", "SLURM sets that for each job"),
        (f"cluster.setup=['export HF_TOKEN={PLANTED}']", "gives HF_TOKEN a value"),
        ("cluster.secrets_file=/nowhere/secrets", "cannot be read: No such file"),
    ],
)
def test_settings_that_would_write_a_secret_down_are_refused_before_anything_is_queued(
    override: str, cure: str, tmp_path: Path
) -> None:
    run = plan(tmp_path, ON_SLURM, "seed=0,1", override).refused[0]
    assert cure in str(run.reason)
    assert PLANTED not in str(run.reason)


def test_a_proxy_passes_to_jobs_unless_its_address_holds_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = spec(ON_SLURM).cluster
    assert "HTTPS_PROXY" in cluster.environment
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    refuse_secrets(cluster)
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pw@proxy:3128")
    with pytest.raises(ConfigError, match="names HTTPS_PROXY"):
        refuse_secrets(cluster)


@pytest.mark.parametrize(
    "line",
    [
        "export HF_TOKEN=$(cat ~/.hf)",
        "export HF_TOKEN=`cat ~/.hf`",
        'export WANDB_API_KEY="$KEY"',
        "export HF_TOKEN=${HF_TOKEN:-$(cat ~/.hf)}",
        "export HF_TOKEN=",
        "read -r HF_TOKEN < ~/.hf",
        'hf auth login --token "$HF_TOKEN"',
        'curl -H "Authorization: Bearer $TOKEN" https://host',
        'echo "$TOKEN" | docker login --password-stdin',
        "export HTTPS_PROXY=http://proxy:3128",
        "export TOKENIZERS_PARALLELISM=false MAX_TOKENS=5",
        "module load cuda",
        "export HF_HUB_DISABLE_IMPLICIT_TOKEN=1",
        "python x.py --token-budget 5000000 --max-tokens 9 --use-token true",
        "sort --key 2 table",
        "sort --key=2 table",
        "wandb login --host https://wandb.corp.org",
        "wandb login 2>/dev/null",
        "wandb login # from ~/.netrc",
        "echo start | tee /scratch/login.txt",
        "export SSH_KEY=~/.ssh/id",
        "export PUBLIC_KEY=abc",
        f"pip install git+https://github.com/openai/tiktoken@{'0a1b' * 10}",
    ],
)
def test_setup_lines_that_work_a_secret_out_on_the_node_are_accepted(line: str) -> None:
    cluster = spec(ON_SLURM).cluster
    refuse_secrets(replace(cluster, setup=(line,)))


@pytest.mark.parametrize(
    "line",
    [
        "export HF_TOKEN=$'hf_x'",
        "HF_TOKEN='x' python -c pass",
        "setenv HF_TOKEN x",
        "wandb login x",
        "wandb login --relogin x",
        "hf auth login --token hf_x",
        "tool --api-key=x",
        "read -r HF_TOKEN <<< x",
        "export HF_TOKEN=${HF_TOKEN:-x}",
        "curl -H 'Authorization: Bearer x' https://host",
        "curl -u me:x https://host",
        "echo x | docker login --password-stdin",
        "export HTTPS_PROXY=http://me:x@proxy:3128",
        "docker login -u me -p x",
        "apptainer registry login -u me -p x oras://host",
        "sshpass -p x ssh host",
        "curl -ume:x https://host",
        "wandb login <<< x",
        "echo 'machine api.wandb.ai login user password x' >> ~/.netrc",
        "echo x > ~/.cache/huggingface/token",
        "aws configure set aws_secret_access_key x",
        "python -c \"import os; os.environ['HF_TOKEN'] = 'x'\"",
        "set HF_TOKEN = x",
        "export HF_TOKEN=''x",
        'export HF_TOKEN=$"x"',
        "printf -v HF_TOKEN %s x",
        "export HF_TOKEN=$(echo x)",
    ],
)
def test_setup_lines_that_hold_a_secret_are_refused(line: str) -> None:
    cluster = spec(ON_SLURM).cluster
    with pytest.raises(ConfigError, match=r"cluster\.setup gives") as refusal:
        refuse_secrets(replace(cluster, setup=(line,)))
    assert line not in str(refusal.value)


def test_options_of_sbatch_and_of_a_container_are_searched_as_lines_of_setup_are() -> None:
    cluster = spec(ON_SLURM).cluster
    with pytest.raises(ConfigError, match=r"cluster\.sbatch gives HF_TOKEN a value"):
        refuse_secrets(replace(cluster, sbatch={"extra": "HF_TOKEN=x"}))
    with pytest.raises(ConfigError, match=r"cluster\.container gives a_token a value"):
        refuse_secrets(replace(cluster, container=replace(cluster.container, mounts=("/a:/b,a_token=x",))))


PLACES = (
    "+verl.trainer.project_name={}",
    "+verl.trainer.nested={{deep:[{}]}}",
    "logging.project={}",
    "cluster.setup=[{}]",
    "+cluster.sbatch.constraint={}",
    "cluster.container.image={}",
    "cluster.container.mounts=[{}]",
    "cluster.partition={}",
    "model.path={}",
    "data_root={}",
    "results_dir={}",
    "reward.path={}",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_configuration_that_holds_the_value_of_a_secret_is_refused_without_telling_it(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", PLANTED)
    key = place.removeprefix("+").partition("=")[0].replace("data_root", "data.root")
    with pytest.raises(ConfigError) as refusal:
        plan(tmp_path, ON_SLURM, "seed=0,1", place.format(f'"at/{PLANTED}/x"'))
    assert f"{key.partition('.')[0]}" in str(refusal.value)
    assert "holds the value of MY_TOKEN" in str(refusal.value)
    assert PLANTED not in str(refusal.value)


def test_a_composed_configuration_is_searched_whatever_it_was_composed_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", PLANTED)
    monkeypatch.setenv("WHERE", f"at/{PLANTED}")
    for key in ("logging.project", "+verl.trainer.project_name", "data_root"):
        with pytest.raises(ConfigError, match="holds the value of MY_TOKEN") as refusal:
            plan(tmp_path, "seed=0,1", f"{key}=${{oc.env:WHERE}}")
        assert PLANTED not in str(refusal.value)


@pytest.mark.parametrize("kind", [*SHAPED])
def test_a_configuration_that_holds_a_value_of_a_secrets_form_is_refused_without_telling_it(
    kind: str, tmp_path: Path
) -> None:
    text = SHAPED[kind].strip().replace("\n", " ")
    with pytest.raises(ConfigError, match=rf"verl\.trainer\.project_name holds .*{kind}") as refusal:
        plan(tmp_path, "seed=0,1", f"+verl.trainer.project_name='{text}'")
    assert text not in str(refusal.value)


def test_a_secret_in_the_name_of_a_setting_or_at_the_key_of_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^\+verl\.trainer\.\[GitHub token\] holds"):
        plan(tmp_path, "seed=0,1", f"+verl.trainer.{SHAPED['GitHub token']}=1")
    with pytest.raises(ConfigError, match=r"^verl holds a secret in the name of a setting"):
        SecretSearch().refuse({"verl": {SHAPED["GitHub token"]: 1}})
    with pytest.raises(ConfigError, match=r"verl\.trainer\.wandb_api_key is a secret by its name"):
        plan(tmp_path, "seed=0,1", "+verl.trainer.wandb_api_key=abc")


@pytest.mark.parametrize(
    "verl",
    [
        {"x": {"password": 12345678}},
        {"x": {"api_keys": ["abc", "def"]}},
        {"servers": [{"password": "abc"}]},
        {"client_secret": {"value": "abc"}},
        {"wandb_token": "abc"},
        {"db_password": "abc"},
        {"headers": {"X-Api-Key": "abc"}},
        {"authorization": "abc"},
        {"number": 1234567890123456},
    ],
)
def test_a_secret_is_refused_as_a_number_in_a_list_and_below_its_key(
    verl: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "1234567890123456")
    with pytest.raises(ConfigError, match=r"^verl") as refusal:
        SecretSearch().refuse({"verl": verl})
    assert not {"12345678", "abc", "1234567890123456"}.intersection(str(refusal.value).split())


def test_settings_that_only_sound_like_a_secrets_are_accepted() -> None:
    data = {"prompt_key": "prompt", "reward_fn_key": "data_source", "image_key": "images"}
    model = {"pad_token": "<pad>", "max_tokens": 5, "token_level_loss": True, "loss_agg_mode": "token-mean"}
    unset: dict[str, object] = {
        "password": None,
        "api_key": "",
        "hf_token": "EMPTY",
        "access_token": False,
        "secrets": [],
    }
    SecretSearch().refuse({"verl": {"data": data, "model": model, "unset": unset}})


def test_a_point_with_a_secret_is_refused_with_its_whole_grid(tmp_path: Path) -> None:
    """A plan's table would print the label of the point."""
    with pytest.raises(ConfigError, match=r"logging\.project holds") as refusal:
        plan(tmp_path, f"logging.project=ours,{SHAPED['GitHub token']}")
    assert SHAPED["GitHub token"] not in str(refusal.value)


def test_a_value_of_the_secrets_file_is_searched_for_whatever_its_name(tmp_path: Path) -> None:
    file = private(tmp_path / "s", f"PLAIN={PLANTED}\n")
    with pytest.raises(ConfigError, match=r"logging\.project holds the value of PLAIN"):
        plan(tmp_path, "seed=0,1", f"cluster.secrets_file={file}", f"logging.project={PLANTED}")


@pytest.mark.parametrize("place", ["+verl.x=${oc.env:MY_TOKEN}", "data_root=${oc.env:MY_TOKEN,/nowhere}"])
def test_no_setting_reads_a_secret_from_the_environment(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "short")
    with pytest.raises(Exception, match=r"\$\{oc\.env:MY_TOKEN\} would write a secret down") as refusal:
        make_plan(expand([place], multirun=False), tmp_path)
    assert "short" not in str(refusal.value)


def test_a_setting_reads_what_is_no_secret_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERE", "north")
    (run,) = make_plan(
        expand(["+verl.a=${oc.env:WHERE}", "+verl.b=${oc.env:NOWHERE,south}"], multirun=False), tmp_path
    ).runs
    assert run.spec is not None
    assert run.spec.verl == {"a": "north", "b": "south"}
