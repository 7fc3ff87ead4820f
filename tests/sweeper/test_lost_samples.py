import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from sweeper.rows.table import record, text
from sweeper.training.lost_samples import lost_samples
from tests.sweeper.points import spec
from tests.sweeper.rows import row

LOG = """\
(TaskRunnerV1 pid=32597) step:3 - global_seqlen/min:2678.0
(AgentLoopWorkerTQ pid=1181) ERROR:2026-11-29 15:53:33,218:Error in _run_prompt for uid=439deb27
(TaskRunnerV1 pid=32597) WARNING:2026-11-29 15:53:33,317:Upsampled batch from 127 to 128 with 1 synthetic padding \
samples for required_multiple=128
(TaskRunnerV1 pid=32597) step:4 - global_seqlen/min:2766.0
(TaskRunnerV1 pid=32597) WARNING:2026-11-29 15:53:35,317:Upsampled batch from 124 to 128 with 4 synthetic padding \
samples for required_multiple=128
"""


def test_samples_that_verl_went_on_without_are_counted_from_its_log(tmp_path: Path) -> None:
    first, second, third = (attempt(tmp_path / name) for name in "123")
    first.log.write_text(LOG)
    second.log.write_text(LOG.replace("124", "120"))
    assert lost_samples([first, second, third]) == 5 + 9
    assert lost_samples([]) == 0


def test_where_an_agents_sampler_counted_them_its_metric_counts_and_not_the_padding(tmp_path: Path) -> None:
    counted = attempt(tmp_path / "1")
    counted.log.write_text(LOG)
    steps = [{"agent/lost": 2.0}, {"val-core/x/acc/mean@1": 0.5}, {"agent/lost": 130.0}]
    lines = [json.dumps({"step": step, "data": data}) for step, data in enumerate(steps)]
    counted.metrics.write_text("\n".join(lines) + "\n")
    assert lost_samples([counted]) == 132


def attempt(folder: Path) -> SimpleNamespace:
    folder.mkdir()
    return SimpleNamespace(log=folder / "log.txt", metrics=folder / "metrics.jsonl")


def test_these_are_the_words_of_the_installed_verl() -> None:
    found = importlib.util.find_spec("verl")
    assert found is not None
    assert found.submodule_search_locations is not None
    source = Path(found.submodule_search_locations[0]) / "trainer" / "ppo" / "padding_utils.py"
    assert '"Upsampled batch from %d to %d with %d synthetic padding samples for' in source.read_text()


def test_lost_samples_are_a_column_and_are_told_below_the_table() -> None:
    whole, lossy = (
        replace(row(spec(f"seed={n}")), run_id=name, lost_samples=n) for n, name in ((0, "whole"), (3, "lossy"))
    )
    assert record(lossy)["lost_samples"] == 3
    assert "lost: 3 training samples in 1 run could not be generated or scored" in text([whole, lossy])
    assert "(most in lossy: 3; its log says why)" in text([whole, lossy])
    assert "lost" not in text([whole, replace(whole, lost_samples=None)])
