"""Which partitions of a cluster a user may use, and how many GPUs at once: for `cluster-init`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweeper.launch.slurm.qos import Gpus, Qos, bound
from sweeper.launch.slurm.site import Association, Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Who asks; None: SLURM, or the machine, does not tell, or all is open to them."""

    accounts: Sequence[Association] | None
    groups: frozenset[str] | None

    def closed(self, partition: Partition) -> str | None:
        """Why a partition takes no job of theirs; None: as far as is known it does."""
        if partition.groups is not None and self.groups is not None and self.groups.isdisjoint(partition.groups):
            return f"takes jobs of groups {', '.join(partition.groups)} alone"
        if self.accounts is None:
            return None
        mine = {item.account for item in self.accounts}
        if partition.accounts is not None and mine.isdisjoint(partition.accounts):
            return f"takes accounts {', '.join(partition.accounts)} alone"
        if mine and mine <= set(partition.not_accounts):
            return f"takes no account of {', '.join(sorted(mine))}"
        qos = {name for item in self.accounts for name in item.qos}
        if partition.qos is not None and qos and qos.isdisjoint(partition.qos):
            return f"takes QOS {', '.join(partition.qos)} alone"
        if qos and qos <= set(partition.not_qos):
            return f"takes no QOS of {', '.join(sorted(qos))}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuLimits:
    """GPUs that jobs of a partition may have under the QOS that apply to them.

    Attributes:
        in_order: QOS; of each limit the first that states it counts.
        kind: Of the GPUs, in SLURM's words.
    """

    in_order: Sequence[Qos]
    kind: str | None

    @classmethod
    def of(cls, partition: Partition, job_qos: str | None, known: Mapping[str, Qos], kind: str | None) -> "GpuLimits":
        """The partition's own QOS before that of jobs, unless that one overrides it."""
        own, jobs = known.get(partition.own_qos or ""), known.get(job_qos or "")
        found = [item for item in (own, jobs) if item is not None]
        return cls(in_order=found[::-1] if jobs is not None and jobs.overrides_partition else found, kind=kind)

    def at_once(self) -> tuple[int, str] | None:
        """The most that one user's jobs can have at once, and which limit says so; None: no limit."""
        told = [
            self._first("of_user", "of one user's jobs (MaxTRESPerUser)"),
            self._first("of_account", "of an account's jobs (MaxTRESPerAccount)"),
            self._first("of_all", "of all its jobs together (GrpTRES)"),
        ]
        return min((item for item in told if item is not None), default=None)

    def notes(self) -> Iterator[str]:
        """What else bounds jobs."""
        if (found := self._first("of_job", "of a job (MaxTRES)")) is not None:
            yield f"A job has at most {found[0]} GPUs: {found[1]}; model.resources may not ask for more."
        for name, whose in (("of_account", "of your account's jobs"), ("of_all", "of all users' jobs together")):
            if (found := self._first(name, whose)) is not None:
                yield f"{found[0]} GPUs at once, {found[1]}: what others use of them is not yours."
        jobs = next((item for item in self.in_order if item.jobs_of_user is not None), None)
        if jobs is not None:
            yield f"{jobs.jobs_of_user} jobs of a user run at once under QOS {jobs.name}, elements of arrays each."

    def _first(self, name: str, whose: str) -> tuple[int, str] | None:
        for item in self.in_order:
            gpus: Gpus = getattr(item, name)
            if (found := bound(gpus, self.kind)) is not None:
                return found, f"QOS {item.name}, {whose}"
        return None
