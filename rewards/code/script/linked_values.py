"""LeetCode's linked lists and binary trees, in the forms that its tests use: built from a list, compared as lists.

The data's prefix defines `list_node`, `tree_node`, `is_same_list` and `is_same_tree` for the program. Here the
comparison is made on plain values, so a program cannot pass with nodes that claim to equal everything.
"""

from collections import deque
from dataclasses import dataclass

from rewards.code.script.plain_values import source_of

MAX_NODES = 100_000


@dataclass(frozen=True, slots=True)
class LinkedList:
    """What `list_node(values)` makes."""

    values: list[object] | None

    @property
    def source(self) -> str:
        """The same in the program's namespace."""
        return f"list_node({source_of(self.values)})"

    def plain(self) -> object:
        """In the form of `_linked_plain`."""
        return list(self.values or [])


@dataclass(frozen=True, slots=True)
class BinaryTree:
    """What `tree_node(values)` makes of values in level order, None for a missing child."""

    values: list[object] | None

    @property
    def source(self) -> str:
        """The same in the program's namespace."""
        return f"tree_node({source_of(self.values)})"

    def plain(self) -> object:
        """In the form of `_tree_plain`: (value, has left, has right) of every node, level by level."""
        values = deque(self.values or [])
        if not values:
            return []
        level = deque([values.popleft()])
        nodes: list[object] = []
        while level:
            value = level.popleft()
            children = [values.popleft() if values else None for _ in range(2)]
            level.extend(child for child in children if child is not None)
            nodes.append((value, children[0] is not None, children[1] is not None))
        return nodes


CONSTRUCTORS: dict[str, type[LinkedList] | type[BinaryTree]] = {"list_node": LinkedList, "tree_node": BinaryTree}
COMPARISONS = {"is_same_list": "_linked_plain", "is_same_tree": "_tree_plain"}
# Defined by tests that bring their own helpers; run for the program, and meant here as above.
DEFINED_BY_PREFIX = frozenset({"ListNode", "TreeNode", *CONSTRUCTORS, *COMPARISONS})

READERS = f"""
def _linked_plain(node):
    values = []
    while node is not None and len(values) < {MAX_NODES}:
        values.append(node.val)
        node = node.next
    return values

def _tree_plain(root):
    nodes, level = [], [root] if root is not None else []
    while level and len(nodes) < {MAX_NODES}:
        below = []
        for node in level:
            nodes.append((node.val, node.left is not None, node.right is not None))
            below += [child for child in (node.left, node.right) if child is not None]
        level = below
    return nodes
"""
