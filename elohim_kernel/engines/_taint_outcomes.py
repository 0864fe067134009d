"""What was seen at a sink over all the times it was reached, and why nothing can happen there."""

import ast

from elohim_kernel.engines._taint_values import Taint, Value


class Outcome:
    """What was seen at one place for one category, over all the times it was reached."""

    __slots__ = (
        "category",
        "column",
        "end_line",
        "flaw",
        "is_open",
        "line",
        "safe",
        "severity",
        "sink",
        "sure",
        "taints",
    )

    def __init__(self, category: str, node: ast.expr | ast.stmt, sink: str) -> None:
        self.category = category
        self.line = node.lineno
        self.end_line = node.end_lineno or node.lineno
        self.column = node.col_offset + 1
        self.sink = sink
        self.taints: dict[Taint, Taint] = {}
        self.is_open = False
        self.safe = ""
        self.flaw = ""  # what is wrong whatever the data, in words
        self.severity = ""  # less than usual for the category
        self.sure = True  # the sink was recognised by its full name


def why_safe(value: Value) -> str:
    """Why a value does no harm, in words."""
    if value.constants is not None:
        return "the argument is constant"
    if value.taints:
        return "what comes from outside is made harmless on the way"
    return "nothing from outside reaches the argument"
