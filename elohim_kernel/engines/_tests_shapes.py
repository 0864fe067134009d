"""The values of test enrichment: a function to test, a call of it, what the call gave, and what is proposed.

They cross into child processes as JSON, so they hold text and numbers only.
"""

from enum import StrEnum
from typing import Final

from elohim_kernel.model.value import Value


class Flavour(StrEnum):
    """How a function is reached."""

    FUNCTION = "function"
    STATIC = "static"  # static and class methods: through the class
    METHOD = "method"  # through an instance
    PROPERTY = "property"


class Parameter(Value, frozen=True):
    """One parameter as it is written. `default` None: it has none."""

    name: str
    annotation: str = ""
    default: str | None = None
    keyword_only: bool = False
    positional_only: bool = False
    many: bool = False  # *name


class Place(Value, frozen=True):
    """Where a module is imported from."""

    path: str  # of its file, in the tree
    root: str  # folder that must be on the path, in the tree; "" the tree itself
    module: str  # dotted


class Target(Value, frozen=True):
    """A function to propose tests for."""

    place: Place
    qualname: str
    first: int  # its lines on head, decorators included, 1-based
    last: int
    lines: tuple[int, ...]  # changed lines that hold code, on head
    flavour: Flavour = Flavour.FUNCTION
    is_new: bool = False  # not there on the base
    generator: bool = False
    coroutine: bool = False
    parameters: tuple[Parameter, ...] = ()
    constructor: tuple[Parameter, ...] = ()  # of its class, for methods and properties

    @property
    def key(self) -> str:
        """What it is called in reports: `pkg.module.Class.method`."""
        return f"{self.place.module}.{self.qualname}"

    @property
    def name(self) -> str:
        """The last part of its name."""
        return self.qualname.rpartition(".")[2]

    @property
    def owner(self) -> str:
        """Its class; "" for a function of the module."""
        return self.qualname.rpartition(".")[0]


class Argument(Value, frozen=True):
    """One value as Python source, with the imports it needs."""

    text: str
    imports: tuple[str, ...] = ()


class Inputs(Value, frozen=True):
    """The arguments of one call, and of the constructor before it."""

    positional: tuple[Argument, ...] = ()
    named: tuple[tuple[str, Argument], ...] = ()
    constructor: tuple[Argument, ...] = ()
    constructor_named: tuple[tuple[str, Argument], ...] = ()
    origin: str = "boundary"  # or example, variant

    @property
    def every(self) -> tuple[Argument, ...]:
        """All arguments."""
        named = (argument for _, argument in (*self.named, *self.constructor_named))
        return (*self.positional, *self.constructor, *named)


class Case(Value, frozen=True):
    """One call of a target: an expression, and the imports it needs beside the target itself."""

    id: str
    key: str  # of its target
    call: str
    imports: tuple[str, ...]
    inputs: Inputs


class Kind(StrEnum):
    """How a call ended, as far as a test can say it."""

    VALUE = "value"  # equal to a literal
    REPR = "repr"  # its representation is stable, its value cannot be written down
    RAISES = "raises"
    UNUSABLE = "unusable"  # see `reason`


class Outcome(Value, frozen=True):
    """What a call gave. `text` is Python source for a value, a representation, or the name of an exception class."""

    case: str
    kind: Kind
    text: str = ""
    imports: tuple[str, ...] = ()
    message: str = ""  # of an exception
    approximate: bool = False  # a floating-point number: compared nearly
    lines: tuple[int, ...] = ()  # lines of the target's file that ran, when they were traced
    reason: str = ""  # why it cannot be used

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two outcomes the same."""
        return (self.kind.value, self.text, self.message if self.kind is Kind.RAISES else "")

    @property
    def told(self) -> str:
        """For people: the value, or the exception with its message."""
        if self.kind is Kind.RAISES:
            return f"raises {self.text.rpartition('.')[2]}({self.message!r})"
        return self.text if self.kind is not Kind.UNUSABLE else self.reason


class Mutant(Value, frozen=True):
    """One small change of a target's code. `number` counts the mutants of its target."""

    key: str
    number: int
    line: int
    told: str  # "`<` becomes `<=`"

    @property
    def id(self) -> str:
        """Unique in one enrichment."""
        return f"{self.key}#{self.number}"


class Rejected(Value, frozen=True):
    """Something that is not proposed, and why."""

    what: str
    reason: str


class Changed(Value, frozen=True):
    """A call that gives one thing on the base and another on the head."""

    function: str
    call: str
    base: str
    head: str


MISSING: Final = "is missing on the base"
