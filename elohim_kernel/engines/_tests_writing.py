"""The text of a file of tests: parametrised by shape of call, with names that say the input, importable as it stands.

The ids of its tests are known from writing it, so that a run can be held against them.
"""

import ast
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from elohim_kernel.engines._tests_inputs import call_of
from elohim_kernel.engines._tests_shapes import Argument, Case, Flavour, Inputs, Kind, Outcome, Target
from elohim_kernel.engines._tests_wording import identifier_for, words_for

_TAKEN: Final = frozenset({"request", "expected", "message", "pytest", "re", "monkeypatch", "tmp_path", "capsys"})


class Pinned(NamedTuple):
    """A call that becomes a test, with what it must give."""

    target: Target
    case: Case
    outcome: Outcome


class Property(NamedTuple):
    """A law that holds for several values: `body` uses `value`."""

    target: Target
    name: str  # of the test
    values: tuple[Argument, ...]
    body: tuple[str, ...]
    imports: tuple[str, ...]
    told: str
    kills: frozenset[str] = frozenset()  # mutants that existing tests leave alive


class Page(NamedTuple):
    """A file as text, and which test is which call; ids as pytest gives them, without the file."""

    text: str
    cases: Mapping[str, str]  # id of the test to id of the case, or to the property's name


class _Test(NamedTuple):
    lines: tuple[str, ...]
    ids: Mapping[str, str]
    imports: tuple[str, ...]


def page_of(pinned: Sequence[Pinned], properties: Sequence[Property] = (), *, heading: str) -> Page:
    """The file for these tests, in the order of their functions."""
    tests: list[_Test] = []
    names: Counter[str] = Counter()
    by_target: dict[str, list[Pinned]] = defaultdict(list)
    for each in pinned:
        by_target[each.target.key].append(each)
    for group in by_target.values():
        tests.extend(_tests_of(group, names))
    tests.extend(_property(each, names) for each in properties)
    body = "\n\n\n".join("\n".join(test.lines) for test in tests)
    imports = _imports((line for test in tests for line in test.imports), body)
    ids = {name: case for test in tests for name, case in test.ids.items()}
    return Page(f'"""{heading}"""\n\n{imports}\n\n\n{body}\n', ids)


def clashes(lines: Iterable[str]) -> str:
    """A name that these import lines would bind to two things, or that pytest would take for a test; "" for none."""
    bound: dict[str, str] = {}
    for line in lines:
        name = line.rpartition(" ")[2]
        if bound.setdefault(name, line) != line:
            return f"two things are called {name}"
        if line.startswith("from") and re.match(r"test|Test", name):
            return f"{name} would be collected as a test"
    return ""


def _imports(lines: Iterable[str], body: str) -> str:
    wanted = dict.fromkeys(lines)
    if "pytest." in body:
        wanted["import pytest"] = None
    plain = sorted(line for line in wanted if line.startswith("import ") and line != "import pytest")
    named: dict[str, list[str]] = defaultdict(list)
    for line in wanted:
        if found := re.fullmatch(r"from (\S+) import (\w+)", line):
            named[found[1]].append(found[2])
    library = [module for module in named if module.partition(".")[0] in _LIBRARY]
    first = [*plain, *(f"from {module} import {', '.join(sorted(named[module]))}" for module in sorted(library))]
    own = [f"from {each} import {', '.join(sorted(named[each]))}" for each in sorted(set(named) - set(library))]
    blocks = ["\n".join(first), "import pytest" if "import pytest" in wanted else "", "\n".join(own)]
    return "\n\n".join(block for block in blocks if block)


_LIBRARY: Final = frozenset({
    "collections", "datetime", "decimal", "enum", "fractions", "json", "pathlib", "re", "types", "uuid",
})  # fmt: skip


def _tests_of(group: Sequence[Pinned], names: Counter[str]) -> list[_Test]:
    shapes: dict[object, list[Pinned]] = defaultdict(list)
    for each in group:
        shapes[_shape(each)].append(each)
    tests = []
    for same in shapes.values():
        if len(same) > 1 and _columns(same[0]):
            tests.append(_table(same, names))
        else:
            tests.extend(_single(each, names) for each in same)
    return tests


def _shape(each: Pinned) -> object:
    inputs, outcome = each.case.inputs, each.outcome
    made = tuple(argument.text for argument in inputs.constructor)
    made_named = tuple((name, argument.text) for name, argument in inputs.constructor_named)
    end = (outcome.text, bool(outcome.message)) if outcome.kind is Kind.RAISES else ()
    return (outcome.kind, end, made, made_named, len(inputs.positional), tuple(name for name, _ in inputs.named))


def _single(each: Pinned, names: Counter[str]) -> _Test:
    outcome, target = each.outcome, each.target
    said = identifier_for(words_for(_shown(each.case.inputs)))
    if outcome.kind is Kind.RAISES:
        name = _fresh(f"test_{_subject(target)}_raises_{_snake(outcome.text)}_for_{said}", names)
        body = _raising(outcome, each.case.call, repr(outcome.message))
    else:
        name = _fresh(f"test_{_subject(target)}_{said}", names)
        body = [f"    assert {_claim(outcome, each.case.call)}"]
    imports = (*each.case.imports, *outcome.imports)
    return _Test((f"def {name}():", *body), {name: each.case.id}, imports)


def _table(same: Sequence[Pinned], names: Counter[str]) -> _Test:
    first = same[0]
    columns = _columns(first)
    call = call_of(first.target, _placeholders(first.case.inputs, columns))
    raises = first.outcome.kind is Kind.RAISES
    last = ["message"] if raises and first.outcome.message else [] if raises else ["expected"]
    ending = f"_raises_{_snake(first.outcome.text)}" if raises else ""
    name = _fresh(f"test_{_subject(first.target)}{ending}", names)
    rows, ids, seen = [], {}, Counter[str]()
    for each in same:
        values = [argument.text for argument in _shown(each.case.inputs)]
        if last:
            values.append(repr(each.outcome.message) if raises else _expected(each.outcome))
        label = words_for(_shown(each.case.inputs))
        seen[label] += 1
        label = label if seen[label] == 1 else f"{label} {seen[label]}"
        while f"{name}[{label}]" in ids:
            label += "x"
        ids[f"{name}[{label}]"] = each.case.id
        rows.append(f"        pytest.param({', '.join(values)}, id={label!r}),")
    heading = [*columns, *last]
    listed = ", ".join(f'"{column}"' for column in heading)
    names_of = f"({listed})" if len(heading) > 1 else listed
    if raises:
        body = _raising(first.outcome, call, "message")
    else:
        itself = f"repr({call})" if first.outcome.kind is Kind.REPR else call
        body = [f"    assert {itself} == expected"]
    table = ("@pytest.mark.parametrize(", f"    {names_of},", "    [", *rows, "    ],", ")")
    lines = (*table, f"def {name}({', '.join(heading)}):", *body)
    return _Test(lines, ids, tuple(line for each in same for line in (*each.case.imports, *each.outcome.imports)))


def _property(each: Property, names: Counter[str]) -> _Test:
    name = _fresh(each.name, names)
    rows, ids = [], {}
    for number, value in enumerate(each.values, start=1):
        label = f"{words_for([value])} {number}"
        ids[f"{name}[{label}]"] = each.name
        rows.append(f"        pytest.param({value.text}, id={label!r}),")
    lines = (
        "@pytest.mark.parametrize(",
        '    "value",',
        "    [",
        *rows,
        "    ],",
        ")",
        f"def {name}(value):",
        *each.body,
    )
    return _Test(lines, ids, (*each.imports, *(line for value in each.values for line in value.imports)))


def _expected(outcome: Outcome) -> str:
    if outcome.kind is Kind.REPR:
        return repr(outcome.text)
    return f"pytest.approx({outcome.text}, nan_ok=True)" if outcome.approximate else outcome.text


def _claim(outcome: Outcome, call: str) -> str:
    if outcome.kind is Kind.REPR:
        return f"repr({call}) == {outcome.text!r}"
    if outcome.text in ("None", "True", "False"):
        return f"{call} is {outcome.text}"
    return f"{call} == {_expected(outcome)}"


def _raising(outcome: Outcome, call: str, message: str) -> list[str]:
    if not outcome.message:
        return [f"    with pytest.raises({outcome.text}):", f"        {call}"]
    caught = [f"    with pytest.raises({outcome.text}) as caught:", f"        {call}"]
    return [*caught, f"    assert str(caught.value) == {message}"]


def _columns(each: Pinned) -> list[str]:
    """A name for each argument of the call, none twice and none that means something else to pytest or the call."""
    target, inputs = each.target, each.case.inputs
    plain = [one for one in target.parameters if not one.keyword_only]
    wanted = [plain[min(number, len(plain) - 1)].name if plain else "value" for number in range(len(inputs.positional))]
    wanted += [name for name, _ in inputs.named]
    imported = {line.rpartition(" ")[2] for line in (*each.case.imports, *each.outcome.imports)}
    columns: list[str] = []
    for name in wanted:
        while name in _TAKEN or name in imported or name in columns or keyword.iskeyword(name):
            name = f"{name}_{len(columns) + 1}" if name in columns else f"{name}_"
        columns.append(name.lstrip("_") or "value")
    return columns


def _placeholders(inputs: Inputs, columns: Sequence[str]) -> Inputs:
    count = len(inputs.positional)
    return Inputs(
        positional=tuple(Argument(text=name) for name in columns[:count]),
        named=tuple(
            (name, Argument(text=column)) for (name, _), column in zip(inputs.named, columns[count:], strict=True)
        ),
        constructor=inputs.constructor,
        constructor_named=inputs.constructor_named,
    )


def _shown(inputs: Inputs) -> list[Argument]:
    own = [*inputs.positional, *(argument for _, argument in inputs.named)]
    return own or [*inputs.constructor, *(argument for _, argument in inputs.constructor_named)]


def _subject(target: Target) -> str:
    owner = f"{_snake(target.owner)}_" if target.flavour is not Flavour.FUNCTION else ""
    return owner + _snake(target.name)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("_")).lower() or "it"


def _fresh(name: str, names: Counter[str]) -> str:
    name = name[:90].rstrip("_")
    names[name] += 1
    return name if names[name] == 1 else f"{name}_{names[name]}"


def is_python(text: str) -> bool:
    """Whether it can be parsed."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


Formatter = Callable[[str], str]
