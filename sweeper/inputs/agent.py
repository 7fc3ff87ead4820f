"""The agent of a run: its tools and environment are looked up when a spec is made, files of the user's own frozen.

agents/<digest>/my_tools.py      and the modules of its folder that it imports; what runs load
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_prep.files.atomic_folder import make_once
from rewards.own.reward_file import BadRewardFile, RewardFile
from sweeper.agent.environments.registry import environment_version
from sweeper.agent.own.inside import ENVIRONMENT, TOOL
from sweeper.agent.own.own_code import examine, is_reference, split_reference
from sweeper.agent.tools.registry import names, tool_version
from sweeper.agent.tools.search import CORPUS, corpus_digest
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import FOLDER, Agent
from sweeper.spec.bounds import adapter

_FILLED_IN = ("versions", "files")
_IN_SANDBOX = ("python", "verifier")
_SEARCH = "search"


def with_versions(agent: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `agent` with what its tools, environment, corpus and files are known by.

    `FILE.py:NAME` loses the folder of its file, which says nothing about a run; `files` keeps where it was.

    Raises:
        ConfigError: a tool or environment that is not there or does not load, both at once, a setting that changes
            nothing, a version given by hand.
    """
    found = dict(agent)
    for name in _FILLED_IN:
        if found.get(name):
            raise ConfigError(
                f"agent.{name} is filled in from agent.tools, agent.environment and agent.corpus; set those"
            )
    tools, environment = list(found["tools"]), found["environment"]
    if tools and environment is not None:
        raise ConfigError(
            f"agent.tools={tools} and agent.environment={environment}: a policy acts with tools or in an environment; "
            "set one to null"
        )
    if not tools and environment is None:
        _refuse_idle(found)
        return found
    versions: dict[str, str] = {}
    files: dict[str, str] = {}
    found["tools"] = [_known(TOOL, name, versions, files) for name in tools]
    if environment is not None:
        found["environment"] = _known(ENVIRONMENT, environment, versions, files)
    _refuse_twice(found["tools"])
    if any(name in _IN_SANDBOX for name in tools) and found["limits"]["cpu_s"] % 1:
        raise ConfigError(
            f"agent.limits.cpu_s={found['limits']['cpu_s']:g}: the sandbox counts whole seconds; set a whole number"
        )
    if _SEARCH in tools:
        if found["corpus"] is not None:
            found["corpus"] = str(Path(found["corpus"]).expanduser().resolve())
        versions[CORPUS] = corpus_digest(found["corpus"])
    elif found["corpus"] is not None:
        raise ConfigError(f"agent.corpus={found['corpus']} changes nothing without the tool search; leave it out")
    return found | {"versions": versions, "files": files}


def _known(kind: str, name: str, versions: dict[str, str], files: dict[str, str]) -> str:
    """The name as a spec has it; adds what it is known by."""
    if not is_reference(name):
        versions[name] = tool_version(name) if kind == TOOL else environment_version(name)
        return name
    path, member = split_reference(name)
    path = path.expanduser().resolve()
    file, _ = examine(kind, path, member)
    short = f"{file.name}:{member}"
    if versions.get(short, file.digest) != file.digest:
        raise ConfigError(f"agent.tools: two files are called {file.name}; rename one")
    versions[short] = file.digest
    files[file.digest] = str(path)
    return short


def _refuse_twice(tools: list[str]) -> None:
    """The model calls a tool by one word."""
    called = [name.rpartition(":")[2] for name in tools]
    twice = next((name for name in called if called.count(name) > 1 or (name in names() and name not in tools)), None)
    if twice is not None:
        raise ConfigError(f"agent.tools: two tools are called {twice}; leave one, or rename your function")


def _refuse_idle(agent: Mapping[str, Any]) -> None:
    """Refuse what would be in no run's id: settings of an agent that has nothing to act on."""
    usual, given = (adapter(Agent).dump_python(one) for one in (Agent(), adapter(Agent).validate_python(dict(agent))))
    changed = next((name for name in usual if name != "name" and given[name] != usual[name]), None)
    if changed is not None:
        raise ConfigError(
            f"agent.{changed}={given[changed]} changes nothing: there are neither agent.tools nor agent.environment. "
            "Choose an agent (agent=calculator), or leave it out"
        )


def frozen(agent: Agent, results_dir: Path) -> Path | None:
    """The folder with the files of the user's own as they were when the spec was made, copied there if they are not.

    Returns:
        None: the agent has none.

    Raises:
        ConfigError: a file has changed since, and no run kept it.
    """
    folder = results_dir / FOLDER
    for digest, path in agent.files.items():
        name = Path(path).name
        if (folder / digest / name).is_file():
            continue
        try:
            file = RewardFile.read(Path(path))
        except BadRewardFile as error:
            raise ConfigError(str(error)) from None
        if file.digest != digest:
            raise ConfigError(f"{path} is not the file that the run was planned with. Restore it, or plan again.")
        make_once(folder / digest, done=name, make=file.write)
    return folder.resolve() if agent.files else None
