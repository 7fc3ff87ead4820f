"""A proof in miniature: the runs of tier 2 with real verl on a processor."""

import json
import subprocess
import sys
from typing import Any

import pytest

from sweeper.oversight.proof.proof import SMALL_SECONDS

pytestmark = [pytest.mark.verl, pytest.mark.nightly, pytest.mark.timeout(2 * SMALL_SECONDS)]


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("proof")
    command = [sys.executable, "-m", "sweeper", "prove", "--small", "--json", f"--out={out}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr  # every line of it
    (kept,) = out.glob("*/proof.json")
    said = json.loads(done.stdout)["data"]
    assert said == json.loads(kept.read_text())
    return said


def line(proof: dict[str, Any], what: str) -> dict[str, Any]:
    (found,) = [item for tier in proof["tiers"] for item in tier["lines"] if what in item["what"]]
    return found


def test_both_tiers_end_within_their_minutes_with_nothing_wrong(proof: dict[str, Any]) -> None:
    assert [tier["number"] for tier in proof["tiers"]] == [1, 2]
    assert all(tier["seconds"] < SMALL_SECONDS for tier in proof["tiers"])
    assert proof["is_small"]


def test_a_killed_run_goes_on_from_its_checkpoint(proof: dict[str, Any]) -> None:
    resumed = line(proof, "resume after kill -9")
    assert (resumed["verdict"], resumed["measured"]) == ("ok", resumed["beside"])
    assert resumed["beside"] in (3, 6)
    assert line(proof, "steps in the curve")["measured"] == 8


def test_engine_and_actor_agree_in_both_runs(proof: dict[str, Any]) -> None:
    for who in ("a tiny model", "a real shape"):
        assert line(proof, f"rollout_probs_diff_mean of {who}")["measured"] < 1e-4


def test_our_pace_stands_beside_bare_verls_and_in_miniature_is_not_judged(proof: dict[str, Any]) -> None:
    pace = line(proof, "tokens of a training step")
    assert pace["verdict"] == "unknown"
    assert pace["measured"] > 0
    assert pace["beside"] > 0


def test_memory_is_measured_and_without_a_gpu_not_judged(proof: dict[str, Any]) -> None:
    peak = line(proof, "peak in use while training")
    assert peak["measured"] > 0
    assert peak["verdict"] == "unknown"


def test_nothing_is_left_behind(proof: dict[str, Any]) -> None:
    assert line(proof, "temporary files left")["verdict"] == "ok"
    assert line(proof, "processes left")["verdict"] == "ok"


def test_too_few_steps_to_learn_in_are_said_to_be(proof: dict[str, Any]) -> None:
    learned = line(proof, "pass@1 after RL")
    assert learned["verdict"] == "unknown"
    assert "too few" in learned["note"]
