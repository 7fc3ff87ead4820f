r"""A problem's letters and digits, and its gold answer, for comparing them with others'.

Sources typeset the same problem differently (`$x$`, `\( x \)`, `\dfrac`, blanks, capitals) and put different
instructions around it; what is left after removing all that is the problem. Where that agrees, symbols decide
(`data_prep.cleaning.symbols`): a hyphen or a thin space is often mere typography, so they are no part of it.
"""

import hashlib
import re
import unicodedata
from functools import cache

from data_prep.files.row import Row

# Instructions that Guru and its users put around problems (arXiv:2506.14965, arXiv:2509.25300), as letters and digits,
# longest first where one holds another. A problem that quotes one loses it too, in every copy of it alike.
INSTRUCTIONS = (
    "youareaknowledgeablemathassistantanswerthefollowingquestionsandthinkstepbystep",
    "youareaknowledgeableassistantanswerthefollowingquestionsandthinkstepbystep",
    "youareaknowledgeablemathassistant",
    "youareaknowledgeableassistant",
    "answerthefollowingquestionsandthinkstepbystep",
    "answerthefollowingquestionandthinkstepbystep",
    "pleasereasonstepbystepandputyourfinalansweroptionwithinboxed",
    "pleasereasonstepbystepandputyourfinalanswerwithinboxed",
    "pleasesolvestepbystepandputyourfinalanswerwithinboxed",
    "onlyputtheletterintheboxegboxeda",
    "thereisonlyonecorrectanswer",
    "iftherearemultipleanswersincludetheminasingleboxseparatedby",
    "solvethefollowingmathproblemefficientlyandclearly",
    "solvethefollowingmathproblemstepbystep",
    "pleaseoutputthefinalanswerwithinboxed",
    "pleaseoutputthefinalanswerinboxed",
    "outputthefinalanswerwithinboxed",
    "putyourfinalanswerwithinboxed",
    "putyourfinalanswerinboxed",
    "putthefinalanswerwithinboxed",
    "putthefinalanswerinboxed",
    "thelastlineofyourresponseshouldbeoftheformansweranswer",
    "letsthinkstepbystepandoutputthefinalanswerwithinboxed",
    "让我们一步一步地思考请以answerboxedfinalanswer的格式输出最终答案如果是选择题请按顺序输出正确的选项不带任何标点或空格对于其他类型的问题请只输出最终答案的数值",
    "原始的答案是fracmn的形式其中mn是互质的请给出最终mn的值",
    "letsthinkstepbystep",
    "pleasereasonstepbystep",
    "pleasesolvestepbystep",
    "pleasethinkstepbystep",
)
# Nothing is lost by these: they only say how something looks.
_COMMANDS = (
    ("\\dfrac", "\\frac"),
    ("\\tfrac", "\\frac"),
    ("\\displaystyle", ""),
    ("\\left", ""),
    ("\\right", ""),
    ("\\mathrm", ""),
    ("\\mathbf", ""),
    ("\\mathit", ""),
    ("\\operatorname", ""),
    ("\\text", ""),
    ("\\quad", ""),
    ("\\qquad", ""),
    ("\\leqslant", "\\le"),
    ("\\geqslant", "\\ge"),
    ("\\leq", "\\le"),
    ("\\geq", "\\ge"),
    ("\\neq", "\\ne"),
    ("\\ldots", ""),
    ("\\cdots", ""),
    ("\\dots", ""),
)
# What LaTeX writes as a word, where a source has the character.
_WORDS = {
    **{letter: unicodedata.name(letter).split()[-1].casefold() for letter in "αβγδεζηθικμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"},
    "λ": "lambda", "×": "times", "·": "cdot", "÷": "div", "≤": "le", "≥": "ge", "≠": "ne", "√": "sqrt", "∞": "infty",  # noqa: RUF001
    "°": "circ", "∠": "angle", "△": "triangle", "∈": "in", "∉": "notin", "∩": "cap", "∪": "cup", "⊂": "subset",  # noqa: RUF001
    "⊆": "subseteq", "∅": "emptyset", "→": "to", "±": "pm", "∧": "wedge", "∨": "vee", "¬": "neg",  # noqa: RUF001
}  # fmt: skip
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
TRANSLATION_ORDER = re.compile(r"translate(?:d|theabovetext|thetextabove)?intoenglish[a-z]{0,160}?directly")
_NOT_ALPHANUMERIC = bytes(code for code in range(128) if not chr(code).isalnum())
_FRACTION = re.compile(r"\\frac *\{([^{}]*)\} *\{([^{}]*)\}")
_WRAPPER = re.compile(r"\\[()\[\]]|\\boxed(?=\{)")
_BLANKS = re.compile(r"\s+")


def problem_text(row: Row) -> str:
    """What the row asks: its users' turns, or all its turns if there is none."""
    turns = [message.content for message in row.prompt if message.role == "user"]
    return "\n".join(turns or [message.content for message in row.prompt])


def plain_commands(text: str) -> str:
    """LaTeX without the commands that only say how something looks."""
    if "\\" in text:
        for command, plain in _COMMANDS:
            if command in text:
                text = text.replace(command, plain)
    return text


def letters_and_digits(text: str) -> str:
    """The problem in lower-case letters and digits of any script, without instructions and typography."""
    text = plain_commands(text)
    if not text.isascii():
        text = _NOT_ASCII.sub(lambda found: "".join(map(folded, found[0])), text)
    if text.isascii():
        bare = text.encode().lower().translate(None, _NOT_ALPHANUMERIC).decode()
    else:
        bare = "".join(filter(str.isalnum, text.lower()))
    without = bare
    for instruction in INSTRUCTIONS:
        if instruction in without:
            without = without.replace(instruction, "")
    if "intoenglish" in without:
        without = TRANSLATION_ORDER.sub("", without)
    return without or bare


@cache
def folded(character: str) -> str:
    """A character without accents, width, case and style; what is no letter or digit goes."""
    plain = _WORDS.get(character) or unicodedata.normalize("NFKD", character).casefold()
    return "".join(filter(str.isalnum, plain))


def same_gold(first: str, second: str) -> bool:
    r"""Whether two gold answers are the same text but for typography: `\frac{1}{2}` and `1/2` are, `0.5` is not."""
    return first == second or _gold(first) == _gold(second)


def _gold(text: str) -> str:
    text = text.replace("\\\\", "\\")
    for command, plain in (*_COMMANDS, ("^\\circ", ""), ("\\%", ""), ("\\$", ""), ("$", ""), ("\\,", ""), ("\\!", "")):
        text = text.replace(command, plain)
    text = _FRACTION.sub(r"\1/\2", _WRAPPER.sub("", text))
    name, equals, value = text.partition("=")
    if equals and len(name.strip()) <= 2:
        text = value
    return _BLANKS.sub("", text).strip(".").replace("{", "").replace("}", "").casefold()


def content_order(row: Row, bare: str) -> bytes:
    """Sort key of a row that depends on what it says alone, so that the order of files changes no decision."""
    identity = "\0".join((bare, row.data_source, row.ground_truth, problem_text(row)))
    return hashlib.sha256(identity.encode("utf-8", "replace")).digest()
