"""What an agent can do with the rows of a run, told before anything is trained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_prep.files.prepared_folder import PreparedData
from rewards import Domain
from rewards.bounded_parquet import read_table
from rewards.program import UserError
from sweeper.agent.environments.higher_lower import NAME as HIGHER_LOWER
from sweeper.agent.environments.registry import environment
from sweeper.agent.tools.tool import public
from sweeper.agent.tools.verifier import Verifier
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent

_COLUMNS = ("data_source", "prompt", "reward_model", "extra_info")


def refuse_no_games(agent: Agent, data: PreparedData, files: Path | None) -> None:
    """Refuse rows that are no games: their trajectories would be lost, one by one.

    Of `higher_lower` every row is begun; of games of textarena and of the user's own, which have processes, the first
    of each file.

    Args:
        agent: Of the run; nothing is done without an environment.
        data: Files to train, validate and measure on.
        files: Folder with the files of the user's own; None: there are none.

    Raises:
        ConfigError: How many rows of a file are no games, and what is wrong with the first.
    """
    if agent.environment is None:
        return
    made = environment(agent.environment, agent, files)
    most = None if agent.environment == HIGHER_LOWER else 1
    for path in (data.train, data.val, data.evaluation):
        looked_at = 0
        faults: list[str] = []
        for row in _rows(path, most):
            looked_at += 1
            episode = made(agent.limits)
            try:
                episode.reset(row, 0)
            except UserError as error:
                faults.append(str(error))
            finally:
                episode.close()
        if faults:
            raise ConfigError(
                f"agent.environment={agent.environment} cannot begin {len(faults)} of {looked_at} rows of {path.name} "
                f"that were tried: {faults[0]}"
            )


def without_tests(agent: Agent, data: PreparedData) -> list[str]:
    """A line for each file with rows of programs that the tool `verifier` has no public tests for; without it none."""
    lines = []
    for path in (data.train, data.val, data.evaluation) if Verifier.name in agent.tools else ():
        rows = [row for row in _rows(path, None) if row["extra_info"]["domain"] == Domain.CODE]
        lacking = sum("public_tests" not in public(row) for row in rows)
        if lacking:
            lines.append(
                f"{lacking} of {len(rows)} code rows of {path.name} have no public_tests: the tool {Verifier.name} "
                "looks at the form of their answers alone"
            )
    return lines


def _rows(path: Path, most: int | None) -> Iterator[dict[str, Any]]:
    table = read_table(path)
    table = table.select([name for name in _COLUMNS if name in table.column_names])
    for row in (table if most is None else table.slice(0, most)).to_pylist():
        yield row | {"raw_prompt": row["prompt"]}
