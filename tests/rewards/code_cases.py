"""Labelled answers to code problems: what a fair judge says of each."""

import json
from dataclasses import dataclass
from enum import StrEnum

LEETCODE_PREFIX = """
import random
import collections
import math
from typing import *
from functools import *
from collections import *
from itertools import *
from heapq import *
from bisect import *
from operator import *
from math import *

inf = float('inf')

class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next

def list_node(values):
    head = None
    for val in reversed(values or []):
        head = ListNode(val, head)
    return head

def is_same_list(p1, p2):
    while p1 and p2 and p1.val == p2.val:
        p1, p2 = p1.next, p2.next
    return p1 is None and p2 is None

class TreeNode:
    def __init__(self, val=0, left=None, right=None):
        self.val = val
        self.left = left
        self.right = right

def tree_node(values):
    if not values:
        return None
    root = TreeNode(values[0])
    queue, i = deque([root]), 1
    while queue:
        node = queue.popleft()
        if i < len(values) and values[i] is not None:
            node.left = TreeNode(values[i])
            queue.append(node.left)
        i += 1
        if i < len(values) and values[i] is not None:
            node.right = TreeNode(values[i])
            queue.append(node.right)
        i += 1
    return root

def is_same_tree(p, q):
    if not p or not q:
        return not p and not q
    return p.val == q.val and is_same_tree(p.left, q.left) and is_same_tree(p.right, q.right)
"""


class Family(StrEnum):
    """What a case is about."""

    SCRIPT = "script of assertions"
    CALLS = "function with JSON arguments"
    STDIN = "standard input"
    FORMAT = "finding the code"
    CHEAT = "cheat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One answer and whether it is right."""

    name: str
    family: Family
    response: str
    gold: str
    right: bool
    prefix: str = ""
    source: str = "codegen__mbpp"  # every code source is scored alike


CASES: list[Case] = []


def fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def functional(tests: str) -> str:
    return json.dumps({"functional": tests})


def add(
    family: Family, name: str, code: str, gold: object, right: bool, prefix: str = "", *, raw: bool = False
) -> None:
    text = gold if isinstance(gold, str) else json.dumps(gold)
    response = code if raw else fenced(code)
    # The synthetic tasks' time limit is the shorter one.
    source = "codegen__synthetic" if name == "loops" else "codegen__mbpp"
    CASES.append(
        Case(name=name, family=family, response=response, gold=text, right=right, prefix=prefix, source=source)
    )


def both(family: Family, name: str, right: str, wrong: str, gold: object, prefix: str = "") -> None:
    """A right and a wrong program for the same tests."""
    add(family, f"{name}: right", right, gold, True, prefix)
    add(family, f"{name}: wrong", wrong, gold, False, prefix)


def _scripts() -> None:
    s = Family.SCRIPT
    inc, bad = "def f(x):\n    return x + 1", "def f(x):\n    return x + 2"
    for name, tests in {
        "assertions": "assert f(1) == 2\nassert f(5) == 6",
        "literal on the left": "assert 2 == f(1)",
        "messages": "assert f(1) == 2, 'one'\nassert f(2) == 3, f'two {f(2)}'",
        "check and candidate": "METADATA = {}\ndef check(candidate):\n    assert candidate(1) == 2\n\n\ncheck(f)",
        "check without arguments": "def check_f():\n    assert f(1) == 2\n    assert f(0) == 1\ncheck_f()",
        "loop over a table": "for x, y in [(1, 2), (3, 4)]:\n    assert f(x) == y",
        "loop over a range": "for i in range(30):\n    assert f(i) == i + 1",
        "inputs and outputs": (
            "_inputs = [[1], [2]]\n_outputs = [[2], [3]]\nimport math\ndef _deep_eq(a, b, tol=1e-5):\n"
            "    if isinstance(a, float) or isinstance(b, float):\n"
            "        return math.isclose(a, b, rel_tol=tol, abs_tol=tol)\n"
            "    if isinstance(a, (list, tuple)):\n        if len(a) != len(b): return False\n"
            "        return all(_deep_eq(x, y, tol) for x, y in zip(a, b))\n    return a == b\n\n"
            "for i, o in zip(_inputs, _outputs):\n"
            "    assert _deep_eq(f(*i), o[0] if len(o) == 1 else tuple(o))\n"
        ),
        "closeness": "assert abs(f(0.5) - 1.5) < 1e-6",
        "isclose": "import math\nassert math.isclose(f(0.5), 1.5, rel_tol=1e-9)",
        "arithmetic": "assert f(10**9 + 6) == 10**9 + 7\nassert f(-2) == -1\nassert f(0) == 3 // 3",
        "fraction": "assert f(-2/3) == 1/3",
        "infinity": "assert f(float('inf')) == float('inf')\nassert f(1) == 2",
        "conjunction": "assert f(1) == 2 and f(2) == 3",
        "membership": "assert f(1) in [2, 7]",
        "chain": "assert 1 < f(1) < 3",
        "two calls": "assert f(1) == f(f(0))\nassert f(1) == 2",
        "a variable": "expected = 2\nresult = f(1)\nassert result == expected",
        "helper in the tests": "def plus(x):\n    return 1 + x\nfor i in range(5):\n    assert f(i) == plus(i)",
        "random inputs": "import random\nfor _ in range(20):\n    x = random.randint(0, 99)\n    assert f(x) == x + 1",
        "evalplus": (
            "import numpy as np\n\ndef is_floats(x) -> bool:\n    if isinstance(x, float):\n        return True\n"
            "    if isinstance(x, (list, tuple)):\n        return all(isinstance(i, float) for i in x)\n"
            "    if isinstance(x, np.ndarray):\n        return x.dtype == np.float64\n    return False\n\n"
            "def assertion(out, exp, atol):\n    exact_match = out == exp\n"
            "    if atol == 0 and is_floats(exp):\n        atol = 1e-6\n"
            "    if not exact_match and atol != 0:\n        assert np.allclose(out, exp, rtol=1e-07, atol=atol)\n"
            "    else:\n        assert exact_match\n\n"
            "def check(candidate):\n    inputs = [[1], [2.5]]\n    results = [2, 3.5]\n"
            "    for i, (inp, exp) in enumerate(zip(inputs, results)):\n        assertion(candidate(*inp), exp, 0)\n\n"
            "check(f)"
        ),
        "exceptions": "try:\n    f('a')\n    assert False\nexcept TypeError:\n    pass\nassert f(1) == 2",
        "pytest": "def test_one():\n    assert f(1) == 2\ntest_one()",
        "keyword arguments": "def check(candidate):\n    assert candidate(x = 1) == 2\n\n\ncheck(f)",
        "same result twice": "xs = 1\nassert f(xs) == 2\nassert f(xs) == 2",
    }.items():
        both(s, name, inc, bad, functional(tests))
    both(s, "MBPP list", inc, bad, ["assert f(1) == 2", "assert f(2) == 3"])
    both(s, "MBPP record", inc, bad, {"test_list": ["assert f(1) == 2"], "test_setup_code": ""})
    both(
        s,
        "HumanEval record",
        inc,
        bad,
        {"test": "def check(candidate):\n    assert candidate(1) == 2", "entry_point": "f"},
    )
    both(s, "plain text", inc, bad, "assert f(1) == 2")
    both(s, "double JSON", inc, bad, json.dumps(functional("assert f(1) == 2")))
    both(s, "is True", "def f(x):\n    return x > 1", "def f(x):\n    return 1", functional("assert f(2) is True"))
    both(s, "== True", "def f(x):\n    return x > 1", "def f(x):\n    return 2", functional("assert f(2) == True"))
    both(s, "is None", "def f(x):\n    pass", "def f(x):\n    return 0", functional("assert f(2) is None"))
    both(s, "not", "def f(x):\n    return []", "def f(x):\n    return [0]", functional("assert not f(2)"))
    both(s, "bare", "def f(x):\n    return True", "def f(x):\n    return 0", functional("assert f(2)"))
    both(
        s,
        "a function named as a built-in is",
        "def sum(a, b):\n    return a + b",
        "def sum(a, b):\n    return a",
        functional("for a, b, c in [(1, 2, 3)]:\n    assert sum(a, b) == c"),
    )
    both(
        s,
        "a program's own name that the tests import",
        "def product(a):\n    return 7\ndef f(x):\n    return product([1])",
        "def product(a):\n    return 8\ndef f(x):\n    return product([1])",
        functional("from itertools import product\nfor a, b in product([1], [7]):\n    assert f(a) == b"),
    )
    both(
        s,
        "truth of an object",
        "import re\ndef f(x):\n    return re.match('a', x)",
        "import re\ndef f(x):\n    return re.match('b', x)",
        functional("assert f('a')\nassert not f('b')"),
    )
    both(
        s,
        "a module that the tests do not import",
        "def f(x):\n    return x / 3",
        "import math\nmath.isclose = lambda *a, **k: True\ndef f(x):\n    return x / 2",
        functional("assert math.isclose(f(1), 0.3333333333, rel_tol=0.001)"),
    )
    both(
        s,
        "set",
        "def f(x):\n    return (i for i in x)",
        "def f(x):\n    return x[:1]",
        functional("assert set(f([1, 2])) == set([2, 1])"),
    )
    both(
        s,
        "sorted",
        "def f(x):\n    yield from x",
        "def f(x):\n    return x + [1]",
        functional(
            "assert sorted(f([2, 1])) == [1, 2]\nassert list(f([2, 1])) == [2, 1]\nassert tuple(f([1])) == (1,)"
        ),
    )
    both(
        s,
        "floats",
        "def f(x):\n    return [x + 0.1]",
        "def f(x):\n    return [x + 0.1001]",
        functional("assert f(0.2) == [0.3]"),
    )
    both(
        s,
        "nan",
        "def f():\n    return float('nan')",
        "def f():\n    return 1.0",
        functional("assert f() == float('nan')"),
    )
    both(s, "tuple", "def f():\n    return (1, 2)", "def f():\n    return [1, 2]", functional("assert f() == (1, 2)"))
    both(
        s,
        "large integers",
        "def f(n):\n    return 10**n + 1",
        "def f(n):\n    return 10**n",
        functional("assert f(18) == 10**18 + 1\nassert f(40) == 10**40 + 1"),
    )
    add(s, "a float for a large integer", "def f():\n    return 1e18", functional(f"assert f() == {10**18 + 1}"), False)
    both(
        s,
        "round trip",
        "def encode(s):\n    return s[::-1]\ndef decode(s):\n    return s[::-1]",
        "def encode(s):\n    return s[::-1]\ndef decode(s):\n    return s",
        functional("assert decode(encode('abc')) == 'abc'"),
    )
    both(
        s,
        "changed argument",
        "def f(xs):\n    xs.sort()",
        "def f(xs):\n    return sorted(xs)",
        functional("xs = [3, 1, 2]\nf(xs)\nassert xs == [1, 2, 3]"),
    )
    both(
        s,
        "objects put together",
        "class Node:\n    def __init__(self, v):\n        self.v, self.next = v, None\n"
        "def total(n):\n    return n.v + total(n.next) if n else 0",
        "class Node:\n    def __init__(self, v):\n        self.v, self.next = v, None\ndef total(n):\n    return n.v",
        functional("a = Node(1)\na.next = Node(2)\na.next.next = Node(3)\nassert total(a) == 6\nassert a.next.v == 2"),
    )
    both(
        s,
        "an object with state",
        "class Counter2:\n    def __init__(self):\n        self.n = 0\n    def hit(self):\n"
        "        self.n += 1\n        return self.n",
        "class Counter2:\n    def hit(self):\n        return 1",
        functional("c = Counter2()\nassert c.hit() == 1\nassert c.hit() == 2"),
    )
    solution = "class Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n        {}"
    two = (
        "def check(candidate):\n    assert candidate(nums = [3,3],target = 6) == [0, 1]\n"
        "    assert candidate(nums = [2,7,11],target = 9) == [0, 1]\n\ncheck(Solution().twoSum)"
    )
    right = (
        "seen = defaultdict(int)\n        for i, n in enumerate(nums):\n            if target - n in seen:\n"
        "                return [seen[target - n], i]\n            seen[n] = i"
    )
    both(s, "LeetCode", solution.format(right), solution.format("return [1, 0]"), functional(two), LEETCODE_PREFIX)
    lcb = "def check_twoSum():\n    assert Solution().twoSum([3, 3], 6) == [0, 1]\n\ncheck_twoSum()\n"
    both(
        s,
        "LiveCodeBench",
        "from typing import List\n" + solution.format("return [0, 1]"),
        "from typing import List\n" + solution.format("return (0, 1)"),
        functional(lcb),
    )
    both(
        s,
        "JSON words",
        "def f(x):\n    return not x",
        "def f(x):\n    return x",
        functional("assert f(true) == false\nassert f(null) == true"),
    )
    linked = (
        "def check(candidate):\n    assert is_same_list(candidate(head = list_node([1,2,3])), list_node([3,2,1]))\n"
        "    assert is_same_list(candidate(head = list_node([])), list_node([]))\n\ncheck(Solution().reverse)"
    )
    both(
        s,
        "linked list",
        "class Solution:\n    def reverse(self, head: Optional[ListNode]) -> Optional[ListNode]:\n        last = None\n"
        "        while head:\n            head.next, last, head = last, head, head.next\n        return last",
        "class Solution:\n    def reverse(self, head):\n        return head",
        functional(linked),
        LEETCODE_PREFIX,
    )
    tree = (
        "def check(candidate):\n"
        "    assert is_same_tree(candidate(root = tree_node([4,2,7,None,3])), tree_node([4,7,2,None,None,3]))\n\n"
        "check(Solution().invertTree)"
    )
    both(
        s,
        "tree",
        "class Solution:\n    def invertTree(self, root):\n        if root:\n            root.left, root.right = "
        "self.invertTree(root.right), self.invertTree(root.left)\n        return root",
        "class Solution:\n    def invertTree(self, root):\n        return root",
        functional(tree),
        LEETCODE_PREFIX,
    )
    add(
        s,
        "a builtin's name",
        "def add(a, b):\n    return a + b",
        functional("def check(candidate):\n    assert candidate(1, 2) == 3\ncheck(add)"),
        True,
        LEETCODE_PREFIX,
    )
    both(
        s,
        "a function named like a built-in",
        "def sum(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total",
        "def sum(xs):\n    return 0",
        functional("assert sum([1, 2]) == 3"),
    )
    for name, code in {
        "decorated": "from functools import lru_cache\n@lru_cache(None)\ndef f(x):\n    return x + 1",
        "prints": "def f(x):\n    print('debug', x)\n    return x + 1\nprint(f(3))",
        "global state": "ONE = 1\ndef f(x):\n    global ONE\n    return x + ONE",
        "main guard": "def f(x):\n    return x + 1\nif __name__ == '__main__':\n    print(f(int(input())))",
        "deep recursion": "import sys\nsys.setrecursionlimit(10**6)\ndef d(n):\n"
        "    return 0 if n == 0 else 1 + d(n - 1)\n"
        "def f(x):\n    return x + 1 + d(5000) - 5000",
        "helpers": "def g(x):\n    return x\ndef f(x):\n    return g(x) + 1",
        "imports": "import heapq, collections, itertools, bisect, re, string, math\ndef f(x):\n"
        "    return x + math.gcd(1, 1)",
        "future": "from __future__ import annotations\ndef f(x: int) -> int:\n    return x + 1",
        "lambda": "f = lambda x: x + 1",
        "partial": "from functools import partial\nfrom operator import add\nf = partial(add, 1)",
        "conditional definition": "try:\n    import numpy\nexcept ImportError:\n    numpy = None\nif True:\n"
        "    def f(x):\n        return x + 1",
        "own assertions": "def f(x):\n    return x + 1\nassert f(1) == 2",
        "thread": "import threading\ndef f(x):\n    out = []\n"
        "    t = threading.Thread(target=lambda: out.append(x + 1))\n    t.start()\n"
        "    t.join()\n    return out[0]",
    }.items():
        add(s, name, code, functional("assert f(1) == 2\nassert f(5) == 6"), True, "import math")
    for name, code in {
        "syntax error": "def f(x)\n    return x + 1",
        "another name": "def g(x):\n    return x + 1",
        "raises": "def f(x):\n    raise ValueError",
        "loops": "def f(x):\n    while True:\n        pass",
        "a string": "def f(x):\n    return str(x + 1)",
        "second test only": "def f(x):\n    return 6",
        "first test only": "def f(x):\n    return 2",
        "raises on import": "def f(x):\n    return x + 1\n1 / 0",
    }.items():
        add(s, name, code, functional("assert f(1) == 2\nassert f(5) == 6"), False)


def _calls() -> None:
    c = Family.CALLS
    right, wrong = "def f(a, b):\n    return [a, b]", "def f(a, b):\n    return [b, a]"
    in_class = "class Solution:\n    def f(self, a, b):\n        return (a, b)"
    for name, gold in {
        "TACO": {"fn_name": "f", "inputs": [[1, 2], [3, 4]], "outputs": [[1, 2], [3, 4]]},
        "codewars": {"fn_name": "f", "inputs": [[1, 2]], "outputs": [[[1, 2]]]},
        "one JSON value a line": {"fn_name": "f", "inputs": ["1\n2", "3\n4"], "outputs": ["[1, 2]", "[3, 4]"]},
        "typed tests": [
            {"type": "function_call", "fn_name": "f", "input": [1, 2], "output": [[1, 2]]},
            {"type": "function_call", "fn_name": "f", "input": [3, 4], "output": [[3, 4]]},
        ],
        "typed tests in text": json.dumps(
            json.dumps([{"type": "function_call", "fn_name": "f", "input": [1, 2], "output": [1, 2]}])
        ),
        "LiveCodeBench record": {
            "metadata": '{"func_name": "f"}',
            "input_output": json.dumps([{"input": "1\n2", "output": "[1, 2]", "testtype": "functional"}]),
        },
    }.items():
        both(c, name, right, wrong, gold)
        add(c, f"{name}: in a class", in_class, gold, True)
    both(
        c,
        "integer keys",
        "def f(d):\n    return {k: v + 1 for k, v in d.items() if k > 0}",
        "def f(d):\n    return {k: v for k, v in d.items()}",
        {"fn_name": "f", "inputs": [[{"1": 2}]], "outputs": [{"1": 3}]},
    )
    both(
        c,
        "a text",
        "def f(s):\n    return s",
        "def f(s):\n    return int(s)",
        {"fn_name": "f", "inputs": [["12"]], "outputs": ["12"]},
    )
    both(
        c,
        "large integers",
        "def f(n):\n    return 10**n + 1",
        "def f(n):\n    return float(10**n)",
        {"fn_name": "f", "inputs": [[18]], "outputs": [10**18 + 1]},
    )
    both(
        c,
        "large floats",
        "def f(x):\n    return x * (1 + 1e-9)",
        "def f(x):\n    return x * 1.001",
        {"fn_name": "f", "inputs": [[1e15]], "outputs": [1e15]},
    )
    add(
        c,
        "nothing defined",
        "pass",
        {"fn_name": "add", "inputs": [[1, 2]], "outputs": [3]},
        False,
        LEETCODE_PREFIX,
    )


def _stdin() -> None:
    c = Family.STDIN
    sums = {"inputs": ["1 2\n", "3 4\n", "10 -3\n"], "outputs": ["3\n", "7\n", "7\n"]}
    styles = {
        "input": "a, b = map(int, input().split())\nprint(a + b)",
        "sys.stdin.read": "import sys\nprint(sum(map(int, sys.stdin.read().split())))",
        "sys.stdin.readline": "import sys\ninput = sys.stdin.readline\na, b = map(int, input().split())\nprint(a + b)",
        "sys.stdin.buffer": "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))",
        "open(0)": "print(sum(map(int, open(0).read().split())))",
        "os.read": "import os\nprint(sum(map(int, os.read(0, 10**6).split())))",
        "for line in sys.stdin": "import sys\nfor line in sys.stdin:\n    print(sum(map(int, line.split())))",
        "sys.stdout.write": "import sys\nsys.stdout.write(str(sum(map(int, input().split()))) + '\\n')",
        "main guard": "def main():\n    print(sum(map(int, input().split())))\nif __name__ == '__main__':\n    main()",
        "exit": "print(sum(map(int, input().split())))\nexit()",
        "sys.exit(0)": "import sys\nprint(sum(map(int, input().split())))\nsys.exit(0)",
        "exit in a function": "import sys\ndef main():\n    print(sum(map(int, input().split())))\n"
        "    sys.exit()\nmain()",
        "thread with a bigger stack": "import sys, threading\nsys.setrecursionlimit(10**6)\n"
        "threading.stack_size(1 << 26)\n"
        "def d(n):\n    return 0 if n == 0 else 1 + d(n - 1)\n"
        "def main():\n    print(sum(map(int, input().split())) + d(20000) - 20000)\n"
        "t = threading.Thread(target=main)\nt.start()\nt.join()",
        "try until the end of input": "while True:\n    try:\n        print(sum(map(int, input().split())))\n"
        "    except EOFError:\n        break",
        "fileinput": "import fileinput\nfor line in fileinput.input():\n    print(sum(map(int, line.split())))",
        "StringIO": "import io, sys\nout = io.StringIO()\nprint(sum(map(int, input().split())), file=out)\n"
        "sys.stdout.write(out.getvalue())",
        "buffered bytes": "import sys\nsys.stdout.buffer.write(b'%d\\n' % sum(map(int, input().split())))",
        "class": "class Solution:\n    def run(self):\n        print(sum(map(int, input().split())))\nSolution().run()",
        "trailing blanks": "print(sum(map(int, input().split())), '', '\\n\\n')",
        "numbers as list": "print(*[sum(map(int, input().split()))])",
        "print to stderr too": "import sys\nprint('debug', file=sys.stderr)\nprint(sum(map(int, input().split())))",
        "flush": "print(sum(map(int, input().split())), flush=True)",
    }
    for name, code in styles.items():
        add(c, name, code, sums, True)
    for name, code in {
        "difference": "a, b = map(int, input().split())\nprint(a - b)",
        "prompt": "a, b = map(int, input('numbers: ').split())\nprint(a + b)",
        "nothing printed": "a, b = map(int, input().split())",
        "only defined": "def main():\n    print(sum(map(int, input().split())))",
        "label": "print('Answer:', sum(map(int, input().split())))",
        "extra line": "print(sum(map(int, input().split())))\nprint(0)",
        "a float that is another number": "print(sum(map(int, input().split())) + 0.1)",
        "raises after printing": "print(sum(map(int, input().split())))\nraise ValueError",
        "raises": "raise ValueError",
        "reads too much": "a, b = map(int, input().split())\nc = input()\nprint(a + b)",
        "constant": "print(3)",
        "loops": "while True:\n    pass",
        "floods": "while True:\n    print('x' * 1000)",
        "everything": "for i in range(100):\n    print(i)",
        "not UTF-8": "import sys\nsys.stdout.buffer.write(b'\\xff\\xfe3\\n')",
    }.items():
        add(c, name, code, sums, False)
    add(c, "empty input", "print('hello')", {"inputs": [""], "outputs": ["hello"]}, True)
    echo = "import sys\nprint(sys.stdin.read(), end='')"
    for name, gold in {
        "lines": {"inputs": [["1", "2"]], "outputs": [["1", "2"]]},
        "CRLF": {"inputs": ["a\nb\n"], "outputs": ["a\r\nb\r\n"]},
        "text": json.dumps({"inputs": ["x\n"], "outputs": ["x\n"]}),
        "double JSON": json.dumps(json.dumps({"inputs": ["x\n"], "outputs": ["x\n"]})),
        "typed tests": [{"type": "stdin_stdout", "input": "1\n", "output": "1\n"}],
        "LiveCodeBench tests": [{"input": "1\n", "output": "1\n", "testtype": "stdin"}],
        "one pair": {"input": "7\n", "output": "7\n"},
        "null name": {"inputs": ["1"], "outputs": ["1"], "fn_name": None},
        "wrapped": {"stdio": {"inputs": ["5"], "outputs": ["5"]}},
        "lists in text": {"inputs": json.dumps(["5", "6"]), "outputs": json.dumps(["5", "6"])},
        "Python spelling": "{'inputs': ['5'], 'outputs': ['5']}",
        "input_output": {"input_output": json.dumps({"inputs": ["q"], "outputs": ["q"]})},
    }.items():
        add(c, f"{name}: right", echo, gold, True)
        add(c, f"{name}: wrong", "print('other')", gold, False)

    def printing(name: str, shown: str, expected: str, right: bool) -> None:
        add(c, name, f"print({shown!r})", {"inputs": [""], "outputs": [expected]}, right)

    printing("float within 1e-6", "0.3333333", "0.333333333", True)
    printing("float off", "0.3334", "0.333333333", False)
    printing("large float", "1234567890123.5", "1234567890123.4", True)
    printing("exponent", "1e-7", "0.0000001", True)
    printing("integer for a decimal", "2", "2.0", True)
    printing("integer off by one, large", "1000000000000000000", "1000000000000000001", False)
    printing("leading zero", "7", "007", False)
    printing("yes in capitals", "YES", "Yes", True)
    printing("no for yes", "No", "Yes", False)
    printing("word in capitals", "ALICE", "Alice", False)
    printing("inner blanks", "1  2", "1 2", True)
    printing("joined lines", "1 2", "1\n2", False)
    printing("blank line inside", "1\n\n2", "1\n2", False)
    printing("nan", "nan", "0.5", False)
    printing("other order", "2 1", "1 2", False)
    big = " ".join(map(str, range(200_000)))
    add(
        c,
        "megabytes of input",
        "import sys\nprint(sum(map(int, sys.stdin.read().split())))",
        {"inputs": [big], "outputs": [str(sum(range(200_000)))]},
        True,
    )
    add(
        c,
        "sixty tests",
        "print(int(input()) * 2)",
        {"inputs": [f"{i}\n" for i in range(60)], "outputs": [f"{2 * i}\n" for i in range(60)]},
        True,
    )
    add(
        c,
        "sixty tests, the last wrong",
        "n = int(input())\nprint(n * 2 if n < 59 else 0)",
        {"inputs": [f"{i}\n" for i in range(60)], "outputs": [f"{2 * i}\n" for i in range(60)]},
        False,
    )


def _formats() -> None:
    good = "def f(x):\n    return x + 1"
    bad = "def f(x):\n    return 0"
    tests = functional("assert f(1) == 2\nassert f(5) == 6")
    usage = "```python\nprint(f(3))\n```"
    for name, response, right in [
        ("tag py", f"```py\n{good}\n```", True),
        ("tag python3", f"```python3\n{good}\n```", True),
        ("tag in capitals", f"```Python\n{good}\n```", True),
        ("blank after the tag", f"```python \n{good}\n```", True),
        ("attributes after the tag", f"```python title='x'\n{good}\n```", True),
        ("CRLF", fenced(good).replace("\n", "\r\n"), True),
        ("untagged", f"```\n{good}\n```", True),
        ("tildes", f"~~~python\n{good}\n~~~", True),
        ("four backticks", f"````python\n{good}\n````", True),
        ("indented", "1. So:\n   ```python\n   def f(x):\n       return x + 1\n   ```\n", True),
        ("glued closing fence", f"```python\n{good}```", True),
        ("blanks after the closing fence", f"```python\n{good}\n```   \nDone.", True),
        ("prose before the fence", f"Here: ```python\n{good}\n```", True),
        ("draft and final", f"{fenced(bad)}\nBetter:\n{fenced(good)}", True),
        ("right draft, wrong final", f"{fenced(good)}\nBetter:\n{fenced(bad)}", False),
        ("broken draft", f"```python\ndef f(x\n```\n{fenced(good)}", True),
        ("sample output after", f"{fenced(good)}\nOutput:\n```\n2\n```", True),
        ("text block after", f"{fenced(good)}\n```text\n2\n```", True),
        ("usage example after", f"{fenced(good)}\n{usage}", True),
        ("usage that reads input", f"{fenced(good)}\n```python\nx = int(input())\nprint(f(x))\n```", True),
        (
            "helpers in an earlier block",
            f"```python\ndef g(x):\n    return x\n```\n{fenced('def f(x): return g(x) + 1')}",
            True,
        ),
        (
            "imports in an earlier block",
            f"```python\nimport math\n```\n{fenced('def f(x): return x + math.gcd(1, 1)')}",
            True,
        ),
        ("thinking before", f"<think>{fenced(bad)}</think>\n{fenced(good)}", True),
        ("only in thinking", f"<think>{fenced(good)}</think>\nDone.", False),
        ("two thoughts", f"<think>a</think>{fenced(bad)}</think>{fenced(good)}", True),
        (
            "a fence in a docstring",
            fenced('def f(x):\n    """\n    ```\n    f(1)\n    ```\n    """\n    return x + 1'),
            True,
        ),
        ("shell block", f"```bash\npip install x\n```\n{fenced(good)}", True),
        ("unfenced", good, False),
        ("unclosed", f"```python\n{good}", False),
        ("closed draft, unclosed final", f"{fenced(bad)}\n```python\n{good}", False),
        ("empty block", "```python\n\n```", False),
        ("no block", "I do not know.", False),
        ("empty", "", False),
        ("javascript", "```js\nfunction f(x) { return x + 1 }\n```", False),
        ("inline code", "Use ```def f(x): return x + 1``` here.", False),
        ("thousands of open fences", "```python\n" * 20_000, False),
        ("a lone surrogate", fenced(good + "\ns = '\ud800'"), False),
        ("a NUL", fenced(good + "\n\0"), False),
        ("a surrogate in prose", f"\ud800 {fenced(good)}", True),
    ]:
        add(Family.FORMAT, name, response, tests, right, raw=True)
    echo = {"inputs": ["5\n"], "outputs": ["5\n"]}
    program = "print(input())"
    for name, response, right in [
        ("program and sample output", f"{fenced(program)}\n```\n5\n```", True),
        ("program and sample output, untagged", f"```\n{program}\n```\nprints\n```\n7\n```", True),
        ("draft and final program", f"{fenced('print(1)')}\n{fenced(program)}", True),
        ("program and a note block", f"{fenced(program)}\n```python\nx = 1\n```", True),
    ]:
        add(Family.FORMAT, name, response, echo, right, raw=True)


_scripts()
_calls()
_stdin()
_formats()
