"""Synthetic tasks that there are not, or that a model or an agent can do nothing with: refused at plan."""

from data_prep.spec import DataSpec, Tasks
from data_prep.synthetic.higher_lower import DATA_SOURCE as GAMES
from data_prep.synthetic.tasks import Split, problems, task_domains
from sweeper.agent.environments.higher_lower import NAME as GAME
from sweeper.host.errors import ConfigError
from sweeper.inputs.data import data_spec
from sweeper.spec.model import ModelSource
from sweeper.spec.run import RunSpec


def refuse_tasks(spec: RunSpec) -> None:
    """Refuse tasks that cannot be trained or measured as asked; rows of a folder are looked at when they are read.

    Raises:
        ConfigError: agents' tasks are asked for beside a folder of data, or of a tiny model whose tokens are for
            answers; a domain has no synthetic tasks, or none that the environment can play.
    """
    data = spec.data
    if data.tasks is Tasks.agent and data.root is not None:
        raise ConfigError(
            f"data.tasks=agent changes nothing with data.root={data.root}: it is of synthetic tasks; leave one out"
        )
    _refuse_tokens(spec)
    if data.root is None and spec.n_unique is not None:  # all problems of synthetic tasks: refused with the data
        _refuse_domains(data_spec(spec), spec.agent.environment)


def _refuse_tokens(spec: RunSpec) -> None:
    model, for_agents = spec.model, spec.data.tasks is Tasks.agent
    if model.source is not ModelSource.tiny or model.warm_start.tasks is Tasks.agent:
        return
    if for_agents or spec.agent.tools:
        asked = "data.tasks=agent" if for_agents else f"agent.tools={list(spec.agent.tools)}"
        raise ConfigError(
            f"{asked}: {model.name} has model.warm_start.tasks={model.warm_start.tasks}, so neither tokens nor a "
            "template for tools, and has seen no such task; use model_family=tiny-agent"
        )


def _refuse_domains(wanted: DataSpec, environment: str | None) -> None:
    known = task_domains(wanted.tasks)
    for key, domains in (("domain_mix", wanted.train_domains), ("eval.domains", wanted.evaluated_domains)):
        for domain in domains:
            if domain not in known:
                raise ConfigError(
                    f"{key}: there are no synthetic tasks of the domain {domain} with data.tasks={wanted.tasks}; "
                    f"choose from {', '.join(known)}, or set data_root to a folder with {domain} rows"
                )
            # Games of textarena, and environments of the user's own, take any row.
            if environment == GAME:
                first = next(problems(domain, Split.TRAIN, seed=0, tasks=wanted.tasks))
                if first.data_source != GAMES:
                    raise ConfigError(
                        f"agent.environment={GAME}: the synthetic {domain} problems of data.tasks={wanted.tasks} "
                        f"({key}) are no games; set data.tasks=agent domain_mix=logic 'eval.domains=[logic]'"
                    )
