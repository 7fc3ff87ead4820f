"""What a launch and a plan end with."""

import re
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from sweeper.cli.came_out import next_command
from sweeper.cli.launch import _tell
from sweeper.grid.expand import expand
from sweeper.launch.webhook import Webhook
from sweeper.oversight.report import render
from sweeper.plan.plan import Plan, make_plan, save_grid
from sweeper.rows.row import write_row
from tests.sweeper.points import spec
from tests.sweeper.rows import row


@dataclass(slots=True, kw_only=True)
class Heard(Webhook):
    """Keeps what would be posted."""

    address: str | None = "https://nowhere"
    what: str = "by_seed"
    posted: list[dict[str, Any]] = field(default_factory=list)

    def _post(self, event: dict[str, Any]) -> None:
        self.posted.append(event)


def plan_of(results: Path, *overrides: str) -> Plan:
    return make_plan(expand([*overrides, f"results_dir={results}"], multirun=None), results)


def ended(results: Path) -> Plan:
    """A plan of two runs, whose rows are there since."""
    plan = plan_of(results, "seed=1,2")
    save_grid(plan, results)
    for run in plan.runs:
        assert run.spec is not None
        write_row(results, row(run.spec, pass1=0.5 + run.spec.seed / 10))
    return plan


def test_a_launch_and_its_webhook_end_with_the_headline_of_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real process: the report's."""
    hook, plan = Heard(), ended(tmp_path)
    assert _tell(plan, tmp_path, [], hook) == 0
    out = capsys.readouterr().out.splitlines()
    page = (tmp_path / "reports" / "by_seed.html").read_text()
    headline, best, where = out[-4:-1]
    assert f">{headline}<" in unescape(page)
    assert re.fullmatch(r"best: tiny-130k, n1k, 2 seeds \(\w{8}, \w{8}\), pass@1 0\.650 .*, 0\.250 .* before", best)
    assert f">{best.partition('pass@1 ')[2].partition(',')[0]}<" in page  # the tile of the first screen
    assert where.startswith("page: open ")
    assert [event["verdict"] for event in hook.posted] == [[headline, best]]


def test_a_launch_whose_report_cannot_be_made_says_so_and_counts_its_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real process: the report's, which a file in the place of its folder of tables stops."""
    hook, plan = Heard(), ended(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "by_seed_tables").write_text("")
    assert _tell(plan, tmp_path, [], hook) == 1
    out = capsys.readouterr().out
    (verdict,) = [event["verdict"] for event in hook.posted]
    assert verdict[0].startswith("no report: the rows are safe, but the report failed: ")
    assert verdict[1] == "runs: 2 done"
    assert "\n".join(verdict) in out
    assert "page: open" not in out


def test_nothing_is_called_best_where_nothing_was_measured(tmp_path: Path) -> None:
    """A real process: the report's."""
    write_row(tmp_path, replace(row(spec("seed=1")), base=(), trained=()))
    made = render(tmp_path, None)
    assert (made.best, made.headline[:2]) == (None, "No")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["seed=0"], "sweeper seed=0,1,2 -m"),
        (["model=tiny-40k,tiny-130k", "seed=5"], "sweeper model=tiny-40k,tiny-130k seed=0,1,2,5 -m"),
        (["seed=0,1,2"], "sweeper ask size --grid by_seed"),
    ],
)
def test_what_to_run_next_is_a_command(overrides: list[str], told: str, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, *overrides)
    assert next_command(plan, overrides, "sweeper").startswith(told)
