"""Print a script that makes a shell complete verbs, flags, groups and their options.

In ~/.bashrc: eval "$(sweeper completion bash)"; in ~/.zshrc, after compinit: eval "$(sweeper completion zsh)"; in
~/.config/fish/config.fish: sweeper completion fish | source. These scripts call `sweeper completion words` at every Tab
(0.1 s), so that what is added to `conf/` is proposed at once: it reads the words of a command line, one per line, and
prints what may stand in the last one's place.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence

from sweeper.cli.verb import EXIT_OK

# readline replaces only what follows the last `=`, so bash gets no more than that.
_BASH = """\
_sweeper() {
    local line="${COMP_LINE:0:COMP_POINT}" words current
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    current="${words[-1]}"
    mapfile -t COMPREPLY < <(printf '%s\\n' "${words[@]:1}" | "$1" completion words)
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*=}"}"}")
    fi
}
complete -o default -F _sweeper sweeper
"""
_ZSH = """\
#compdef sweeper
_sweeper() {
    local -a found
    found=("${(@f)$(printf '%s\\n' "${(@)words[2,CURRENT]}" | "${words[1]}" completion words)}")
    found=("${(@)found:#}")
    (( ${#found} )) || { _files; return }
    compadd -Q -S '' -- ${(M)found:#*=}
    compadd -Q -- ${found:#*=}
}
compdef _sweeper sweeper
"""
_FISH = """\
function __sweeper_words
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    printf '%s\\n' $words[2..] (commandline --current-token --cut-at-cursor) | $words[1] completion words
end
complete --command sweeper --no-files --arguments '(__sweeper_words)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("shell", choices=[*SCRIPTS, "words"], help="bash, zsh or fish; words is for their scripts")


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    if options.shell == "words":
        print("\n".join(proposals(sys.stdin.read().splitlines())))
    else:
        print(SCRIPTS[options.shell], end="")
    return EXIT_OK


def proposals(words: Sequence[str]) -> list[str]:
    """What may stand in the place of the last word after the program's name, which is unfinished and may be empty."""
    from sweeper.cli.handover import HANDED_OVER
    from sweeper.cli.main import VERBS, parsers

    *before, current = words or [""]
    if before and before[0] in HANDED_OVER:
        return []  # files; the other program would take half a second to say what else
    parser, verbs = parsers()
    verb = verbs.get(before[0]) if before else None
    actions = (verb or parser)._actions
    flags = {flag: action for action in actions for flag in action.option_strings}
    valued = flags.get(before[-1]) if before else None
    found: list[str] = []
    if valued is not None and valued.nargs != 0:
        found += map(str, valued.choices or ())
    elif current.startswith("-"):
        found += flags
    else:
        found += [] if before else VERBS
        if verb is None or any(action.dest == "overrides" for action in actions):
            found += _settings(current)
        else:
            found += [str(item) for action in actions if not action.option_strings for item in action.choices or ()]
    return [item for item in found if item.startswith(current)]


def _settings(current: str) -> Iterable[str]:
    """Groups and plain keys; after `GROUP=`, the group's options, also behind a comma."""
    from sweeper.grid.project import conf_folders, packaged_conf

    folders = conf_folders()
    key, sign, value = current.partition("=")
    if sign:
        chosen = value.split(",")[:-1]
        group = key.removeprefix("+")
        options = sorted({path.stem for folder in folders for path in (folder / group).glob("*.yaml")})
        return [f"{key}={','.join([*chosen, option])}" for option in options if option not in chosen]
    groups = sorted({path.name for folder in folders for path in folder.iterdir() if any(path.glob("*.yaml"))})
    keys = re.findall(r"^(\w+): *[^\s{]", (packaged_conf() / "config.yaml").read_text(), re.MULTILINE)
    return [f"+{group}=" if group == "grid" else f"{group}=" for group in groups] + [f"{key}=" for key in keys]
