r"""Reads the operands of an answer: numbers, names, fractions, roots, functions, brackets, matrices."""

from abc import ABC, abstractmethod
from fractions import Fraction

from rewards.math.reading.cursor import Cursor, number_node
from rewards.math.reading.node import Node, Op, integer
from rewards.math.reading.notation import ACCENTS, CLOSING, FUNCTIONS, GREEK, MATRICES, NAMED_SETS, PREFIXES
from rewards.math.reading.tokens import Kind, Token, Unreadable
from rewards.math.reading.words import number_word, word_key

_MAX_DEPTH = 40
_CONSTANTS = frozenset("ei")
_FIRST_OF_OPERAND = frozenset(
    ("\\frac", "\\sqrt", "\\binom", "\\infty", "\\pi", "\\lfloor", "\\lceil", "\\begin", "\\langle")
)


class OperandReader(Cursor, ABC):
    """A place in the tokens of one answer, and how to read one operand there."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._bars = 0
        self._squares = 0

    @abstractmethod
    def _list(self) -> Node:
        """Items with separators between, up to a closing bracket."""

    @abstractmethod
    def _power(self) -> Node:
        """An operand with its exponent."""

    def _starts_factor(self) -> bool:
        """Whether an operand follows that is multiplied without a sign."""
        token = self._now
        if token.kind is Kind.NUMBER:
            return self._ahead(-1).text in ("!", ")")
        if token.kind is Kind.LETTER:
            return not self._is_union_letter()
        if token.kind is Kind.COMMAND:
            known = FUNCTIONS, GREEK, _FIRST_OF_OPERAND, ACCENTS, PREFIXES
            return any(token.text in names for names in known)
        if token.kind is Kind.SIGN:
            return (
                token.text in ("(", "{")
                or (
                    token.text == "["
                    and not self._squares
                    and self._ahead().text not in ("", ",", ")", "\\cup", "\\cap")
                )
                or (token.text == "|" and self._bars == 0)
            )
        return False

    def _is_union_letter(self) -> bool:
        return self._now.kind is Kind.LETTER and self._now.text == "U" and self._ahead().text in ("(", "[", "\\{")

    def _primary(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable("too deeply nested")
        token = self._now
        self._at += 1
        if token.kind is Kind.NUMBER:
            node = self._number(token)
        elif token.kind is Kind.LETTER:
            node = self._name(token.text)
        elif token.kind in (Kind.TEXT, Kind.WORD):
            node = self._words(token)
        elif token.kind is Kind.COMMAND:
            node = self._command(token.text)
        else:
            node = self._bracketed(token.text)
        self._depth -= 1
        return node

    def _number(self, token: Token) -> Node:
        number = number_node(token.text)
        if number.places >= 0:
            return number
        part: Fraction | None = None
        if self._is("\\frac"):
            part = self._digits_fraction()
        elif self._now.kind is Kind.NUMBER and self._now.is_spaced and self._ahead().text == "/":
            over = self._ahead(2)
            if over.kind is Kind.NUMBER and self._now.text.isdigit() and over.text.isdigit() and int(over.text):
                part = Fraction(int(self._now.text), int(over.text))
                self._at += 3 if part < 1 else 0
        if part is None or part >= 1:
            return number
        return Node(Op.NUMBER, number=number.number + part)

    def _digits_fraction(self) -> Fraction | None:
        r"""The fraction part of a mixed number, `\frac12` or `\frac{1}{2}`, taken if it is below one."""
        start, tokens = self._at, list(self._tokens)
        self._at += 1
        top, bottom = self._argument(digits=True), self._argument(digits=True)
        plain = all(part.op is Op.NUMBER and part.places < 0 and part.value.isdigit() for part in (top, bottom))
        if plain and bottom.number and top.number < bottom.number:
            return top.number / bottom.number
        self._at, self._tokens = start, tokens
        return None

    def _name(self, letter: str) -> Node:
        name = letter
        while self._take("'"):
            name += "'"
        if self._is("_"):
            self._at += 1
            name += "_" + self._raw_argument()
        if name in _CONSTANTS:
            return Node(Op.CONSTANT, value=name)
        return Node(Op.SYMBOL, value=name)

    def _words(self, token: Token) -> Node:
        if len(token.text) == 1:
            return self._name(token.text)
        words = [token.text]
        while self._now.kind in (Kind.TEXT, Kind.WORD) and not self._is("and", "or"):
            words.append(self._now.text)
            self._at += 1
        return Node(Op.TEXT, value=word_key(" ".join(words)))

    def _command(self, name: str) -> Node:
        if name == "\\frac":
            return Node(Op.DIVIDE, (self._argument(digits=True), self._argument(digits=True)))
        if name == "\\sqrt":
            return self._root()
        if name in FUNCTIONS:
            return self._function(name[1:])
        if name == "\\pi":
            return Node(Op.CONSTANT, value="pi")
        if name == "\\infty":
            return Node(Op.INFINITY)
        if name in NAMED_SETS:
            return Node(Op.NAMED_SET, value=NAMED_SETS[name])
        if name == "\\binom":
            return Node(Op.FUNCTION, (self._argument(digits=True), self._argument(digits=True)), "binom")
        if name == "\\begin":
            return self._matrix()
        if name in ("\\lfloor", "\\lceil"):
            content = self._list()
            self._expect("\\rfloor" if name == "\\lfloor" else "\\rceil")
            return Node(Op.FUNCTION, (content,), "floor" if name == "\\lfloor" else "ceil")
        if name in PREFIXES and self._now.kind is Kind.LETTER:
            return self._points("triangle" if name == "\\triangle" else "angle") or self._primary()
        if name in GREEK:
            return self._name(name)
        if name in ACCENTS:
            return self._name(f"{name}({self._raw_argument()})")
        return self._bracketed(name)

    def _points(self, kind: str) -> Node | None:
        r"""The three points of `\angle ABC`, whose order says which angle, or of `\triangle ABC`."""
        points = [self._ahead(distance) for distance in range(3)]
        if not all(point.kind is Kind.LETTER and point.text.isupper() for point in points):
            return None
        self._at += 3
        return Node(Op.MULTIPLY, tuple(Node(Op.SYMBOL, value=point.text) for point in points), kind)

    def _root(self) -> Node:
        degree = integer(2)
        if self._take("["):
            degree = self._list()
            self._expect("]")
        return Node(Op.ROOT, (degree, self._argument()))

    def _function(self, name: str) -> Node:
        base: tuple[Node, ...] = ()
        exponent: Node | None = None
        if name in ("log", "lg") and self._take("_"):
            base = (self._argument(digits=True),)
        if self._take("^"):
            exponent = self._argument(signed=True)
            if self._take("_"):
                base = (self._argument(digits=True),)
        if name == "lg":
            name, base = "log", base or (integer(10),)
        if exponent is not None and exponent.op is Op.NEGATE and exponent.args[0] == number_node("1"):
            name, exponent = "arc" + name, None
        call = Node(Op.FUNCTION, (self._function_argument(), *base), name)
        return call if exponent is None else Node(Op.POWER, (call, exponent))

    def _function_argument(self) -> Node:
        if self._take("-"):
            return Node(Op.NEGATE, (self._function_argument(),))
        if self._is("(", "[", "{", "|"):
            return self._primary()
        factors = [self._power()]
        while self._starts_factor() and self._now.text not in FUNCTIONS and not self._is("(", "["):
            factors.append(self._power())
        return factors[0] if len(factors) == 1 else Node(Op.MULTIPLY, tuple(factors))

    def _argument(self, *, signed: bool = False, digits: bool = False) -> Node:
        """What a command or `^` applies to: a braced group or one token (with `digits`, one digit)."""
        if self._take("{"):
            content = self._list()
            self._expect("}")
            return content
        if signed and self._take("-"):
            return Node(Op.NEGATE, (self._argument(),))
        token = self._now
        if digits and token.kind is Kind.NUMBER and len(token.text) > 1 and token.text.isdigit():
            self._tokens[self._at] = Token(Kind.NUMBER, token.text[1:])
            return number_node(token.text[0])
        if token.kind is Kind.NUMBER:
            self._at += 1
            return number_node(token.text)
        return self._primary()

    def _base(self) -> Node:
        r"""The base of a positional number, `_2`, `_{10}` or `_{\text{two}}`."""
        if self._is("{") and self._ahead().kind in (Kind.TEXT, Kind.WORD) and self._ahead(2).text == "}":
            value = number_word(self._ahead().text)
            if value is not None:
                self._at += 3
                return integer(value)
        return self._argument()

    def _bracketed(self, opening: str) -> Node:
        if opening in CLOSING:
            return self._bracket(opening)
        if opening == "{":
            content = self._list()
            if self._take("\\choose"):
                content = Node(Op.FUNCTION, (content, self._list()), "binom")
            self._expect("}")
            return content
        if opening == "\\{":
            return self._set()
        if opening in ("|", "\\|"):
            self._bars += 1
            content = self._list()
            self._expect(opening)
            self._bars -= 1
            return Node(Op.FUNCTION, (content,), "abs")
        raise Unreadable(opening)

    def _bracket(self, opening: str) -> Node:
        bars, self._bars = self._bars, 0
        self._squares += opening in ("[", "]")
        content = self._list()
        self._squares -= opening in ("[", "]")
        closing = self._expect(*CLOSING[opening])
        self._bars = bars
        if content.op is not Op.LIST:
            if closing != CLOSING[opening][0] or opening == "]":
                raise Unreadable("half a bracket")
            return content
        # ]0,1[ is the French (0,1)
        start = {"]": "(", "\\langle": "("}.get(opening, opening)
        end = {"[": ")", "\\rangle": ")"}.get(closing, closing)
        return Node(Op.TUPLE, content.args, start + end)

    def _set(self) -> Node:
        if self._take("\\}"):
            return Node(Op.NAMED_SET, value="empty")
        bars, self._bars = self._bars, 1
        content = self._list()
        if self._take("|", "\\mid") or (content.op is Op.RELATION and self._take(":")):
            content = self._list()  # {x | condition} is its condition
            self._expect("\\}")
            self._bars = bars
            return content
        self._expect("\\}")
        self._bars = bars
        if content.op is Op.RELATION and content.args[0].op is Op.RATIO and content.args[0].args[0].op is Op.SYMBOL:
            return Node(Op.RELATION, (content.args[0].args[1], *content.args[1:]), content.value)  # {x : 0 < x < 1}
        operators = content.value.split()
        if content.op is Op.RELATION and operators[0] == "in" and content.args[1].op is Op.RATIO and len(operators) > 1:
            first = content.args[1].args[1]  # {x in R : x > 3}
            return Node(Op.RELATION, (first, *content.args[2:]), " ".join(operators[1:]))
        return Node(Op.SET, content.args if content.op is Op.LIST else (content,))

    def _matrix(self) -> Node:
        name = self._raw_argument()
        if name not in MATRICES:
            raise Unreadable(name)
        if name == "array":
            self._raw_argument()
        rows: list[Node] = []
        cells: list[Node] = []
        while True:
            cells.append(self._list())
            if self._take("&"):
                continue
            rows.append(Node(Op.LIST, tuple(cells)))
            cells = []
            more = self._take("\\\\", "\\cr")
            if self._take("\\end"):
                break
            if not more:
                raise Unreadable("matrix")
        self._raw_argument()
        if len({len(row.args) for row in rows}) != 1:
            raise Unreadable("ragged matrix")
        return Node(Op.MATRIX, tuple(rows))
