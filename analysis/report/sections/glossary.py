"""What the words of this page mean, each said once."""

import pandas as pd

from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section

WORDS = {
    "pass@k": "Chance that at least one of k samples is correct; pass@1 is the share of correct samples.",
    "Base model": "The model before RL, on the same problems.",
    "Gain": "Trained minus base model, problem by problem.",
    "Paired": "Both sides answered the same problems, so that how hard a problem is drops out of the difference.",
    "95% interval": "[low, high]: made so that 95 of 100 such intervals hold the truth. A difference whose interval "
    "holds 0 is not decided.",
    "Configuration": "Runs with the same settings; they differ in their seed alone.",
    "Setting": "Runs that share all settings but the one that a question is about.",
    "Seed": "The number that starts a run's chance. With one seed nobody knows how far another run would be off.",
    "Per doubling": "Slope of the line of pass@1 over the logarithm of size or data: what twice as much changes.",
    "Reuse": "How often RL saw each of the problems that it saw.",
    "Exponent": "Alpha of the power law error = A x^(-alpha): a doubling of x divides the error by 2^alpha.",
    "Error": "1 - pass@1, or 1 - accuracy on validation problems.",
    "Last value": "The plainest prediction: what was measured last stays. A law that is no closer predicts nothing.",
    "Held out": "Measured, but kept from every fit, so that a law can be judged by it.",
    "Extrapolated": "Outside what the law was fitted to.",
    "Slope k(N)": "How fast the error falls along a curve, as a function of model size N: K_max / (1 + N0 / N).",
    "K_max, N0": "The slope that ever larger models come to, and the size at which half of it is reached.",
    "AR(1)": "Neighbouring validations of a run resemble each other; the interval takes that into account.",
    "Holm": "Correction of p-values for several comparisons at once.",
    "Clearly": "Of one among several comparisons: its p-value is below 0.05 after Holm's correction over all of them.",
    "Model FLOPs": "Multiplications and additions of the model, each counted once; recomputation is left out.",
}


def section(_: object) -> Section:
    """Folded."""
    frame = pd.DataFrame(list(WORDS.items()), columns=["Word", "Meaning"])
    table = frame_table(frame, name="glossary", caption="Words used on this page.", fold=0)
    return Section(anchor="glossary", title="Glossary", tables=(table,))
