"""Laws that say something: a round trip through two functions, and doing twice what once has done.

A pair or a function is a candidate by its name and a law only by trying: it must hold for every value that was tried,
and at least one value must be changed on the way, or the law would be empty.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from elohim_kernel.engines._tests_module import Explored
from elohim_kernel.engines._tests_running import Side
from elohim_kernel.engines._tests_shapes import Argument, Case, Flavour, Inputs, Kind, Place, Target
from elohim_kernel.engines._tests_writing import Property

LEAST: Final = 3
_MOST: Final = 8
_PAIRS: Final = (
    ("encode", "decode"), ("dumps", "loads"), ("dump", "load"), ("format", "parse"), ("serialize", "deserialize"),
    ("serialise", "deserialise"), ("pack", "unpack"), ("compress", "decompress"), ("quote", "unquote"),
    ("escape", "unescape"), ("encrypt", "decrypt"), ("flatten", "unflatten"), ("to", "from"), ("marshal", "unmarshal"),
    ("render", "parse"), ("stringify", "parse"), ("join", "split"), ("wrap", "unwrap"), ("int_to", "int_from"),
    ("camelize", "underscore"),
)  # fmt: skip
_TWICE: Final = re.compile(
    r"normali[sz]e|clean|strip|slug|dedent|canonical|saniti[sz]e|trim|squeeze|collapse|lower|upper|title|dedup|unique|"
    r"sort|simplif|parameteri[sz]e|underscore|asciify|compact|prettify|standardi[sz]e"
)


class _Law(NamedTuple):
    target: Target
    name: str
    expression: str  # of `value`, gives True
    changed: str  # of `value`, gives whether the law says something for it
    body: tuple[str, ...]
    imports: tuple[str, ...]
    told: str


def properties_of(
    side: Side, place: Place, tree: ast.Module, found: Sequence[Explored], killed: frozenset[str]
) -> list[Property]:
    """The laws that hold for the values tried and kill a mutant that is not in `killed`, with values that show them."""
    laws = [law for each in found if each.stable for law in _laws(each, tree)]
    values = {each.target.key: _values(each) for each in found}
    cases: list[Case] = []
    for number, law in enumerate(laws):
        for place_, value in enumerate(values[law.target.key]):
            bound = f"(lambda value: ({law.expression}, {law.changed}))({value.text})"
            inputs = Inputs(positional=(value,))
            imports = tuple(dict.fromkeys((*law.imports, *value.imports)))
            cases.append(Case(id=f"{number}.{place_}", key=law.target.key, call=bound, imports=imports, inputs=inputs))
    outcomes, problem = side.record(place, cases, seed=0, trace=True) if cases else ({}, "")
    kept: list[Property] = []
    for number, law in enumerate(laws):
        own = [case for case in cases if case.id.partition(".")[0] == str(number)]
        told = [(case, outcomes[case.id]) for case in own if not problem]
        good = [case for case, outcome in told if outcome.kind is Kind.VALUE and outcome.text.startswith("(True")]
        bad = [case for case, outcome in told if outcome.kind is Kind.VALUE and not outcome.text.startswith("(True")]
        telling = [case for case in good if outcomes[case.id].text == "(True, True)"]
        if bad or len(good) < LEAST or not telling:
            continue
        chosen = tuple(case.inputs.positional[0] for case in dict.fromkeys([*telling, *good]))[:_MOST]
        made = Property(law.target, law.name, chosen, law.body, law.imports, law.told)
        kills = _kills(side, place, law, made, found, killed)
        if kills:
            kept.append(made._replace(kills=kills))
    return kept


def _kills(
    side: Side, place: Place, law: _Law, made: Property, found: Sequence[Explored], killed: frozenset[str]
) -> frozenset[str]:
    cases = [
        Case(
            id=str(number),
            key=law.target.key,
            call=f"(lambda value: {law.expression})({value.text})",
            imports=tuple(dict.fromkeys((*law.imports, *value.imports))),
            inputs=Inputs(positional=(value,)),
        )
        for number, value in enumerate(made.values)
    ]
    own = [each for each in found if each.target.key == law.target.key]
    mutants = [mutant for each in own for mutant in each.mutants if mutant.id not in killed]
    asked = {mutant.id: cases for mutant in mutants}
    answers = side.kills(place, {law.target.key: law.target}, mutants, asked)
    return frozenset(name for name, by in answers.items() if by)


def _values(each: Explored) -> list[Argument]:
    found = {
        case.inputs.positional[0].text: case.inputs.positional[0] for case in each.stable.values() if _is_one(case)
    }
    return list(found.values())[:40]


def _is_one(case: Case) -> bool:
    inputs = case.inputs
    return len(inputs.positional) == 1 and not (inputs.named or inputs.constructor or inputs.constructor_named)


def _laws(each: Explored, tree: ast.Module) -> Iterator[_Law]:
    target = each.target
    if target.flavour is not Flavour.FUNCTION or target.generator or target.coroutine:
        return
    name, module = target.name, target.place.module
    own = f"from {module} import {name}"
    if _TWICE.search(name):
        yield _Law(
            target,
            f"test_{name}_twice_is_the_same_as_once".replace("__", "_"),
            f"{name}({name}(value)) == {name}(value)",
            f"{name}(value) != value",
            (f"    once = {name}(value)", f"    assert {name}(once) == once"),
            (own,),
            "doing it twice gives what once gives",
        )
    for other in _partners(name, tree):
        yield _Law(
            target,
            f"test_{other}_undoes_{name}".replace("__", "_"),
            f"{other}({name}(value)) == value",
            f"{name}(value) != value",
            (f"    assert {other}({name}(value)) == value",),
            (own, f"from {module} import {other}"),
            f"{other} undoes {name}",
        )


def _partners(name: str, tree: ast.Module) -> Iterator[str]:
    there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for one, two in _PAIRS:
        for first, second in ((one, two), (two, one)):
            parts = name.split("_")
            for place, part in enumerate(parts):
                other = "_".join([*parts[:place], second, *parts[place + 1 :]])
                if part == first and other in there and other != name:
                    yield other
            if name == first + name[len(first) :] and (other := second + name[len(first) :]) in there and other != name:
                yield other
