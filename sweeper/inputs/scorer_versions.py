"""Which of our scorers a run uses in a version of their own: that of reward suite 2 goes without saying.

So a scorer that is new or has changed gives new ids to the runs that score with it, and to no others.
"""

from collections.abc import Iterable
from pathlib import Path

from data_prep.sources.glance import source_names
from data_prep.spec import DataError
from data_prep.synthetic.tasks import DOMAINS, Split, problems
from rewards import UnknownDataSource, domain_of
from rewards.own.covering import covering
from rewards.route.scorers import raised_versions, scorer_of
from sweeper.host.errors import ConfigError
from sweeper.spec.reward import Reward


def versions(reward: Reward, *, root: str | None, domains: Iterable[str]) -> dict[str, int]:
    """The versions, by family, of our scorers that a run uses and that are not those of suite 2.

    Args:
        reward: Functions of the user's own, which score in place of ours.
        root: Folder of data; None: synthetic tasks.
        domains: That are trained or evaluated.

    Raises:
        ConfigError: a folder that cannot be read.
    """
    raised = raised_versions()
    if not raised:
        return {}
    own, wanted = reward.references(Path()), set(domains)
    try:
        names = _synthetic(wanted) if root is None else source_names(Path(root))
    except DataError as error:
        raise ConfigError(str(error)) from None
    families = {_family(name, own, wanted) for name in names}
    return {family: raised[family] for family in sorted(raised) if family in families}


def _synthetic(domains: set[str]) -> set[str]:
    return {next(problems(one, Split.TRAIN, seed=0)).data_source for one in DOMAINS if one in domains}


def _family(data_source: str, own: tuple[str, ...], domains: set[str]) -> str | None:
    """Of the scorer of ours that a source of these domains has; None: preparing the data refuses it, or it has none."""
    try:
        is_ours = covering(data_source, own) is None and domain_of(data_source) in domains
        return scorer_of(data_source, own).family if is_ours else None
    except UnknownDataSource:
        return None
