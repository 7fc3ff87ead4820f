import json
import time
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from sweeper.host import secret
from sweeper.host.errors import ConfigError
from sweeper.host.process import reason
from sweeper.host.secret_shape import is_secret
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, read_row, row_path, write_row
from sweeper.runs import adjustment
from sweeper.runs.folder import RunDir
from sweeper.runs.triage import Ending, classify
from tests.sweeper.points import spec
from tests.sweeper.rows import row

PLANTED = "hunter2-0123456789"
ODD = 'a "quoted"\\ välue: 100%/+'


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture(autouse=True)
def nothing_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_read", {})


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
    "name",
    [
        "WANDB_API_KEY",
        "HF_TOKEN",
        "GITHUB_PAT",
        "GH_PAT",
        "OPENAI_APIKEY",
        "PGPASSWORD",
        "MYSQL_PWD",
        "SSHPASS",
        "DATABASE_URL",
        "HTTPS_PROXY",
        "HF_AUTH",
        "API_KEYS",
        "TOKENS",
        "SECRET1",
        "WANDB_KEY2",
        "AZURE_CLIENTSECRET",
        "SLACK_WEBHOOK_URL",
        "https_proxy",
        "DB_PASS",
        "HF_TOKENS",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "hfToken",
        "SENTRY_DSN",
        "SLURM_JWT",
        "SECRETKEY",
        "WANDBKEY",
        "DB_PW",
        "PGPASS",
        "AUTHORIZATION",
        "VAULT_PASSCODE",
        "AZURE_STORAGE_CONNECTION_STRING",
        *("MISTRALKEY", "MYPASS", "LDAP_BINDPW", "MYSQLPWD", "SESSION_COOKIES", "PASSKEY", "HF_OAUTH", "AZURE_SAS"),
    ],
)
def test_a_name_tells_of_a_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "TOKENIZERS_PARALLELISM",
        "MAX_TOKENS",
        "VLLM_MAX_NUM_BATCHED_TOKENS",
        "KEYBOARD",
        "MONKEY",
        "PWD",
        "OLDPWD",
        "SSH_AUTH_SOCK",
        "NO_PROXY",
        "HOME",
        "XAUTHORITY",
        "COMPASS",
        "SSH_ASKPASS",
        "HF_HUB_OFFLINE",
        "WANDB_BASE_URL",
        "RAY_AUTH_MODE",
        "HF_TOKEN_PATH",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN",
        "TOKEN_BUDGET",
        "PUBLIC_KEY",
        "SORT_KEY",
        "NUM_KEY_VALUE_HEADS",
        *("REWARD_KEY", "METRIC_KEY", "WEBHOOK_PORT", "TOKEN_TYPE", "USE_AUTH", "TOKEN_IDS"),
    ],
)
def test_a_name_that_only_looks_like_a_secrets_is_none(name: str) -> None:
    assert not is_secret(name)


def test_an_address_is_a_secret_if_it_holds_a_password() -> None:
    assert not is_secret("https_proxy", "http://proxy:3128")
    assert is_secret("https_proxy", "http://me:pw@proxy:3128")
    assert is_secret("REWARDS_JUDGE_URL", "https://me:pw@judge/v1")
    assert not is_secret("REWARDS_JUDGE_URL", "https://judge/v1")


SHAPED = {
    "Hugging Face token": "hf_" + "aB1c" * 8,
    "API key": "sk-proj-" + "aB1c" * 8,
    "GitHub token": "ghp_" + "aB1c" * 9,
    "AWS key": "AKIA" + "A1B2" * 4,
    "Slack token": "xoxb-123456-abcdef",
    "GitLab token": "glpat-" + "aB1c" * 5,
    "key": "wandb login " + "0a1b" * 10,
    "login": "https://someone:pass-word@host/x",
    "bearer token": "Authorization: Bearer " + "aB1c" * 5,
    "private key": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "access token": "nvapi-" + "aB1c" * 8,
    "key of an address": "https://judge/v1?model=x&api_key=" + "aB1c" * 3,
    "storage key": "AccountKey=" + "aB1c" * 8,
    "authorization": "Authorization: Basic " + "aB1c" * 5,
}


@pytest.mark.parametrize("kind", [*SHAPED])
def test_a_value_of_a_secrets_form_is_hidden_wherever_it_comes_from(kind: str) -> None:
    said = secret.hidden(f"refused: {SHAPED[kind]}", {})
    assert f"[{kind}]" in said
    assert SHAPED[kind][-8:] not in said or kind == "login"
    assert "pass-word" not in said


def test_a_token_in_an_addresss_login_is_hidden_with_it() -> None:
    assert secret.hidden(f"at https://me:{SHAPED['GitHub token']}@host/x.", {}) == "at https://[login]@host/x."


@pytest.mark.parametrize(
    "text",
    [
        "postgres://me:pa/ssword@host/x",
        "https://me:p@ssword@host",
        "https://0123456789abcdef01234567@host/x",
        f"sk-ant-api03-{'aB1c' * 10}",
        f"sk-or-v1-{'0a1b' * 16}",
        f"npm_{'aB1c' * 9}",
        f"gsk_{'aB1c' * 8}",
        "https://store/c?sv=2022&sig=abcd%2Fefgh",
        "https://store/x?X-Amz-Signature=0a1b2c3d4e5f",
        *(f"{head}-{'aB1c' * 10}" for head in ("glptt", "glrt", "xai", "pplx", "csk", "tvly", "tskey-auth", "sq0atp")),
        *(f"{head}_{'aB1c' * 10}" for head in ("shpat", "lin_api", "jina", "pcsk", "tgp_v1", "sbp", "rk_live")),
        f"dop_v1_{'0a1b' * 16} or dapi{'0a1b' * 8} or hvs.{'aB1c' * 6}",
        f"SharedAccessKey={'aB1c' * 10}=",
        f"aws_secret_access_key = {'aB1/' * 10}",
        f"https://x.webhook.office.com/webhookb2/{'0a1b' * 8}@{'0a1b' * 8}/IncomingWebhook/x",
        f"https://api.telegram.org/bot123456789:AA{'aB1c' * 8}/sendMessage",
    ],
)
def test_a_secret_in_an_address_or_of_a_service_is_found(text: str) -> None:
    assert list(secret.found_in(text, environment={}))
    assert not {"ssword", "0123456789abcdef01234567", "abcd%2Fefgh"}.intersection(secret.hidden(text, {}).split("@"))


@pytest.mark.parametrize(
    "text",
    [
        "Org/sk-learn-7b-instruct-v2 and Org/sk-reinforcementlearning-7b",
        "/data/hf_transformerscache and /data/hf_checkpoints20240101/x",
        f"docker://ubuntu:22.04@sha256:{'0a' * 32}",
        f"git+https://github.com/openai/tiktoken@{'0a1b' * 10}",
        f"data/monkey/{'0a1b' * 10} and model_key/{'0a1b' * 10}",
        f"tokens of tokenizer {'0a1b' * 10}, sha256:{'0a' * 32}",
        "https://host/x?page_token=abcdefghij&key=name",
        "http://host:8000/x@y and ssh://git@github.com:o/r and hf://datasets/a/b@main",
        "jina_embeddings_v3_base_english_long, dapi and xai-org/grok-1 and hvs.some_function_of_a_module",
        "hf_cpu, hf_model and disk-abcdefghijklmnopqrstuvwx",
        f"commit {'0a' * 20}",
        "http://$USER:$PASSWORD@host",
        "Bearer authentication is asked for at http://host:8080/x@y",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert secret.hidden(text, {}) == text


@pytest.mark.parametrize("value", [PLANTED, ODD, "-----BEGIN X-----\nfirst-line-0123456\nsecond-line-654321"])
@pytest.mark.parametrize(
    "written",
    [
        str,
        repr,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: quote(text, safe=""),
        lambda text: b64encode(f"user:{text}".encode()).decode(),
        lambda text: b64encode(f"x{text}yz".encode()).decode(),
        lambda text: text.splitlines()[-1],
    ],
)
def test_a_secret_is_hidden_however_it_is_written(value: str, written: "type[str]") -> None:
    text = written(value)
    said = secret.hidden(f"it said: {text} and ended", {"MY_TOKEN": value})
    assert "[MY_TOKEN]" in said
    assert all(text[at : at + 8] not in said for at in range(4, len(text) - 12))


@pytest.mark.parametrize("start", ["sk-", "sk-a1-", "tvly-", "://", "?token", "hf_", "-----BEGIN ", "Authorization: "])
def test_no_answer_of_a_model_keeps_the_search_for_long(start: str) -> None:
    """A line of an error is searched whole, and an answer in it may repeat the beginning of a secret."""
    began = time.process_time()
    secret.hidden(start * (200_000 // len(start)), {})
    assert time.process_time() - began < 2.5


@pytest.mark.parametrize("size", [8, 12, len(PLANTED) - 1])
def test_a_secret_that_was_cut_is_hidden(size: int) -> None:
    words, known = "x " * 100, {"MY_TOKEN": PLANTED}
    assert secret.hidden(words + PLANTED[:size], known) == f"{words}[MY_TOKEN]"
    assert secret.hidden(PLANTED[-size:] + words, known) == f"[MY_TOKEN]{words}"


def test_a_reason_and_the_line_that_shows_it_are_hidden_before_they_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", ODD)
    for size in range(270, 520, 5):
        line = f"ValueError: {'x' * size} {ODD}"
        (tmp_path / "log").write_text(line + "\n")
        cut = [reason(tmp_path / "log", 0, 1), classify(Ending(status="failed", reason=line)).evidence]
        assert not [text for text in cut if text and 'a "quot' in text]


def test_what_cannot_be_told_from_other_words_is_named_and_not_hidden() -> None:
    known = {"A_TOKEN": "completed", "B_TOKEN": "12345", "C_TOKEN": PLANTED, "D_TOKEN": "20261129", "E_TOKEN": ""}
    assert secret.unhidden(known) == ("A_TOKEN", "B_TOKEN", "D_TOKEN")
    assert secret.hidden("training completed 12345", known) == "training completed 12345"


def test_a_secret_alike_to_a_word_of_a_row_does_not_destroy_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = spec("seed=1")
    failure = Failure(phase="train", reason="x", log="x", failure_class=FailureClass.host_oom)
    failed = replace(row(run, failure=failure), settings=None)
    for number, value in enumerate(("completed", "host_oom", str(run.run_id), run.model.name, "all-failed")):
        monkeypatch.setenv(f"WORD{number}_TOKEN", value)
    write_row(tmp_path, failed)
    assert read_row(row_path(tmp_path, run.run_id)) == failed


def test_a_row_never_holds_the_value_of_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", PLANTED)
    run = spec("seed=1")
    write_row(tmp_path, row(run, failure=Failure(phase="train", reason=f"login failed for {PLANTED}", log="x")))
    text = row_path(tmp_path, run.run_id).read_text()
    assert PLANTED not in text
    assert "login failed for [WANDB_API_KEY]" in text


def test_a_row_never_holds_the_value_of_a_secret_that_json_escapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", ODD)
    run = spec("seed=1")
    write_row(tmp_path, row(run, failure=Failure(phase="train", reason=f"login failed for {ODD}", log="x")))
    text = row_path(tmp_path, run.run_id).read_text()
    assert "quoted" not in text
    assert "login failed for [WANDB_API_KEY]" in text


def test_the_reason_of_an_adjustment_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = RunDir(results_dir=tmp_path, run_id=spec("seed=1").run_id)
    monkeypatch.setenv("MY_TOKEN", PLANTED)
    adjustment.add(run_dir.path, {"model.resources.offload": True}, why={"evidence": f"no {PLANTED}", "attempt": 1})
    text = (run_dir.path / adjustment.FILE).read_text()
    assert PLANTED not in text
    assert "no [MY_TOKEN]" in text
