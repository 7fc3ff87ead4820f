"""The forms on offer by name. `docs/laws.md` has the same list with units and sources."""

from analysis.laws.curves import EXP_SATURATION, POWER, POWER_FLOOR, SIGMOID
from analysis.laws.form import Form
from analysis.laws.sample import LawError
from analysis.laws.surfaces import CHINCHILLA, DATA_REUSE, KN_LOGLINEAR, POWER_ND

FORMS = {
    form.name: form
    for form in (KN_LOGLINEAR, SIGMOID, POWER_FLOOR, CHINCHILLA, EXP_SATURATION, POWER, POWER_ND, DATA_REUSE)
}
# Of one curve: what ranking compares. The log-linear law of one curve is the plain power law.
ZOO = (POWER, POWER_FLOOR, SIGMOID, EXP_SATURATION)


def form_named(name: str) -> Form:
    """A form of the catalogue.

    Raises:
        LawError: there is none of this name.
    """
    if name not in FORMS:
        raise LawError(f"--law is {name!r} - use one of {', '.join(FORMS)}")
    return FORMS[name]
