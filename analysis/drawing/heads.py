"""What people read at the head of a column or above a table; files keep the short names that scripts read."""

import re

from analysis.estimates.numerals import short

_HEADS = {
    "runs": "Setting",
    "arm": "Configuration",
    "arms": "Configurations",
    "one": "One",
    "other": "The other",
    "n_params_non_embedding": "Parameters without embedding",
    "pass1": "pass@1",
    "per_doubling": "Change per doubling",
    "last_doubling": "Change of the last doubling",
    "scatter_of_arms_in_interval": "Scatter counted",
    "alpha": "Exponent",
    "x_min": "From",
    "x_max": "To",
    "x": "Of what",
    "law": "Power law",
    "n_unique": "Problems in the set",
    "problems_seen": "Problems seen",
    "tau": "Times each problem is seen",
    "flops": "Training FLOPs",
    "gain_per_flop": "Gain per FLOP",
    "flops_to_target": "FLOPs to the target",
    "matched_flops": "At these FLOPs",
    "target": "Target accuracy",
    "p_holm": "p (Holm)",
    "p_equivalence": "p of equivalence",
    "difference_to_first": "Difference to the smallest",
    "difference_to_best": "Difference to the best",
    "difference_to_largest": "Difference to the largest",
    "difference_matched": "Difference at matched compute",
    "difference_at_end": "Difference at the end",
    "why_not_matched": "Why not matched",
    "why_no_ratio": "Why no ratio",
    "minus_last_value": "Minus repeating the last value",
    "mae": "Mean absolute error",
    "wins": "Share of cuts won",
    "law_off": "Law is off by",
    "last_value_off": "Last value is off by",
    "curves_law_off": "Law of the curves is off by",
    "curves_last_value_off": "Last value of the curves is off by",
    "curves_note": "Why no law of the curves",
    "largest_k": "Largest k",
    "crossover_k": "Base model ahead from k",
    "probability_none": "Probability of no crossover",
    "interval": "Method of the interval",
    "doubling_of": "Doubling of",
    "measured_on": "Measured on",
    "trained_on": "Trained on",
    "turns": "Turns allowed",
    "max_turns": "Most turns in training",
    "pass_at_k": "pass@k within these turns",
    "ceiling": "Ceiling of the environment",
    "per_doubling_of_size": "Change of that per doubling of size",
    "held_equal": "Held equal",
    "agent": "Agent",
    "samples_of_agent": "Samples of the agent",
    "samples_of_none": "Samples without",
    "why_no_difference": "Why no difference",
    "difference_to_need": "Calls made minus needed",
    "k": "k",
    "p": "p",
}
_CAPTIONS = {
    "overall": "All settings together",
    "sizes": "pass@1 of every size",
    "scales": "pass@1 of every amount of data",
    "slopes": "Change per doubling, setting by setting",
    "laws": "Change with compute, setting by setting",
    "configurations": "pass@1 of every configuration",
    "curves": "Exponent of every learning curve",
    "k_of_n": "How the slope of a curve changes with model size",
    "reached": "Samples needed for the target",
    "to_target": "Compute needed for the target",
    "multipliers": "Compute that a configuration saves",
    "gain_per_flop": "Gain per FLOP",
    "returns": "Return of one more doubling",
    "reuse": "pass@1 by reuse",
    "law": "Law of data reuse",
    "shares": "pass@1 by share of fine-tuning",
    "differences": "Differences, pair by pair",
    "transfer": "Gains on each domain, by what was trained on",
    "gains": "Gain by number of problems",
    "signs": "Signs of trouble, run by run",
    "against_base": "Trained minus base model, by k",
    "crossover": "From which k the base model is ahead",
    "predictions": "The largest size, predicted from the smaller ones",
    "surface": "pass@k by size and turns allowed",
    "turns_by_need": "pass@1 by calls needed and turns allowed",
    "rises": "Change of pass@1 per doubling of turns allowed",
    "turns_law": "Law of size and turns, without what it is asked for",
    "trained_turns": "pass@1 by the most turns in training",
    "trained_turns_slopes": "Change per doubling of the most turns in training",
    "tool_gains": "Agent minus none, by what is held equal",
    "tool_use": "What agents do, before and after RL",
    "need": "Calls needed and calls made",
    "along_training": "What agents do in the first and last steps",
    "forms": "How well each form predicts the rest of a run",
}


def head(column: str) -> str:
    """The head of a column."""
    return _HEADS.get(column) or _sentence(column)


def caption(table: str) -> str:
    """What stands above a table of an answer."""
    return _CAPTIONS.get(table) or _sentence(table)


def parameter(name: str) -> str:
    """A parameter of a law: its levels are named by the size that they are of."""
    found = re.fullmatch(r"E\[(\d+)\]", name)
    return f"Level at {short(float(found[1]))}" if found else name


def _sentence(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
