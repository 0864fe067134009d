"""Inputs for the calls of a function: from what the repository shows, from types, and from the constants it compares.

A parameter whose value cannot be built is said by name. The number of calls is bounded and their order is fixed.
"""

import ast
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from elohim_kernel.engines._tests_examples import Example, Shown
from elohim_kernel.engines._tests_kinds import Kinds, kind_of_parameter
from elohim_kernel.engines._tests_mutants import Function
from elohim_kernel.engines._tests_shapes import Argument, Case, Flavour, Inputs, Parameter, Target
from elohim_kernel.engines._tests_variants import Pool, variant

MOST_CASES: Final = 140
_MOST_EXAMPLES: Final = 40
_MOST_PER_PARAMETER: Final = 24
_CONSTRUCTIONS: Final = 4


class Unbuildable(Exception):
    """No value can be built for a parameter; the text says for which."""


class Drawn(NamedTuple):
    """The inputs of one target, with what further ones are made from."""

    inputs: tuple[Inputs, ...]
    pool: Pool


def draw(target: Target, node: Function, tree: ast.Module, shown: Shown) -> Drawn:
    """Inputs for a target. Raises `Unbuildable` when a parameter needs what cannot be built."""
    pool = Pool(constants_of(node, tree))
    kinds = Kinds(tree, target.place.module, shown)
    ways = _constructions(target, kinds, shown, pool)
    examples = [_bound(each, target.parameters) for each in shown.of(target.name)[:_MOST_EXAMPLES]]
    found: dict[str, Inputs] = {}
    for example in examples:
        for way in ways[:2] if example is not None else ():
            _keep(found, _joined(way, example, "example"))  # type: ignore[arg-type]
    values = {each.name: _values(each, node, kinds, pool, shown, target) for each in target.parameters}
    wanted = [each for each in target.parameters if not each.many or target.name.startswith("__")]
    for call in _combined(wanted, values):
        for way in ways:
            _keep(found, _joined(way, call, "boundary"))
            if len(found) >= MOST_CASES:
                return Drawn(tuple(found.values()), pool)
    return Drawn(tuple(found.values()), pool)


def more(inputs: Sequence[Inputs], pool: Pool, *, seed: int, count: int) -> list[Inputs]:
    """Neighbours of inputs that were used already, without repeats."""
    chance = random.Random(seed)  # noqa: S311 - the same proposals for the same change
    known = {_text(each) for each in inputs}
    found: dict[str, Inputs] = {}
    for _ in range(count * 3):
        if len(found) >= count or not inputs:
            break
        made = _varied(chance.choice(inputs), pool, chance)
        if _text(made) not in known:
            _keep(found, made)
    return list(found.values())


def cases_of(target: Target, inputs: Sequence[Inputs], *, start: int = 0) -> list[Case]:
    """The calls, numbered from `start`."""
    return [
        Case(
            id=f"{target.key}@{start + number}",
            key=target.key,
            call=call_of(target, each),
            imports=imports_of(target, each),
            inputs=each,
        )
        for number, each in enumerate(inputs)
    ]


def call_of(target: Target, inputs: Inputs) -> str:
    """The call as an expression."""
    arguments = [each.text for each in inputs.positional]
    inside = ", ".join([*arguments, *(f"{name}={each.text}" for name, each in inputs.named)])
    if target.flavour in (Flavour.METHOD, Flavour.PROPERTY):
        made = [each.text for each in inputs.constructor]
        made += [f"{name}={each.text}" for name, each in inputs.constructor_named]
        itself = f"{target.owner}({', '.join(made)})"
        if target.name.startswith("__"):
            return _SPECIAL[target.name].format(self=itself, first=(arguments or ["None"])[0], all=inside)
        call = f"{itself}.{target.name}" + ("" if target.flavour is Flavour.PROPERTY else f"({inside})")
    else:
        call = f"{target.qualname}({inside})"
    if target.generator:
        return f"list({call})"
    return f"asyncio.run({call})" if target.coroutine else call


def imports_of(target: Target, inputs: Inputs) -> tuple[str, ...]:
    """The lines that a call needs before it."""
    own = f"from {target.place.module} import {target.qualname.partition('.')[0]}"
    extra = ("import asyncio",) if target.coroutine else ()
    return tuple(dict.fromkeys((own, *extra, *(line for each in inputs.every for line in each.imports))))


_SPECIAL: Final = {
    "__str__": "str({self})", "__repr__": "repr({self})", "__len__": "len({self})", "__call__": "{self}({all})",
    "__contains__": "{first} in {self}", "__getitem__": "{self}[{first}]", "__eq__": "{self} == {first}",
    "__bool__": "bool({self})", "__int__": "int({self})", "__float__": "float({self})", "__iter__": "list({self})",
    "__add__": "{self} + {first}", "__sub__": "{self} - {first}", "__mul__": "{self} * {first}",
    "__lt__": "{self} < {first}", "__le__": "{self} <= {first}", "__gt__": "{self} > {first}",
    "__ge__": "{self} >= {first}",
}  # fmt: skip


def constants_of(node: Function, tree: ast.Module) -> list[object]:
    """Literals in a function's code and in the constants of its module that it names; texts without its docstring."""
    documentation = {id(each.value) for each in ast.walk(node) if isinstance(each, ast.Expr)}
    named = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    found: dict[str, object] = {}
    tables = [
        each.value
        for each in tree.body
        if isinstance(each, ast.Assign | ast.AnnAssign)
        and each.value is not None
        and any(isinstance(part, ast.Name) and part.id in named for part in ast.walk(each))
    ]
    for part in (node, *tables):
        count = 0
        for each in ast.walk(part):
            if isinstance(each, ast.Constant) and id(each) not in documentation and each.value is not None:
                count += 1
                if count <= 60:
                    found.setdefault(repr(each.value), each.value)
    return list(found.values())


def _constructions(target: Target, kinds: Kinds, shown: Shown, pool: Pool) -> list[Inputs]:
    if target.flavour not in (Flavour.METHOD, Flavour.PROPERTY):
        return [Inputs()]
    found: dict[str, Inputs] = {}
    for example in shown.of(target.owner)[:_MOST_EXAMPLES]:
        if (bound := _bound(example, target.constructor)) is not None:
            _keep(found, Inputs(constructor=bound.positional, constructor_named=bound.named))
    values = {each.name: _of_kind(each, kinds, pool, ()) for each in target.constructor}
    for call in _combined([each for each in target.constructor if not each.many], values):
        _keep(found, Inputs(constructor=call.positional, constructor_named=call.named))
    return list(found.values())[: _CONSTRUCTIONS if target.parameters else _MOST_PER_PARAMETER]


def _values(each: Parameter, node: Function, kinds: Kinds, pool: Pool, shown: Shown, target: Target) -> list[Argument]:
    """Values to try for one parameter: the shown ones first."""
    given: list[Argument] = []
    for example in shown.of(target.name):
        if (bound := _bound(example, target.parameters)) is None:
            continue
        names = [one.name for one in target.parameters if not one.keyword_only and not one.many]
        pairs = {**dict(zip(names, bound.positional, strict=False)), **dict(bound.named)}
        if each.name in pairs:
            given.append(pairs[each.name])
    return _of_kind(each, kinds, pool, given, node, target.owner)


def _of_kind(
    each: Parameter,
    kinds: Kinds,
    pool: Pool,
    given: Sequence[Argument],
    node: Function | None = None,
    owner: str = "",
) -> list[Argument]:
    kind = each.annotation or kind_of_parameter(each, given, node)
    if node is not None and owner and node.name.startswith("__"):
        kind = f"{owner} | {kind}"  # what is compared or added is mostly of the same class
    values = kinds.values(kind, pool)
    if not values and not given and each.default is None and not each.many:
        raise Unbuildable(f"inputs for parameter {each.name}: {kind} cannot be built")
    every = {argument.text: argument for argument in (*given[:8], *values)}
    return list(every.values())[:_MOST_PER_PARAMETER]


def _combined(parameters: Sequence[Parameter], values: Mapping[str, Sequence[Argument]]) -> Iterator[Inputs]:
    """The first value everywhere, then each parameter through its values, then pairs along the diagonal."""
    needed = [each for each in parameters if each.default is None]
    first = {each.name: values[each.name][0] for each in needed if values[each.name]}
    if len(first) < len(needed):
        return
    yield _placed(parameters, first)
    for each in parameters:
        for value in values[each.name]:
            yield _placed(parameters, {**first, each.name: value})
    longest = max((len(values[each.name]) for each in parameters), default=0)
    for step in range(1, 4):
        for number in range(longest):
            chosen = {
                each.name: values[each.name][(number * (1 + place * step) + place) % len(values[each.name])]
                for place, each in enumerate(parameters)
                if values[each.name]
            }
            yield _placed(parameters, chosen)


def _placed(parameters: Sequence[Parameter], chosen: Mapping[str, Argument]) -> Inputs:
    positional: list[Argument] = []
    named: list[tuple[str, Argument]] = []
    for each in parameters:
        if each.name not in chosen:
            continue
        in_order = not each.keyword_only and len(positional) == parameters.index(each)
        if in_order and (each.default is None or each.positional_only):
            positional.append(chosen[each.name])
        elif not each.positional_only:
            named.append((each.name, chosen[each.name]))
    return Inputs(positional=tuple(positional), named=tuple(named))


def _bound(example: Example, parameters: Sequence[Parameter]) -> Inputs | None:
    """The call as it was found, when the function can take it."""
    plain = [each for each in parameters if not each.keyword_only and not each.many]
    names = {each.name for each in parameters}
    too_many = len(example.positional) > len(plain) and not any(each.many for each in parameters)
    taken = {each.name for each in plain[: len(example.positional)]} | {name for name, _ in example.named}
    missing = any(each.default is None and not each.many and each.name not in taken for each in parameters)
    if too_many or missing or not {name for name, _ in example.named} <= names:
        return None
    return Inputs(positional=example.positional, named=example.named)


def _joined(way: Inputs, call: Inputs, origin: str) -> Inputs:
    return Inputs(
        positional=call.positional,
        named=call.named,
        constructor=way.constructor,
        constructor_named=way.constructor_named,
        origin=origin,
    )


def _varied(inputs: Inputs, pool: Pool, chance: random.Random) -> Inputs:
    places = len(inputs.positional) + len(inputs.named) + len(inputs.constructor) + len(inputs.constructor_named)
    if not places:
        return inputs
    chosen = {chance.randrange(places) for _ in range(chance.choice((1, 1, 2)))}
    counter = iter(range(places))

    def near(argument: Argument) -> Argument:
        return variant(argument, pool, chance) if next(counter) in chosen else argument

    return Inputs(
        positional=tuple(near(each) for each in inputs.positional),
        named=tuple((name, near(each)) for name, each in inputs.named),
        constructor=tuple(near(each) for each in inputs.constructor),
        constructor_named=tuple((name, near(each)) for name, each in inputs.constructor_named),
        origin="variant",
    )


def _keep(found: dict[str, Inputs], inputs: Inputs) -> None:
    found.setdefault(_text(inputs), inputs)


def _text(inputs: Inputs) -> str:
    parts = [each.text for each in (*inputs.constructor, *inputs.positional)]
    return "|".join([*parts, *(f"{name}={each.text}" for name, each in (*inputs.constructor_named, *inputs.named))])
