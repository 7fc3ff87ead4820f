r"""Reads a normalised answer into a tree, by recursive descent; nothing is evaluated.

Implicit multiplication binds like `\cdot`; `2\frac13` is the mixed number, `f(x)` reads as a product (both
answers are read the same way, so equality is not affected). Depth and length are limited.
"""

from fractions import Fraction
from itertools import pairwise

from rewards.math.reading.node import Node, Op
from rewards.math.reading.notation import RELATIONS
from rewards.math.reading.numerals import MULTIPLIERS
from rewards.math.reading.operands import OperandReader
from rewards.math.reading.tokens import Kind, Unreadable
from rewards.math.reading.unit_words import is_unit

# Of a tree: a chain such as a/b/c/... has one for each of its signs, and every walk of it is recursive.
_MOST_LEVELS = 150
_MAX_DEPTH = 40


class Parser(OperandReader):
    """One answer's tokens and the place reached."""

    def parse(self) -> Node:
        """The whole answer.

        Raises:
            Unreadable: It is not in the notation read here.
        """
        answer = self._list()
        if self._now.kind is not Kind.END:
            raise Unreadable(self._now.text)
        return answer

    def _list(self) -> Node:
        """Items separated by `,`, `;`, and, or."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable("too deeply nested")
        groups: list[list[Node]] = [[self._item()]]
        cuts: list[int] = []  # where and/or stand
        word = ""
        while True:
            if self._take(";"):
                groups.append([])
            elif self._is(","):
                self._at += 1
                if self._is("and", "or"):
                    continue
            elif self._is("and", "or"):
                word = self._now.text
                cuts.append(len(groups[-1]))
                self._at += 1
            else:
                break
            if self._now.kind is Kind.END:
                break
            groups[-1].append(self._item())
        self._depth -= 1
        if len(groups) == 1 and cuts:
            groups = _solutions(groups[0], cuts)
        if len(groups) > 1 and any(len(group) > 1 for group in groups):
            items = [Node(Op.TUPLE, tuple(group), "()") if len(group) > 1 else group[0] for group in groups if group]
        else:
            items = [item for group in groups for item in group]
        return items[0] if len(items) == 1 else Node(Op.LIST, tuple(items), word or ",")

    def _item(self) -> Node:
        """A chain of relations, or a single side."""
        if self._now.kind is Kind.TEXT and self._ahead().kind is Kind.TEXT:
            raise Unreadable("prose")
        sides = [self._union()]
        operators: list[str] = []
        while True:
            operator = self._relation()
            if operator is None:
                break
            operators.append(operator)
            sides.append(self._union())
        if not operators:
            return sides[0]
        return Node(Op.RELATION, tuple(sides), " ".join(operators))

    def _relation(self) -> str | None:
        token = self._now
        if self._is("\\not") and self._ahead().text in ("=", "\\in"):
            self._at += 2
            return "!=" if self._tokens[self._at - 1].text == "=" else "notin"
        if token.kind in (Kind.SIGN, Kind.COMMAND) and token.text in RELATIONS:
            self._at += 1
            if token.text in ("<", ">") and self._take("="):
                return token.text + "="
            return RELATIONS[token.text]
        if token.kind is Kind.WORD and token.text == "in":
            self._at += 1
            return "in"
        return None

    def _union(self) -> Node:
        """Ratios joined by set operators."""
        left = self._ratio()
        if (
            left.op is Op.ADD
            and left.args[0].op is Op.NAMED_SET
            and left.args[1].op is Op.NEGATE
            and len(left.args) == 2
        ):
            left = Node(Op.WITHOUT, (left.args[0], left.args[1].args[0]))
        while True:
            if self._is("\\cup") or self._is_union_letter():
                self._at += 1
                left = Node(Op.UNION, (*(left.args if left.op is Op.UNION else (left,)), self._ratio()))
            elif self._take("\\cap"):
                left = Node(Op.INTERSECTION, (left, self._ratio()))
            elif self._take("\\setminus"):
                left = Node(Op.WITHOUT, (left, self._ratio()))
            else:
                return left

    def _ratio(self) -> Node:
        parts = [self._sum()]
        while self._take(":"):
            parts.append(self._sum())
        return parts[0] if len(parts) == 1 else Node(Op.RATIO, tuple(parts))

    def _sum(self) -> Node:
        terms: list[Node] = []
        while True:
            if self._take("+"):
                if self._is(")", "]", ","):
                    raise Unreadable("dangling +")
                terms.append(self._signed_term())
            elif self._take("-"):
                terms.append(Node(Op.NEGATE, (self._signed_term(),)))
            elif self._is("\\pm", "\\mp"):
                sign = "+" if self._now.text == "\\pm" else "-"
                self._at += 1
                terms.append(Node(Op.PLUS_MINUS, (self._term(),), sign))
            elif not terms:
                terms.append(self._term())
            else:
                break
        return terms[0] if len(terms) == 1 else Node(Op.ADD, tuple(terms))

    def _signed_term(self) -> Node:
        """A term after a sign, which may have another sign: `1 + -2`."""
        signs = 0
        while self._is("+", "-"):
            signs += self._now.text == "-"
            self._at += 1
        term = self._term()
        return Node(Op.NEGATE, (term,)) if signs % 2 else term

    def _term(self) -> Node:
        start = self._at
        product = self._power()
        factors: list[Node] = [product]
        while True:
            if self._take("\\cdot", "\\times", "*"):
                factors.append(self._factor())
            elif self._take("/"):
                factors = [Node(Op.DIVIDE, (_product(factors), self._factor()))]
            elif self._take("\\bmod", "\\mod", "\\pmod"):
                modulus = self._power()
                factors = [Node(Op.QUANTITY, (_product(factors),), f"mod {modulus.number}")]
            elif self._now.kind is Kind.WORD and self._now.text in MULTIPLIERS:
                factors.append(Node(Op.NUMBER, number=Fraction(MULTIPLIERS[self._now.text])))
                self._at += 1
            elif self._unit_follows():
                unit = self._unit()
                is_angle = unit.lower() in ("degree", "degrees", "deg")
                amount = _product(factors)
                factors = [Node(Op.DEGREE, (amount,)) if is_angle else Node(Op.QUANTITY, (amount,), unit)]
            elif self._starts_factor():
                factors.append(self._power())
            elif len(factors) > 1 and self._is_run(start):
                return Node(Op.MULTIPLY, tuple(factors), "run")
            else:
                return _product(factors)

    def _is_run(self, start: int) -> bool:
        """Whether everything since `start` is one run of capital letters: points, tosses, an order of names."""
        return all(
            token.kind is Kind.LETTER and token.text.isupper() and (index == 0 or not token.is_spaced)
            for index, token in enumerate(self._tokens[start : self._at])
        )

    def _factor(self) -> Node:
        r"""An explicit factor, which may have a sign: `3 \cdot -2`."""
        if self._take("-"):
            return Node(Op.NEGATE, (self._factor(),))
        return self._power()

    def _unit_follows(self) -> bool:
        token = self._now
        if token.kind is Kind.TEXT:
            return is_unit(token.text)
        return token.kind is Kind.WORD and token.text not in ("and", "or", "in")

    def _unit(self) -> str:
        words: list[str] = []
        while self._unit_follows() or (words and (self._is("/", "^", "."))):
            if self._take("^"):
                words.append("^" + str(self._argument().number))
            else:
                words.append(self._now.text)
                self._at += 1
        unit = " ".join(words)
        if not is_unit(unit):
            raise Unreadable(unit)
        return unit

    def _power(self) -> Node:
        base = self._postfix(self._primary())
        if not self._take("^"):
            return base
        if self._is("'"):
            raise Unreadable("prime")
        exponent = self._argument(signed=True)
        if self._is("^"):
            raise Unreadable("double exponent")
        return self._postfix(Node(Op.POWER, (base, exponent)))

    def _postfix(self, base: Node) -> Node:
        while True:
            if self._take("!"):
                if base.op is Op.FACTORIAL:
                    raise Unreadable("double factorial")
                base = Node(Op.FACTORIAL, (base,))
            elif self._take("%"):
                base = Node(Op.PERCENT, (base,))
            elif self._take("\\degree"):
                if self._now.kind is Kind.LETTER and self._now.text in "CF" and self._ahead().kind is Kind.END:
                    base = Node(Op.QUANTITY, (base,), "°" + self._now.text)
                    self._at += 1
                else:
                    base = Node(Op.DEGREE, (base,))
            elif self._is("_") and base.op is Op.NUMBER:
                self._at += 1
                base = Node(Op.BASED, (self._base(),), base.value)
            else:
                return base


def _solutions(items: list[Node], cuts: list[int]) -> list[list[Node]]:
    """`p=5, q=2 or p=7, q=2` are two solutions, like `p=5, q=2; p=7, q=2`; other enumerations are one."""
    edges = [0, *cuts, len(items)]
    groups = [items[start:end] for start, end in pairwise(edges)]
    names = [[item.args[0] for item in group if item.op is Op.RELATION and item.value == "="] for group in groups]
    if len(groups[0]) > 1 and len(names[0]) == len(groups[0]) and all(other == names[0] for other in names):
        return groups
    return [items]


def _product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else Node(Op.MULTIPLY, tuple(factors))


def parse(text: str) -> Node:
    """The tree of a normalised answer.

    Raises:
        Unreadable: It is not in the notation read here, or its tree is too deep to be walked.
    """
    tree = Parser(text).parse()
    level = [tree]
    for _ in range(_MOST_LEVELS):
        level = [arg for node in level for arg in node.args]
        if not level:
            return tree
    raise Unreadable("too deep")
