r"""One spelling for equal notations of mathematical answers: characters, TeX commands, thousands, spacing.

Everything here is linear in the answer and evaluates nothing. What `normalise` returns is ASCII TeX with one
command for each meaning (`\frac`, `\text`, `\le`), which `rewards.math.reading.tokens` reads.
"""

import re
import unicodedata

from rewards.math.reading.decoration import in_known_notation, without_decoration
from rewards.math.reading.measure import with_known_units, with_one_unit
from rewards.math.reading.money import with_currency_words
from rewards.math.reading.notation import known_prefix
from rewards.math.reading.numerals import ABOUT, COMMA_GROUPS, MONEY, scripts_as_tex, without_blanks, without_thin_gaps
from rewards.problem.extraction import last_boxed

MAX_ANSWER = 4096

# ruff: noqa: RUF001 - the look-alike characters are what this table is about
_UNICODE = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "➖": "-",
        "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "•": r"\cdot ", "÷": "/", "∕": "/", "⁄": "/",
        "∗": "*", "π": r"\pi ", "𝜋": r"\pi ", "∞": r"\infty ", "°": r"^\circ ", "º": r"^\circ ", "˚": r"^\circ ",
        "±": r"\pm ", "∓": r"\mp ", "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≠": r"\ne ",
        "≈": r"\approx ", "≡": r"\equiv ", "∪": r"\cup ", "⋃": r"\cup ", "∩": r"\cap ", "∈": r"\in ",
        "∖": r"\setminus ", "∠": r"\angle ", "△": r"\triangle ",
        "∅": r"\emptyset ", "⌀": r"\emptyset ", "ℝ": r"\R ", "ℤ": r"\Z ", "ℕ": r"\N ", "ℚ": r"\Q ", "ℂ": r"\C ",
        "√": r"\sqrt ", "∛": r"\sqrt[3]", "∜": r"\sqrt[4]", "∶": ":", "∣": "|", "∥": r"\|", "′": "'", "’": "'",
        "‘": "'",
        "“": '"', "”": '"', "⟨": r"\langle ", "⟩": r"\rangle ", "〈": r"\langle ", "〉": r"\rangle ", "⌊": r"\lfloor ",
        "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "…": r"\ldots ", "、": ",", "。": ".", "，": ",",
        "；": ";", "（": "(", "）": ")", "∧": r"\text{ and }", "∨": r"\text{ or }", "≅": r"\cong ",
        "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\epsilon ", "θ": r"\theta ",
        "λ": r"\lambda ", "μ": r"\mu ", "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\phi ", "ϕ": r"\phi ",
        "ω": r"\omega ", "Δ": r"\Delta ", "Ω": r"\Omega ", "Σ": r"\Sigma ", "Φ": r"\Phi ",
        "½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}",
        "⅕": r"\frac{1}{5}", "⅖": r"\frac{2}{5}", "⅗": r"\frac{3}{5}", "⅘": r"\frac{4}{5}", "⅙": r"\frac{1}{6}",
        "⅚": r"\frac{5}{6}", "⅛": r"\frac{1}{8}", "⅜": r"\frac{3}{8}", "⅝": r"\frac{5}{8}", "⅞": r"\frac{7}{8}",
    }
)  # fmt: skip
_FULL_WIDTH_COMMA = re.compile("(?<=[0-9０-９])，(?=[0-9０-９]{3})")
_ROOT_OF_DIGITS = re.compile(r"√\s*(\d+(?:\.\d+)?)")

# Guru's DAPO and OR1 rows hold LaTeX with every backslash doubled; otherwise `\\` ends a matrix row.
_ROWS = re.compile(r"\\begin\{|\\cr\b|&")
_SPACING = re.compile(
    r"\\(?:left|right|[bB]igg?[lrm]?|middle|mleft|mright)(?![a-zA-Z])\.?(?=\s*(?:\\?[{}()\[\]|.<>/]|\\|$))"
    r"|\\(?:displaystyle|textstyle|limits|nolimits|quad|qquad|thinspace|enspace|hfill|noindent|hline|newline)(?![a-zA-Z])"
    r"|(?<!\\)\\[!,;:> ]|\\(?:[hv]space|[hv]?phantom)\*?\{[^{}]*\}|~|\\[()]|\\\[|\\\]|\\tag\*?\{[^{}]*\}"
)
_SMALL_FRACTION = re.compile(r"\\[dtcsx]frac(?![a-zA-Z])|\\nicefrac(?![a-zA-Z])")
_INFIX = re.compile(r"\{([^{}]*?)\\(over|choose)(?![A-Za-z])([^{}]*)\}")
_SMALL_BINOMIAL = re.compile(r"\\[dt]binom(?![a-zA-Z])")
_FONT = re.compile(
    r"\\(?:math(?:rm|bf|it|sf|tt|normal|cal|scr|frak)|boldsymbol|bm|text(?:bf|it|rm|sf|tt|normal|sc)|mbox|hbox|emph"
    r"|operatorname\*?|underline)(?![a-zA-Z])\s*"
)
_OLD_FONT = re.compile(r"\\(?:rm|bf|it|sf|cal)(?![a-zA-Z])")
# `\mathrm{e}` is the number e and `\text{13}` is 13, but the m of `5\text{ m}` is a unit.
_ONE_LETTER = re.compile(
    r"\\text\s*\{\s*([ei]|\\[A-Za-z]+|-?\d+(?:\.\d+)?)\s*\}|(?<![\d})])(?<![\d})] )\\text\s*\{\s*([A-Za-z])\s*\}"
)
_REPEATING = re.compile(
    r"(?P<whole>\d*)\.(?P<fixed>\d*)(?:\\(?:overline|bar)\s*(?:\{\s*(?P<bar>\d+)\s*\}|(?P<one>\d))|\((?P<bracket>\d+)\)"
    r"|\\dot\s*\{?\s*(?P<first>\d)\s*\}?(?:(?P<middle>\d*)\\dot\s*\{?\s*(?P<last>\d)\s*\}?)?"
    r"|(?P<tail>(?P<period>\d{1,3})(?P=period){2,})\s*(?:\.\.\.|\\ldots))"
)
_SCIENTIFIC = re.compile(r"(?<![A-Za-z\\}])(\d+(?:\.\d+)?)\s?[eE](-?\d{1,4}|\+\d{2,4})(?![\d.A-Za-z])")
_SETS = re.compile(r"\\(?:mathbb|Bbb)\s*\{?\s*([RZNQC])\s*\}?")
_DEGREES = re.compile(r"\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})|\\degrees?(?![a-zA-Z])|\\textdegree(?![a-zA-Z])")
_SPACED_COMMA = re.compile(r",\s|;|\\text|\b(?:and|or)\b")
_ALIASES = {
    r"\leq": r"\le", r"\leqslant": r"\le", r"\geq": r"\ge", r"\geqslant": r"\ge", r"\lt": "<", r"\gt": ">",
    r"\neq": r"\ne", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\lparen": "(",
    r"\rparen": ")", r"\ast": "*", r"\varnothing": r"\emptyset", r"\infin": r"\infty", r"\imath": "i",
    r"\jmath": "j", r"\bigcup": r"\cup", r"\bigcap": r"\cap", r"\colon": ":", r"\tg": r"\tan", r"\ctg": r"\cot",
    r"\arctg": r"\arctan", r"\varphi": r"\phi", r"\varepsilon": r"\epsilon", r"\vartheta": r"\theta",
    r"\land": r"\text{ and }", r"\lor": r"\text{ or }", r"\vee": r"\text{ or }", r"\wedge": r"\text{ and }",
    r"\dots": r"\ldots", r"\cdots": r"\ldots", r"\lvert": "|", r"\rvert": "|", r"\vert": "|", r"\lVert": r"\|",
    r"\rVert": r"\|", r"\Vert": r"\|", r"\real": r"\R", r"\reals": r"\R", r"\backslash": r"\setminus",
    r"\smallsetminus": r"\setminus", r"\simeq": r"\approx", r"\bullet": r"\cdot", r"\centerdot": r"\cdot",
    r"\div": "/", r"\percent": "%", r"\quad": " ", r"\qquad": " ",
}  # fmt: skip
# Longer ones are compared as text; the patterns here would take time quadratic in their length.
_HUGE_NUMBER = re.compile(r"\d{401}")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_ASCII_OPERATORS = (("<=", r"\le "), (">=", r"\ge "), ("!=", r"\ne "), ("+-", r"\pm "), ("+/-", r"\pm "), ("**", "^"))
# "The answer is", "Answer:", a leading = or approximately.
_INTRODUCTION = re.compile(
    r"^(?:\\text\s*\{[^{}]*(?::|=|\bis)\s*\}|(?:the )?(?:final )?answer(?: is|:)|=|\\(?:approx|sim)(?![a-z])"
    rf"|(?:\\text\s*\{{\s*)?(?:{ABOUT}|exactly\b|precisely\b|only\b|just\b)\s*\}}?)\s*(?=\S)",
    re.IGNORECASE,
)
_RATIO_IN_WORDS = re.compile(r"(\d+)\s*(?:\\text\s*\{\s*to\s*\}|\bto\b)\s*(\d+)")
_WHOLE_TEXT = re.compile(r"\\text\s*\{\s*((?:[A-Za-z]\s*=\s*(?=-?\d))?-?\d[^{}]*)\}")
_POINTS = re.compile(r"\\(angle|triangle|measuredangle)\s*\{\s*([A-Z]{1,3})\s*\}")
_DECIMAL_IN_BRACES = re.compile(r"(?<![\d.,}])(\d+)\{,\}(\d+)(?![\d{])")
_MONEY_IN_TEXT = re.compile(r"\\text\s*\{\s*((?:US)?\\?\$\s*\d[\d.,]*)\s*\}")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
# `\mathbf{\frac{1}{2}}` has mathematics in it, not text.
_FONT_OF_MATHS = re.compile(r"\\text\s*\{(?=[^{}]*\{)")
_ROW_GAP = re.compile(r"(?<=\\\\)\s*\[-?[\d.]+\s*[a-z]{2}\]")
_IDLE_BLANK = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_BLANK = re.compile(r"\s+")


def normalise(answer: str) -> str:
    r"""One spelling for equal notations: `\dfrac12`, `½` become `\frac12`, `\frac{1}{2}`; `10,000` is `10000`."""
    text = _one_backslash(answer.strip())
    text = _ascii(text)
    if _HUGE_NUMBER.search(text):
        return text
    if "\\boxed" in text or "\\fbox" in text:
        text = last_boxed(text) or text
    text = without_decoration(_ROW_GAP.sub("", _BOLD.sub(r"\1", text)))
    text = without_thin_gaps(_DECIMAL_IN_BRACES.sub(_as_decimal, text))
    text = _DEGREES.sub(lambda _: "\\degree ", text)
    text = _SETS.sub(r"\\\1 ", text)
    text = text.replace("\\mathbb", "").replace("\\%", "%")
    text = _SPACING.sub(" ", text)
    text = _BLANK.sub(" ", text)
    text = _SMALL_BINOMIAL.sub(r"\\binom", _SMALL_FRACTION.sub(r"\\frac", text))
    if "\\over" in text or "\\choose" in text:
        text = _INFIX.sub(lambda m: f"\\{'frac' if m[2] == 'over' else 'binom'}{{{m[1]}}}{{{m[3]}}}", text)
    text = _OLD_FONT.sub(" ", _FONT.sub(lambda _: "\\text", text))
    text = _FONT_OF_MATHS.sub("{", text)
    text = _ONE_LETTER.sub(r"\1\2", text)
    text = _POINTS.sub(r"\\\1 \2", _COMMAND.sub(_known_command, text))
    for old, new in _ASCII_OPERATORS:
        if old in text:
            text = text.replace(old, new)
    if "." in text:
        text = _REPEATING.sub(_as_fraction, text)
    text = _SCIENTIFIC.sub(r"\1\\cdot 10^{\2}", text)
    text = MONEY.sub(" ", with_currency_words(_MONEY_IN_TEXT.sub(r"\1", text)))
    text = _BLANK.sub(" ", text).strip()
    text = _INTRODUCTION.sub("", text).strip()
    while text and text[-1] in ".,;:\\ " and not text.endswith("\\ldots"):
        text = text[:-1]
    text = text.removeprefix(":").strip()
    for pattern, replacement in ((_RATIO_IN_WORDS, r"\1:\2"), (_WHOLE_TEXT, r"\1")):
        whole = pattern.fullmatch(text)
        if whole is not None:
            text = whole.expand(replacement).strip().rstrip(".")
    return _join_thousands(with_one_unit(in_known_notation(with_known_units(text))))


def _known_command(match: re.Match[str]) -> str:
    r"""The one spelling of a command; a letter glued to it, as in `\piR`, is cut off."""
    name = match.group()
    if name in _ALIASES:
        return _ALIASES[name]
    known = known_prefix(name, _ALIASES)
    return name if known is None else f"{_ALIASES.get(known, known)} {name[len(known) :]}"


def _one_backslash(text: str) -> str:
    if "\\\\" not in text:
        return text
    if "\\\\begin{" in text or not _ROWS.search(text):
        return text.replace("\\\\", "\\")
    return text


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    text = _FULL_WIDTH_COMMA.sub(",", text)
    text = _ROOT_OF_DIGITS.sub(r"\\sqrt{\1}", text)
    text = scripts_as_tex(text)
    text = unicodedata.normalize("NFKC", text.translate(_UNICODE)).translate(_UNICODE)
    kept = []
    for char in text:
        if char.isascii():
            kept.append(char)
            continue
        category = unicodedata.category(char)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(char)))
        elif category not in ("Cf", "Mn"):  # zero-width characters and marks
            kept.append(char)
    return "".join(kept)


def _as_decimal(match: re.Match[str]) -> str:
    """`3{,}14` as 3.14; three digits behind anything but 0 are a thousand's."""
    whole, digits = match.groups()
    return f"{whole}.{digits}" if whole == "0" or len(digits) != 3 else match.group()


def _as_fraction(match: re.Match[str]) -> str:
    r"""`0.1\overline{6}`, `0.1(6)`, `0.1\dot{6}` and `0.1666...` as `\frac{15}{90}`."""
    part = match.groupdict(default="")
    period = (
        part["bar"] or part["one"] or part["bracket"] or part["first"] + part["middle"] + part["last"] or part["period"]
    )
    fixed = part["fixed"]
    if len(part["whole"] + fixed + period) > 200:
        return match.group()
    nines = int("9" * len(period) + "0" * len(fixed))
    numerator = int(part["whole"] + fixed + period) - int(part["whole"] + fixed or 0)
    return f"\\frac{{{numerator}}}{{{nines}}}"


def _join_thousands(text: str) -> str:
    """`12,345` is one number, but in `(1,200)` or beside `, ` a comma separates two."""
    text = without_blanks(text)
    if "," not in text:
        return text
    has_other_separators = _SPACED_COMMA.search(text) is not None
    depths = _depths(text)
    return COMMA_GROUPS.sub(
        lambda match: (
            match.group().replace(",", "") if has_other_separators or not depths[match.start()] else match.group()
        ),
        text,
    )


def _depths(text: str) -> list[int]:
    """How many brackets are open before each character."""
    depths: list[int] = []
    depth = 0
    for char in text:
        depths.append(depth)
        depth = max(0, depth + (char in "([{") - (char in ")]}"))
    return depths


def compact(text: str) -> str:
    """`text` without blanks and without braces around single characters, for equality of notation.

    The blank between two digits stays: 1 1 is not 11.
    """
    return re.sub(r"(?<=[\^_])\{(\w)\}", r"\1", _IDLE_BLANK.sub("", text))
