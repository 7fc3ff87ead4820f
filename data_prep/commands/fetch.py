"""`python -m data_prep fetch`: the known sources, and those of the hub into a folder."""

import argparse
from pathlib import Path

from data_prep.spec import DataError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the verb `fetch`."""
    parser = subparsers.add_parser(
        "fetch",
        help="list the sources, or fetch one",
        description="Fetch a source from the Hugging Face hub into a folder for data_root. Without SOURCE: list every "
        "source with its licence and how to get it.",
    )
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="name of a source, or any OWNER/NAME of the hub")
    parser.add_argument("--subset", help="of an OWNER/NAME: the configuration to read (default: the only one)")
    parser.add_argument("--split", nargs="+", default=[], help="of an OWNER/NAME: the splits to read (default: all)")
    parser.add_argument("--out", type=Path, help="folder to make (default: data/SOURCE)")
    parser.add_argument("--revision", help="commit to fetch (default: that of an earlier fetch, else the newest)")
    parser.add_argument("--offline", action="store_true", help="take the source from the hub's cache")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Executes the verb."""
    from data_prep.sources.hub import fetch
    from data_prep.sources.source import SOURCES, of_the_hub

    if (arguments.subset or arguments.split) and "/" not in (arguments.source or ""):
        raise DataError("--subset and --split choose from an OWNER/NAME of the hub; leave them out, or name one.")
    if arguments.source is None and (arguments.out or arguments.revision or arguments.offline):
        raise DataError("--out, --revision and --offline are of a source that is fetched; name one.")
    if arguments.source is None:
        for source in SOURCES.values():
            print(f"{source.name}: {source.title}\n  licence: {source.licence}\n  get it: {source.how}")
        return 0
    if "/" in arguments.source:
        source = of_the_hub(arguments.source, subset=arguments.subset, splits=tuple(arguments.split))
    elif arguments.source in SOURCES:
        source = SOURCES[arguments.source]
    else:
        raise DataError(
            f"{arguments.source} is not a known source. Name one of {', '.join(SOURCES)}, or an OWNER/NAME of the hub."
        )
    out = arguments.out or Path("data", arguments.source.rpartition("/")[2])
    commit = fetch(source, out, revision=arguments.revision, offline=arguments.offline)
    print(f"{arguments.source} at revision {commit} is in {out}: set data_root={out}")
    return 0
