"""An audit of a run's verdicts as people read it."""

from analysis.estimates.numerals import plain, signed
from analysis.passk.estimate import Estimate
from analysis.verdicts.verdict_audit import Growth, Share, VerdictAudit


def text_of(run_id: str, audit: VerdictAudit) -> str:
    """A run's audit as a table, what grows, and what was not judged again."""
    lines = [f"{run_id}: {', '.join(f'{source} by {name}' for source, name in audit.scorers.items())}"]
    lines.append(f"  {'':16}  {'samples':>7}  {'problems':>8}  {'late':>4}  judged differently; paid by the run alone")
    for one in audit.measurements:
        what = f"validation {one.step}" if one.step is not None else str(one.origin)
        shares = f"{_share(one.differ)}; {_share(one.run_alone)}"
        lines.append(f"  {what:16}  {one.n:>7,}  {one.n_problems:>8,}  {one.late:>4,}  {shares}")
    lines.append(f"  judged differently: {said_of(audit.differ)}")
    lines.append(f"  paid by the run alone: {said_of(audit.run_alone)}")
    for example in audit.examples:
        paid = "the run" if example.paid_by_run else "the second scorer"
        where = f"validation {example.step}" if example.step is not None else str(example.origin)
        lines.append(f"    paid by {paid} alone, {where}: {example.answer!r}, gold {example.gold!r}")
    lines += [f"  not judged again: {count:,} {reason}" for reason, count in audit.left_out.items()]
    lines += [f"  no second scorer: {count:,} samples of {source}" for source, count in audit.alone.items()]
    return "\n".join(lines)


def _share(share: Share | None) -> str:
    return "-" if share is None else plain(Estimate(share.value, share.low, share.high))


def said_of(growth: Growth) -> str:
    """One sentence: how the share changed, and whether that is a growth."""
    if growth.value is None:
        return f"whether the share grows is not known: {growth.reason}"
    change = signed(Estimate(growth.value.value, growth.value.low, growth.value.high))
    said = "GROWS" if growth.grows else "is not shown to grow"
    return f"{said}, {change} from the first half of the validations to the second, {growth.n_problems:,} problems"
