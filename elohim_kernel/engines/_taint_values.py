"""What the taint engine knows about one value of the program it reads: constants, where it came from, what it is.

A `Value` stands for every value an expression may have at that point. Values are never changed; `join` makes the one
that stands for either of two. Nothing here runs the program that is read.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Final, NamedTuple, TypeAlias

Constant: TypeAlias = str | bytes | int | float | complex | None
"""A value the program spells out or that follows from such values; bool is an int, the ellipsis is left out."""

EVERYTHING: Final = "*"
"""As a name among cleaned categories: harmless for all of them."""

MAX_CONSTANTS: Final = 8
MAX_TAINTS: Final = 8
MAX_STEPS: Final = 8
MAX_NAME: Final = 120


def words(text: str) -> frozenset[str]:
    """The words of a text as a set: how the tables are written."""
    return frozenset(text.split())


class Step(NamedTuple):
    """A place the data went through."""

    line: int
    text: str


class Taint:
    """Data from one source. Two taints are equal when they mean the same, however the data got there."""

    __slots__ = ("_hash", "cleaned", "hops", "line", "steps", "weak", "what")

    def __init__(
        self,
        what: str,
        line: int,
        *,
        weak: bool = False,
        cleaned: frozenset[str] = frozenset(),
        hops: int = 0,
        steps: tuple[Step, ...] = (),
    ) -> None:
        self.what = what
        self.line = line
        self.weak = weak
        self.cleaned = cleaned
        self.hops = hops  # calls it went through that are not understood; 2 stands for more
        self.steps = steps
        self._hash = hash((what, line, weak, cleaned, hops))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Taint)
            and self._hash == other._hash
            and (self.what, self.line, self.weak, self.cleaned, self.hops)
            == (other.what, other.line, other.weak, other.cleaned, other.hops)
        )

    def threatens(self, category: str) -> bool:
        """Whether nothing on the way made it harmless for that category."""
        return category not in self.cleaned and EVERYTHING not in self.cleaned

    def made(
        self,
        *,
        cleaned: frozenset[str] | None = None,
        hops: int | None = None,
        step: Step | None = None,
        weak: bool = False,
    ) -> "Taint":
        """A copy that differs in what is given; `step` is added at the end."""
        steps = self.steps
        if step is not None and (not steps or steps[-1].line != step.line) and len(steps) < MAX_STEPS:
            steps = (*steps, step)
        return Taint(
            self.what,
            self.line,
            weak=self.weak or weak,
            cleaned=self.cleaned if cleaned is None else cleaned,
            hops=self.hops if hops is None else min(hops, 2),
            steps=steps,
        )


Taints: TypeAlias = frozenset[Taint]
NO_TAINTS: Final[Taints] = frozenset()


class Value:
    """Everything known about a value.

    `constants` are all the constants it may be, or None. `taints` say which sources it holds data of. `things` are the
    containers and instances it may be, as keys of the state. `name` is the dotted name of what it is, as far as imports
    tell: "os.path.join", "sqlite3.connect()" for what such a call returned. `code` is a function or class of this file.
    `prefix` is the text it surely begins with. `is_open` says that it may also be something nothing is known about.
    """

    __slots__ = ("code", "constants", "is_open", "is_text", "name", "prefix", "taints", "things")

    def __init__(
        self,
        *,
        constants: tuple[Constant, ...] | None = None,
        taints: Taints = NO_TAINTS,
        things: frozenset[int] = frozenset(),
        name: str = "",
        code: "Callable[..., object] | object | None" = None,
        prefix: str = "",
        is_text: bool = False,
        is_open: bool = False,
    ) -> None:
        self.constants = constants
        self.taints = taints
        self.things = things
        self.name = name if len(name) <= MAX_NAME else ""
        self.code = code
        self.prefix = prefix
        self.is_text = is_text
        self.is_open = is_open

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Value)
            and self.taints == other.taints
            and self.things == other.things
            and self.name == other.name
            and self.code is other.code
            and self.is_open == other.is_open
            and self.prefix == other.prefix
            and self.is_text == other.is_text
            and _same(self.constants, other.constants)
        )

    __hash__ = None  # type: ignore[assignment]  # compared, never a key

    def with_(
        self,
        *,
        taints: Taints | None = None,
        is_open: bool | None = None,
        is_text: bool | None = None,
        prefix: str | None = None,
        name: str | None = None,
    ) -> "Value":
        """A copy that differs in what is given."""
        return Value(
            constants=self.constants,
            taints=self.taints if taints is None else taints,
            things=self.things,
            name=self.name if name is None else name,
            code=self.code,
            prefix=self.prefix if prefix is None else prefix,
            is_text=self.is_text if is_text is None else is_text,
            is_open=self.is_open if is_open is None else is_open,
        )

    def cleaned(self, categories: Iterable[str]) -> "Value":
        """The same value, made harmless for those categories."""
        if not self.taints:
            return self
        more = frozenset(categories)
        return self.with_(taints=frozenset(each.made(cleaned=each.cleaned | more) for each in self.taints))

    def weakened(self) -> "Value":
        """The same value, from sources an attacker hardly controls."""
        return self.with_(taints=frozenset(each.made(weak=True) for each in self.taints))

    def stepped(self, line: int, text: str) -> "Value":
        """The same value, with a place it went through."""
        if not self.taints:
            return self
        step = Step(line, text)
        return self.with_(taints=frozenset(each.made(step=step) for each in self.taints))


def _same(one: tuple[Constant, ...] | None, other: tuple[Constant, ...] | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other and [type(each) for each in one] == [type(each) for each in other]


UNKNOWN: Final = Value(is_open=True)
HARMLESS: Final = Value()
"""Some value that cannot carry an attack: a number, a digest, a date."""
EITHER: Final = Value(constants=(True, False))
NONE: Final = Value(constants=(None,))


def constant(value: Constant) -> Value:
    """The value of a literal.

    >>> constant("a").prefix
    'a'
    """
    text = isinstance(value, str)
    return Value(constants=(value,), prefix=value if isinstance(value, str) else "", is_text=text)


def _common_start(one: str, other: str) -> str:
    length = min(len(one), len(other))
    for place in range(length):
        if one[place] != other[place]:
            return one[:place]
    return one[:length]


def constants(values: Iterable[Constant]) -> Value:
    """One of several constants; harmless but not known when there are too many.

    >>> constants([1, True, 1]).constants
    (1, True)
    """
    distinct = tuple({(type(each), each): each for each in values}.values())
    if not distinct or len(distinct) > MAX_CONSTANTS:
        return HARMLESS
    texts = [each for each in distinct if isinstance(each, str)]
    whole = len(texts) == len(distinct)
    return Value(constants=distinct, prefix=reduce(_common_start, texts) if whole else "", is_text=whole)


def join(one: Value, other: Value) -> Value:
    """What is either.

    >>> join(constant("a"), constant("b")).constants
    ('a', 'b')
    """
    if one is other or one == other:
        return one
    if one.constants is not None and other.constants is not None:
        both = constants((*one.constants, *other.constants))
        known, prefix, text = both.constants, both.prefix, both.is_text
    else:
        known = None
        # None is what a variable holds before it is given its text: it takes nothing away from what is known.
        if _is_none(one) or _is_none(other):
            prefix, text = one.prefix or other.prefix, one.is_text or other.is_text
        else:
            prefix = _common_start(one.prefix, other.prefix)
            text = one.is_text or other.is_text
    return Value(
        constants=known,
        taints=united(one.taints, other.taints),
        things=one.things | other.things,
        name=one.name if one.name == other.name or not other.name else ("" if one.name else other.name),
        code=one.code if one.code is other.code or other.code is None else (None if one.code else other.code),
        prefix=prefix,
        is_text=text,
        is_open=one.is_open or other.is_open,
    )


def _is_none(value: Value) -> bool:
    return value.constants == (None,)


def joined(values: Iterable[Value]) -> Value:
    """What is any of them; harmless when there are none."""
    result: Value | None = None
    for each in values:
        result = each if result is None else join(result, each)
    return HARMLESS if result is None else result


def united(one: Taints, other: Taints) -> Taints:
    """Both sets, at most `MAX_TAINTS` of them: the least cleaned, then the first in the file, are kept."""
    if not other or one is other:
        return one
    if not one:
        return other
    both = one | other
    if len(both) <= MAX_TAINTS:
        return both
    return frozenset(sorted(both, key=lambda each: (len(each.cleaned), each.line, each.what, each.hops))[:MAX_TAINTS])


def blurred_value(value: Value) -> Value:
    """The same value, without its constants: one of so many that they are not listed."""
    if value.constants is None and not value.prefix:
        return value
    return Value(
        taints=value.taints,
        things=value.things,
        name=value.name,
        code=value.code,
        is_text=value.is_text,
        is_open=value.is_open,
    )


def mixed(values: Iterable[Value], *, is_text: bool = False, prefix: str = "", hop: bool = False) -> Value:
    """Something made of all of them in a way that keeps their data: text built of parts, the result of a call.

    With `hop` the way is not understood, which makes what is said of it less certain.
    """
    taints: Taints = NO_TAINTS
    is_open = hop
    for each in values:
        taints = united(taints, each.taints)
        is_open = is_open or each.is_open
    if hop and taints:
        taints = frozenset(each.made(hops=each.hops + 1) for each in taints)
    return Value(taints=taints, is_open=is_open, is_text=is_text, prefix=prefix)
