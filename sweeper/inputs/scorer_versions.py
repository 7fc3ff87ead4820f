"""Which of our scorers a run uses in a version of their own: that of reward suite 2 goes without saying.

So a scorer that is new or has changed gives new ids to the runs that score with it, and to no others.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from data_prep.sources.glance import source_names
from data_prep.spec import DataError, Tasks
from data_prep.synthetic.tasks import Split, problems, task_domains
from rewards import SUITE_VERSION, UnknownDataSource, domain_of
from rewards.own.covering import covering
from rewards.route.scorers import raised_versions, scorer_of
from sweeper.host import machine
from sweeper.host.errors import ConfigError
from sweeper.spec.data import DomainMix
from sweeper.spec.reward import Reward
from sweeper.spec.run import RunSpec
from sweeper.spec.training import Evaluation


def domains_of(mix: DomainMix, evaluation: Evaluation) -> set[str]:
    """The domains that a run trains or is measured on."""
    return {*(name for name, weight in mix.weights.items() if weight > 0), *evaluation.domains}


def versions(
    reward: Reward, *, root: str | None, domains: Iterable[str], tasks: Tasks = Tasks.answers
) -> dict[str, int]:
    """The versions, by family, of our scorers that a run uses and that are not those of suite 2.

    Args:
        reward: Functions of the user's own, which score in place of ours.
        root: Folder of data; None: synthetic tasks.
        domains: That are trained or evaluated.
        tasks: Which synthetic tasks.

    Raises:
        ConfigError: a folder that cannot be read.
    """
    raised = raised_versions()
    if not raised:
        return {}
    own, wanted = reward.references(Path()), set(domains)
    try:
        names = _synthetic(wanted, tasks) if root is None else source_names(Path(root))
    except DataError as error:
        raise ConfigError(str(error)) from None
    families = {_family(name, own, wanted) for name in names}
    return {family: raised[family] for family in sorted(raised) if family in families}


def refuse_other_code(spec: RunSpec) -> None:
    """Refuse a run that was made for other scorers or another verl than are here: its row would name what did not run.

    Raises:
        ConfigError: with what it was made for, and what is here.
    """
    used = versions(
        replace(spec.reward, versions={}),
        root=spec.data.root,
        domains=domains_of(spec.domain_mix, spec.eval),
        tasks=spec.data.tasks,
    )
    scorers = (spec.reward_suite, dict(spec.reward.versions)), (SUITE_VERSION, used)
    verl = spec.verl_version, machine.versions().get("verl", "none")
    for what, (then, now) in (("reward suite and raised scorers", scorers), ("verl", verl)):
        if then != now:
            raise ConfigError(
                f"{spec.run_id} was made for {what} {then}, and {now} is installed; go back to that, or launch its "
                "command again, which makes another run of it"
            )


def _synthetic(domains: set[str], tasks: Tasks) -> set[str]:
    known = [one for one in task_domains(tasks) if one in domains]
    return {next(problems(one, Split.TRAIN, seed=0, tasks=tasks)).data_source for one in known}


def _family(data_source: str, own: tuple[str, ...], domains: set[str]) -> str | None:
    """Of the scorer of ours that a source of these domains has; None: preparing the data refuses it, or it has none."""
    try:
        is_ours = covering(data_source, own) is None and domain_of(data_source) in domains
        return scorer_of(data_source, own).family if is_ours else None
    except UnknownDataSource:
        return None
