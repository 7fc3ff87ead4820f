"""When SLURM expects waiting jobs to start, and what they wait for, in words: one squeue, however many there are."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sweeper.host.amounts import duration
from sweeper.launch.slurm.scheduler import Element, ask

_LINE = re.compile(r"^(\d+)\|([^|\n]*)\|([^|\n]*)\|(.*)$", re.MULTILINE)
# squeue's reasons, the first that fits: whole words of SLURM's.
_WORDS = (
    (r"Priority", "jobs of a higher priority wait before it"),
    (r"Resources", "it is next, and waits until enough nodes or GPUs are free"),
    (r"DependencyNeverSatisfied", "the jobs that it waits for ended otherwise than it needs: it never starts"),
    (r"Dependency", "it waits for other jobs to end"),
    (r"JobArrayTaskLimit", "as many elements of its array as may run at once do"),
    (r"JobHeldUser", "it is held until it is released"),
    (r"JobHeldAdmin", "an administrator holds it"),
    (r"BeginTime", "the time at which it may begin has not come"),
    (r"Licenses", "it waits for a licence"),
    (r"Reservation", "its reservation has not begun"),
    (r"ReqNodeNotAvail.*|Nodes.required.*|NodeDown", "nodes that it needs are down, drained or reserved"),
    (r"Partition(Down|Inactive)", "its partition takes no jobs now"),
    (r"Partition(Node|Time)Limit", "it asks for more than its partition allows: it never starts so"),
    (r"(QOS|Assoc)Max\w+Per(Job|Node)(Limit)?", "it asks for more than one job may have: it never starts so"),
    (r"QOSMin\w+", "it asks for less than its QOS demands: it never starts so"),
    (r"\w+NotAllowed|Invalid(Account|QOS)", "its account or QOS may not be used there: it never starts so"),
    (r"QOSMax(Jobs|SubmitJob)PerUserLimit", "its QOS lets a user run no more jobs at once"),
    (r"QOSMax(GRES|Gres)PerUser", "its QOS lets a user have no more GPUs at once"),
    (r"QOSMax\w+", "its QOS lets a user have no more at once"),
    (r"QOSGrp\w*Minutes(Limit)?", "the hours that its QOS grants all users together are used up"),
    (r"QOSGrp\w+", "all users of its QOS together have as much as it allows"),
    (r"QOS\w+", "a limit of its QOS keeps it"),
    (r"AssocGrp\w*Minutes(Limit)?", "the hours granted to your account are used up"),
    (r"AssocGrp\w+|Max\w+PerAccount", "your account has as much at once as it may"),
    (r"AssocMaxJobsLimit|AssociationJobLimit", "your account lets you run no more jobs at once"),
    (r"Assoc\w+", "a limit of your account keeps it"),
    (r"None|", "SLURM has not looked at it yet"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What SLURM says of a waiting job.

    Attributes:
        expected: When it is to start, in Unix seconds; None: there is no estimate.
        reason: squeue's word for what it waits for.
    """

    expected: float | None
    reason: str

    def words(self, now: float) -> str:
        """For people: the time, and how long until then from `now` (Unix seconds), and what it waits for."""
        why = reason_in_words(self.reason)
        if self.expected is None:
            return f"SLURM gives no estimate: {why}"
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.expected))
        when = f"in {duration(self.expected - now)}" if self.expected >= now else "any moment"
        return f"SLURM expects it to start at {at} ({when}): {why}"


def reason_in_words(reason: str) -> str:
    """What squeue's word for a reason means."""
    for pattern, words in _WORDS:
        if re.fullmatch(pattern, reason):
            return words
    return f"SLURM calls the reason {reason}"


def starts(waiting: Iterable[Element]) -> dict[tuple[int, int], Start]:
    """What SLURM expects of waiting elements, by job and index; of one that has begun meanwhile nothing.

    Raises:
        SchedulerError: squeue did not answer.
    """
    wanted = {(item.job, item.index) for item in waiting}
    if not wanted:
        return {}
    jobs = ",".join(map(str, sorted({job for job, _ in wanted})))
    text = ask(["squeue", "-h", "-r", "-a", "--start", "-j", jobs, "-o", "%F|%K|%S|%r"])
    found = {}
    for match in _LINE.finditer(text):
        job, index, told, reason = match.groups()
        place = int(job), int(index) if index.isdigit() else 0
        if place in wanted:
            found[place] = Start(expected=_time(told), reason=reason)
    return found


def _time(text: str) -> float | None:
    """Of squeue's local time, which no variable of the shell formats (`scheduler.ask`)."""
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:  # N/A
        return None
