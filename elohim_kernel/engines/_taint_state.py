"""What holds at one point of the program that is read: the names in scope, and the containers and instances there are.

Contents of containers are values, never changed in place: a branch gets a copy of the state for the price of two
dictionaries, and two names for one list see each other's changes.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from elohim_kernel.engines._taint_values import (
    HARMLESS,
    NO_TAINTS,
    UNKNOWN,
    Constant,
    Value,
    blurred_value,
    join,
    joined,
    mixed,
    united,
)

Key: TypeAlias = Constant | tuple[Constant, ...]

SEQUENCES: Final = frozenset(("list", "tuple"))
MAX_ITEMS: Final = 200


class Thing:
    """A container or an instance: what is stored under the keys that are known, and what under the others.

    `is_exact`: it has no other keys. `is_certain`: all of `items` are surely there, in this order. Lists and tuples
    have the keys 0, 1, 2…; `owner` is the class of an instance.
    """

    __slots__ = ("is_certain", "is_exact", "items", "kind", "owner", "rest")

    def __init__(
        self,
        kind: str,
        items: Mapping[Key, Value] | None = None,
        *,
        rest: Value | None = None,
        is_exact: bool = True,
        is_certain: bool = True,
        owner: object = None,
    ) -> None:
        self.kind = kind
        self.items: Mapping[Key, Value] = {} if items is None else items
        self.rest = rest
        self.is_exact = is_exact
        self.is_certain = is_certain
        self.owner = owner

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Thing)
            and self.kind == other.kind
            and self.is_exact == other.is_exact
            and self.is_certain == other.is_certain
            and self.owner is other.owner
            and self.rest == other.rest
            and self.items == other.items
        )

    __hash__ = None  # type: ignore[assignment]  # compared, never a key

    @property
    def is_known(self) -> bool:
        """Whether exactly these items are there."""
        return self.is_exact and self.is_certain and self.rest is None

    def values(self) -> Iterable[Value]:
        """Everything that is stored."""
        yield from self.items.values()
        if self.rest is not None:
            yield self.rest

    def element(self) -> Value:
        """What stands for any one of the values stored."""
        value = joined(self.values())
        return value if self.is_exact else join(value, UNKNOWN)

    def got(self, key: Key) -> Value:
        """What is stored under a key; unknown when that is not known."""
        if key in self.items:
            return self.items[key] if self.rest is None else join(self.items[key], self.rest)
        if self.rest is not None:
            return self.rest if self.is_exact else join(self.rest, UNKNOWN)
        return HARMLESS if self.is_exact else UNKNOWN

    def put(self, key: Key, value: Value) -> "Thing":
        """With `value` under a known key."""
        if len(self.items) >= MAX_ITEMS and key not in self.items:
            return self.put_somewhere(value)
        return self._made({**self.items, key: value}, self.rest)

    def put_somewhere(self, value: Value) -> "Thing":
        """With `value` under a key that is not known: it may have replaced any of the others."""
        if self.kind in SEQUENCES:
            return Thing(self.kind, rest=joined((*self.values(), value)), is_exact=self.is_exact, owner=self.owner)
        return self._made(self.items, value if self.rest is None else join(self.rest, value))

    def sequence(self, values: Iterable[Value]) -> "Thing":
        """The same kind of thing with these values in a row."""
        return Thing(self.kind, dict(enumerate(values)), owner=self.owner)

    def loosened(self) -> "Thing":
        """The same thing after time in which others may have changed it."""
        return Thing(self.kind, self.items, rest=self.rest, is_exact=False, is_certain=False, owner=self.owner)

    def blurred(self) -> "Thing":
        """The same thing after any number of rounds of a loop that changes it."""
        items = {key: blurred_value(each) for key, each in self.items.items()}
        rest = None if self.rest is None else blurred_value(self.rest)
        if self.kind in SEQUENCES:
            items, rest = {}, joined((*items.values(), *([] if rest is None else [rest])))
        return Thing(self.kind, items, rest=rest, is_exact=self.is_exact, is_certain=False, owner=self.owner)

    def _made(self, items: Mapping[Key, Value], rest: Value | None) -> "Thing":
        return Thing(self.kind, items, rest=rest, is_exact=self.is_exact, is_certain=self.is_certain, owner=self.owner)


def join_things(one: Thing, other: Thing) -> Thing:
    """What is either of two versions of a thing."""
    if one is other or one == other:
        return one
    exact, certain = one.is_exact and other.is_exact, one.is_certain and other.is_certain
    rest = one.rest if other.rest is None else other.rest if one.rest is None else join(one.rest, other.rest)
    if one.kind != other.kind or (one.kind in SEQUENCES and len(one.items) != len(other.items)):
        kind = one.kind if one.kind == other.kind else "list"
        return Thing(kind, rest=joined((*one.values(), *other.values())), is_exact=exact, is_certain=False)
    items = dict(one.items)
    for key, value in other.items.items():
        items[key] = join(items[key], value) if key in items else value
    certain = certain and len(items) == len(one.items) == len(other.items)
    owner = one.owner if one.owner is other.owner else None
    return Thing(one.kind, items, rest=rest, is_exact=exact, is_certain=certain, owner=owner)


class State:
    """The names of the innermost scope, those of the scopes around it, and all things. It is changed in place."""

    __slots__ = ("names", "outer", "things")

    def __init__(
        self, names: dict[str, Value], things: dict[int, Thing], outer: tuple[dict[str, Value], ...] = ()
    ) -> None:
        self.names = names
        self.things = things
        self.outer = outer

    def copy(self) -> "State":
        """The same state, to be changed without changing this one."""
        return State(dict(self.names), dict(self.things), self.outer)

    def looked_up(self, name: str) -> Value | None:
        """The value of a name, from the innermost scope that has it; None when none has."""
        found = self.names.get(name)
        if found is not None:
            return found
        for scope in self.outer:
            found = scope.get(name)
            if found is not None:
                return found
        return None

    def only_thing(self, value: Value) -> tuple[int, Thing] | None:
        """The thing a value surely is; None when it is none or one of several."""
        if len(value.things) != 1:
            return None
        (key,) = value.things
        thing = self.things.get(key)
        return None if thing is None else (key, thing)

    def deep(self, value: Value) -> Value:
        """The value with the data of everything inside it."""
        if not value.things:
            return value
        taints, is_open = value.taints, value.is_open
        seen: set[int] = set()
        ways = list(value.things)
        while ways:
            key = ways.pop()
            if key in seen:
                continue
            seen.add(key)
            thing = self.things.get(key)
            if thing is None or len(seen) > MAX_ITEMS:
                is_open = True
                continue
            is_open = is_open or not thing.is_exact
            for each in thing.values():
                taints = united(taints, each.taints)
                is_open = is_open or each.is_open
                ways.extend(each.things)
        return value.with_(taints=taints, is_open=is_open)

    def element(self, value: Value) -> Value:
        """What stands for any one of the elements one gets by going through a value."""
        parts: list[Value] = []
        for key in value.things:
            thing = self.things.get(key)
            if thing is None:
                parts.append(UNKNOWN)
            elif thing.kind in ("dict", "config"):
                parts.append(_keys(thing))
            else:
                parts.append(thing.element())
        if value.taints or value.is_open or value.constants is not None or not parts:
            parts.append(mixed((value,), is_text=value.is_text))
        return joined(parts)


def _keys(thing: Thing) -> Value:
    if thing.rest is not None or not thing.is_exact:
        return Value(is_open=True, taints=thing.rest.taints if thing.rest is not None else NO_TAINTS)
    return HARMLESS


def join_states(one: State | None, other: State | None) -> State | None:
    """What holds when either does; None stands for a place that is never reached."""
    if one is None or other is None:
        return one or other
    if one is other:
        return one
    names = _joined_names(one.names, other.names)
    things = one.things
    if one.things is not other.things:
        things = dict(one.things)
        for key, thing in other.things.items():
            mine = things.get(key)
            things[key] = thing if mine is None or mine is thing else join_things(mine, thing)
    return State(names, things, one.outer)


def _joined_names(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    names = dict(one)
    for name, value in other.items():
        mine = names.get(name)
        if mine is not value:
            names[name] = value if mine is None else join(mine, value)
    return names


def same_state(one: State, other: State) -> bool:
    """Whether both say the same."""
    return one.names == other.names and one.things == other.things
