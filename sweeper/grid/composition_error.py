"""What Hydra or OmegaConf refused, in a line of ours."""

import difflib
import re
from collections.abc import Sequence

from hydra.core.global_hydra import GlobalHydra

from sweeper.grid.known import is_key, no_such_key

# OmegaConf's message, the key that it ends with (without a place in a list), and its names of our classes.
_OMEGACONF = re.compile(r"^(?:Error merging override \S+ )?(.*?)\.? full_key: ([^\s[]+)\S*( \w+_type=.*)?$")


def in_one_line(error: Exception) -> str:
    """`KEY: what is wrong`, of an error of OmegaConf's."""
    text = " ".join(f"{error} {error.__cause__ or ''}".split())
    return _OMEGACONF.sub(r"\2: \1", text.replace("ConfigError raised while resolving interpolation: ", ""))


def refusal_of(error: Exception, overrides: Sequence[str]) -> str:
    """Hydra's or OmegaConf's message in one line, with the nearest existing key or option and how to write an axis."""
    text, said = " ".join(f"{error} {error.__cause__ or ''}".split()), in_one_line(error)
    loader = GlobalHydra.instance().config_loader()
    if match := re.search(r"Could not find '([\w.\-]+)/([^']+)'", text):
        group, option = match.groups()
        options = loader.get_group_options(group)
        near = difflib.get_close_matches(option, options, n=3, cutoff=0.4)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        if group == "model":
            hint += "One of your own: sweeper add-model, with its folder or its hub id. "
        elif option.endswith((".yaml", ".yml")):
            name = option.rpartition("/")[2].rpartition(".")[0]
            hint = f"A file of your own belongs to conf/{group}/ of a project (sweeper init), as {group}={name}. "
        return f"{group}={option}: there is no such {group}. {hint}Choose one of: {', '.join(options)}"
    if match := re.search(
        r"(?:Could not override|Key|No match in the defaults list\. *Could not override) '([\w.@/\-]+)'", text
    ):
        return _unknown_key(match.group(1), text)
    if match := re.search(r"str is not a (ListConfig|DictConfig|subclass of)", text):
        at = said.partition(":")[0]
        given = next((item.partition("=")[2] for item in overrides if item.lstrip("+").startswith(f"{at}=")), "…")
        if match.group(1) == "ListConfig":
            return f"{at}={given}: a list is wanted; write '{at}=[{given}]'"
        return f"{at}={given}: {at} is a part with settings of its own; set one of them, {at}.KEY=…"
    for item in overrides:
        key, _, value = item.partition("=")
        if value.startswith("["):
            return (
                f"{item}: a list is one value, not an axis. To sweep write {key}={value.strip('[]')} with -m. ({said})"
            )
    if "sweeper.params" in text or "hydra.sweeper" in text:
        return f"a grid file's axis is not a string; write 'a,b,c' or 'range(0,3)', not a YAML list. ({said})"
    return said


def _unknown_key(named: str, text: str) -> str:
    """What Hydra's `text` about the key it named comes to, with the whole key and the file it stands in."""
    whole = re.search(r"full_key: (\S+)", text)
    inner = whole.group(1) if whole else named
    key = inner if inner.endswith(named) else named
    if is_key(key):
        if inner == key or not whole:
            return text
        key = inner if inner.startswith(f"{key}.") else f"{key}.{inner}"
    if "is not in struct" in text:  # a mapping that takes any name
        return f"{key} is not there yet; to add it write +{key}=…"
    file = re.match(r"In '([^']+)'", text)
    return (f"{file.group(1)}.yaml: " if file else "") + no_such_key(key)
