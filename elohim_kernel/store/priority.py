"""The priority of findings in SQL, written from the tables of `model.priority`: one formula, wherever it is needed."""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.model.priority import (
    CONFIDENCE,
    MORE_TOOLS,
    NEW,
    ON_CHANGED_LINE,
    PATH,
    PRIOR_ALL,
    PRIOR_RIGHT,
    SEVERITY,
    TWO_TOOLS,
)

_UNKNOWN: Final = 0.5  # of a word that is in no table, as an older store may hold


def _case(column: str, weights: Mapping[str, float]) -> str:
    return f"case {column} " + " ".join(f"when '{word}' then {weight}" for word, weight in weights.items())


_RIGHT: Final = "count(*) filter (where state = 'accepted' or reason = 'wont_fix')"
_WRONG: Final = "count(*) filter (where reason = 'false_positive')"
_SEERS: Final = "count(distinct case when state <> 'fixed' then tool end)"


def weighed(where: str) -> str:
    """A select of the findings for which `where` is true, with the columns of `windows`: quicker for few of many."""
    return (
        "select f.*, coalesce(p.p_seers, 1) as seers, coalesce(r.r_wrong, 0) as wrong, coalesce(r.r_right, 0) as right_"
        " from findings f left join (select scope as p_scope, repository as p_repository, problem as p_problem,"
        f" {_SEERS} as p_seers from findings where {where} and problem <> '' group by all) p"
        " on p_scope = f.scope and p_repository = f.repository and p_problem = f.problem"
        f" left join (select scope as r_scope, tool as r_tool, rule as r_rule, {_WRONG} as r_wrong, {_RIGHT} as r_right"
        f" from findings where {where} group by all) r"
        f" on r_scope = f.scope and r_tool = f.tool and r_rule = f.rule where {where}"
    )


def windows(scope: str) -> str:
    """Columns `seers` (tools that see the problem now), `wrong` and `right_` of the rule; `scope` is the column that
    tells workflows apart.
    """
    problem = f"partition by {scope}, repository, coalesce(nullif(problem, ''), id)"
    rule = f"partition by {scope}, tool, rule"
    return f"{_SEERS} over ({problem}) as seers, {_WRONG} over ({rule}) as wrong, {_RIGHT} over ({rule}) as right_"


PRIORITY: Final = (
    f"round({_case('severity', SEVERITY)} else {_UNKNOWN} end"
    f" * {_case('confidence', CONFIDENCE)} else {_UNKNOWN} end"
    f" * case when is_new then {NEW} when on_changed_line then {ON_CHANGED_LINE} else 1.0 end"
    f" * {_case('path_kind', PATH)} else {_UNKNOWN} end"
    f" * case when seers < 2 then 1.0 when seers = 2 then {TWO_TOOLS} else {MORE_TOOLS} end"
    f" * (right_ + {PRIOR_RIGHT}) / (right_ + wrong + {PRIOR_ALL}) / {PRIOR_RIGHT / PRIOR_ALL}, 1)::DOUBLE"
)
"""The priority of a row that has the columns of `windows`."""
