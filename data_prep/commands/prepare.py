"""`python -m data_prep prepare`: fetch a source, or make the files that a run with these options would use."""

import argparse
import json
from pathlib import Path

from data_prep.spec import BadRows, Cleaning, DataError, DataSpec, Order, PassRateRange, Recipe

_FILTER = "COLUMN:LOW:HIGH"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the verb `prepare`."""
    parser = subparsers.add_parser(
        "prepare",
        help="fetch a source, or make train, val and evaluation files",
        description="With a source of the hub's as SOURCE: fetch it into --out, for data_root. With a folder, or "
        "`synthetic`: make the files below --out. `prepare list` names the sources.",
    )
    parser.add_argument("source", help="name of a source, a folder, `synthetic`, or `list`")
    parser.add_argument("--out", type=Path, default=Path("results/data"), help="folder to write to")
    parser.add_argument("--revision", help="commit of a source of the hub's")
    parser.add_argument("--offline", action="store_true", help="take the source from the hub's cache")
    _add_selection(parser)
    _add_cleaning(parser)
    parser.set_defaults(func=run)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("selection")
    group.add_argument("--n-unique", type=int, help="different training problems; default: all of a folder")
    group.add_argument("--weights", default="math=1", help="shares of the domains, e.g. math=3,code=1")
    group.add_argument("--eval-domains", help="e.g. math,stem; default: those with a weight")
    group.add_argument("--n-eval", type=int, help="evaluated problems a domain; default: all in online_eval/")
    group.add_argument("--n-val", type=int, default=8, help="validation problems a domain")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--order", type=Order, choices=list(Order), default=Order.mixed)
    group.add_argument("--order-by", help="pass-rate column, or difficulty")
    group.add_argument("--stages", default="", help="order of the domains for --order staged")
    group.add_argument("--stratify-by", help="pass-rate column, or difficulty")
    group.add_argument("--filter", action="append", default=[], metavar=_FILTER, help="pass rates strictly between")
    group.add_argument("--sft-share", type=float, default=0.0)
    group.add_argument("--sft-solutions", help="parquet or JSONL with problem_id and solution")
    group.add_argument("--annotations", action="append", default=[], help="file of pass rates by problem_id")
    group.add_argument("--recipe", type=Recipe, choices=list(Recipe))


def _add_cleaning(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cleaning (of folders)")
    group.add_argument("--keep-exact-duplicates", action="store_true")
    group.add_argument("--near-duplicates", type=float, help="similarity from which a problem is a repetition")
    group.add_argument("--keep-contaminated", action="store_true", help="only exact repetitions of evaluation go")
    group.add_argument("--check-golds", action="store_true", help="drop rows whose own gold is not scored 1")
    group.add_argument("--max-prompt-tokens", type=int)
    group.add_argument("--tokenizer", help="folder of the tokenizer to count with")
    group.add_argument("--bad-rows", type=BadRows, choices=list(BadRows), default=BadRows.refuse)


def run(arguments: argparse.Namespace) -> int:
    """Executes the verb."""
    from data_prep.sources.hub import fetch
    from data_prep.sources.source import SOURCES, Kind

    name = str(arguments.source)
    if name == "list":
        for source in SOURCES.values():
            print(f"{source.name}: {source.title}\n  licence: {source.licence}\n  get it: {source.how}")
        return 0
    if name in SOURCES and SOURCES[name].kind is Kind.hub:
        commit = fetch(SOURCES[name], arguments.out, revision=arguments.revision, offline=arguments.offline)
        print(f"{name} at revision {commit} is in {arguments.out}: set data_root={arguments.out}")
        return 0
    if name in SOURCES and SOURCES[name].kind is Kind.folder:
        raise DataError(f"{name}: {SOURCES[name].how}; then give that folder as SOURCE.")
    return _prepare(name, arguments)


def _prepare(name: str, arguments: argparse.Namespace) -> int:
    from data_prep.materialise import materialise

    n_eval = arguments.n_eval
    synthetic = name == "synthetic"
    spec = DataSpec(
        root=None if synthetic else name,
        n_unique=arguments.n_unique,
        weights=_weights(arguments.weights),
        eval_domains=_names(arguments.eval_domains) if arguments.eval_domains else None,
        n_eval_per_domain=32 if synthetic and n_eval is None else n_eval,
        n_val_per_domain=arguments.n_val,
        seed=arguments.seed,
        order=arguments.order,
        order_by=arguments.order_by,
        stages=_names(arguments.stages),
        stratify_by=arguments.stratify_by,
        filters=tuple(_range(text) for text in arguments.filter),
        sft_share=arguments.sft_share,
        sft_solutions=arguments.sft_solutions,
        annotations=tuple(arguments.annotations),
        recipe=arguments.recipe,
        cleaning=Cleaning(
            exact_duplicates=not arguments.keep_exact_duplicates,
            near_duplicates=arguments.near_duplicates,
            contamination=not arguments.keep_contaminated,
            golds=arguments.check_golds,
            max_prompt_tokens=arguments.max_prompt_tokens,
            tokenizer=arguments.tokenizer,
            bad_rows=arguments.bad_rows,
        ),
    )
    prepared = materialise(spec, arguments.out)
    manifest = json.loads(prepared.manifest.read_text())
    for split, about in manifest["files"].items():
        shares = ", ".join(f"{domain} {count}" for domain, count in about["by_domain"].items())
        print(f"{split}: {about['rows']} rows ({shares})")
    for kind in ("dropped", "notes"):
        for step, count in manifest.get(kind, {}).items():
            print(f"{kind}: {count} {step}")
    print(f"in {prepared.manifest.parent}")
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _weights(text: str) -> dict[str, float]:
    weights = {}
    for part in _names(text):
        domain, _, weight = part.partition("=")
        try:
            weights[domain] = float(weight or 1)
        except ValueError as error:
            raise DataError(f"--weights {text}: {weight!r} is not a number. Write e.g. math=3,code=1.") from error
    return weights


def _range(text: str) -> PassRateRange:
    column, *bounds = text.rsplit(":", 2)
    try:
        low, high = (float(bound) for bound in bounds)
    except ValueError as error:
        raise DataError(f"--filter {text}: write {_FILTER}, e.g. qwen2.5_7b_pass_rate:0:0.9.") from error
    return PassRateRange(column=column, low=low, high=high)
