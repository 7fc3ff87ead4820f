"""What each source of programs presumes: the limits that its numbers were published with, and names without an import.

Limits are CPU time of each test or call, so that a neighbour's load changes no verdict; the harnesses named here
measure wall time on an idle machine, which comes to the same.
"""

import builtins
import importlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from rewards.code.solution import Solution, free_names
from rewards.problem.domains import longest_prefix
from rewards.problem.python_tree import python_tree
from rewards.sandbox.runs import Limits

# The modules that LiveCodeBench star-imports before each program (lcb_runner/evaluation/testing_util.py), in its order.
_LIVECODEBENCH_MODULES = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics"),
    *("itertools", "functools", "operator", "io", "sys", "json", "typing"),
)


_ASLEEP_S = 6  # more than the CPU time


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """Of one source: limits, and the modules whose names its programs may use without an import.

    `any_fence`: A program may stand behind a fence with any word, as Guru's reference has it.
    """

    limits: Limits
    presumed: tuple[str, ...] = ()
    any_fence: bool = True

    def within(self, cpu_s: int) -> "SourceRules":
        """The same with another limit of CPU time; it may sleep for as much longer as with the published ones."""
        return replace(self, limits=replace(self.limits, cpu_s=cpu_s, wall_s=float(cpu_s + _ASLEEP_S)))

    def imports_for(self, solution: Solution) -> str:
        """Imports of the presumed names that the program uses and does not define."""
        if not self.presumed or solution.defined is None:
            return ""
        known = _imports(self.presumed)
        used = free_names(python_tree(solution.source)) - solution.defined
        return "".join(f"{known[name]}\n" for name in sorted(used & known.keys()))


@lru_cache
def _imports(modules: tuple[str, ...]) -> Mapping[str, str]:
    """By name, the statement that imports it; of two modules' names the later counts, as with star imports."""
    found: dict[str, str] = {}
    for module in modules:
        there = importlib.import_module(module)
        names = getattr(there, "__all__", None) or [name for name in dir(there) if not name.startswith("_")]
        found |= {name: f"from {module} import {name}" for name in names}
    found |= {module: f"import {module}" for module in modules if len(modules) > 1}
    return {name: statement for name, statement in found.items() if not hasattr(builtins, name)}


_TYPING = (typing.__name__,)
# Guru's reference (Reasoning360, coder1): 30 s for each run.
GURU = SourceRules(limits=Limits(cpu_s=30, wall_s=36.0), presumed=_TYPING)
# LiveCodeBench's default: 6 s for each test.
LIVECODEBENCH = SourceRules(limits=Limits(), presumed=_LIVECODEBENCH_MODULES)
# HumanEval's harness (3 s) and MBPP's run programs as they are; their prompts bring the imports along.
BARE = SourceRules(limits=Limits())
# Of any other source.
OTHER = SourceRules(limits=Limits(), presumed=_TYPING)
# Synthetic programs compute for microseconds; whatever takes a second of CPU is a loop.
SYNTHETIC = SourceRules(limits=Limits(cpu_s=1, wall_s=6.0, memory_mb=512, series=1), any_fence=False)
_BARE_NAMES = {
    "livecodebench": LIVECODEBENCH,
    **dict.fromkeys(("humaneval", "humanevalplus", "openai_humaneval", "mbpp", "mbppplus"), BARE),
    **dict.fromkeys(("primeintellect", "taco", "leetcode", "leetcode2k"), GURU),
}
# By the beginning of the source's name, in the spelling of `rewards.problem.domains`.
RULES: Mapping[str, SourceRules] = {
    **_BARE_NAMES,
    **{f"codegen__{name}": rules for name, rules in _BARE_NAMES.items()},
}


def rules_of(data_source: str) -> SourceRules:
    """The rules of a source in any spelling."""
    prefix = longest_prefix(data_source, RULES)
    return OTHER if prefix is None else RULES[prefix]
