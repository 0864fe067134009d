"""Guards: conditions on transitions, triggers and bulk queries, written in a documented subset of CEL.

Pure: no I/O and no clock; `now` is a fact like any other. The language is described in docs/reference/guards.md.
"""

from elohim_kernel.model.guards.explanation import Clause, Explanation, Reading, Truth, explain
from elohim_kernel.model.guards.guard import Guard, Outcome, check_names, parse
from elohim_kernel.model.guards.sql import SqlCondition, to_sql
from elohim_kernel.model.guards.sql_calls import ColumnKind

__all__ = [
    "Clause",
    "ColumnKind",
    "Explanation",
    "Guard",
    "Outcome",
    "Reading",
    "SqlCondition",
    "Truth",
    "check_names",
    "explain",
    "parse",
    "to_sql",
]
