"""What the words of an sbatch that failed mean."""

import re
from enum import StrEnum

# Limits on how many jobs may be queued, and a partition that takes none for now; anything else that sbatch refuses is a
# mistake in the request.
_FULL = re.compile(
    r"\b(QOS|Assoc|Max)\w*Submit\w*|Slurm temporarily unable to accept|Reached (the )?MaxJobCount|"
    r"Resource temporarily unavailable|Required partition not available",
    re.IGNORECASE,
)
# Said of every limit, those on queued jobs too, after the limit's own name; older versions say nothing else.
_SOME_LIMIT = re.compile(r"Job violates accounting/QOS policy", re.IGNORECASE)
_NAMED_LIMIT = re.compile(r"\b(QOS|Assoc)(Max|Grp|Min)\w+")
# After these, the job may have been accepted all the same.
_LOST = re.compile(
    r"Unable to contact|timed out|Zero Bytes|Connection (refused|reset)|Communication|Unexpected message|"
    r"standby mode|Transport endpoint|did not answer|authentication|Munge",
    re.IGNORECASE,
)
# Our keys for what sbatch complains of.
_KEYS = {
    "account": "cluster.account",
    "partition": "cluster.partition",
    "qos": "cluster.qos",
    "time limit": "model.resources.hours",
    "memory": "cluster.memory_gb_per_gpu",
}


class Meaning(StrEnum):
    """What became of a job."""

    full = "full"  # a limit on queued jobs is reached, or nothing is taken for now: the same will be accepted later
    refused = "refused"  # the same will never be accepted
    lost = "lost"  # the answer was: the job may be queued

    @classmethod
    def of(cls, words: str) -> "Meaning":
        """The meaning of what sbatch said."""
        if _FULL.search(words) or (_SOME_LIMIT.search(words) and not _NAMED_LIMIT.search(words)):
            return cls.full
        return cls.lost if _LOST.search(words) else cls.refused


def cure(words: str) -> str:
    """Our keys for what sbatch complains of; empty: it is something else."""
    keys = " or ".join(key for word, key in _KEYS.items() if word in words.lower())
    return f"; change {keys} (what this cluster has: python -m sweeper doctor cluster=slurm)" if keys else ""
