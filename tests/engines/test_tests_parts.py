"""The parts of test enrichment that start no process: targets, shown calls, mutants, values, choice, pages."""

import ast
import datetime
import decimal
import random
from collections import Counter, OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.engines._tests_choosing import choose
from elohim_kernel.engines._tests_examples import shown_in
from elohim_kernel.engines._tests_inputs import Unbuildable, cases_of, draw, more
from elohim_kernel.engines._tests_mutants import MOST, function_named, mutants_of
from elohim_kernel.engines._tests_shapes import Argument, Case, Inputs, Kind, Outcome, Place, Target
from elohim_kernel.engines._tests_targets import changed_targets, every_target, named_in, place_of
from elohim_kernel.engines._tests_values import represented, written
from elohim_kernel.engines._tests_variants import Pool, variant
from elohim_kernel.engines._tests_wording import words_for
from elohim_kernel.engines._tests_writing import Pinned, clashes, is_python, page_of
from elohim_kernel.model.change import FileChange, FileStatus, LineRange

PLACE = Place(path="app.py", root="", module="app")


def found(before: str | None, after: str, *lines: int):
    spans = tuple(LineRange(first=line, last=line) for line in lines)
    file = FileChange(path="app.py", old_path="app.py", status=FileStatus.MODIFIED, new_lines=spans)
    return changed_targets(PLACE, file, after.encode(), before.encode() if before is not None else None)


def target_in(text: str, name: str) -> Target:
    (target,) = every_target(PLACE, text.encode(), [name]).targets
    return target


def drawn(text: str, name: str, **shown: str):
    tree, target = ast.parse(text), target_in(text, name)
    located = function_named(tree, target.qualname, target.first)
    assert located is not None
    return target, draw(target, located[1], tree, shown_in(shown, {name, target.owner} - {""}))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("src/app/text.py", ("src", "app.text")),
        ("app/__init__.py", ("", "app")),
        ("tool.py", ("", "tool")),
        ("scripts/one-off.py", None),
        ("setup.py", None),
        ("app/sub/deep.py", ("app/sub", "deep")),
    ],
)
def test_a_module_is_found_where_python_would_find_it(path: str, place: tuple[str, str] | None):
    told = place_of(path, {"src/app/__init__.py", "app/__init__.py", path})

    assert (told and (told.root, told.module)) == place


def test_only_functions_whose_code_differs_are_targets():
    before = "def a():\n    return 1\n\n\ndef b():\n    return 1\n"
    after = 'def a():\n    """New."""\n    return 1\n\n\ndef b():\n    return 2\n\n\ndef c():\n    return 3\n'

    told = found(before, after, 2, 7, 10, 11)

    assert [(each.qualname, each.lines, each.is_new) for each in told.targets] == [
        ("b", (7,), False),
        ("c", (11,), True),
    ]


def test_a_function_that_only_lost_lines_has_all_its_lines_changed():
    told = found("def a(n):\n    n += 1\n    return n\n", "def a(n):\n    return n\n")

    assert told.targets[0].lines == (2,)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("class A:\n    def __init__(self):\n        self.x = 1\n", "a special method"),
        ("class A:\n    def __hidden(self):\n        return 1\n", "is private to its class"),
        ("@contextmanager\ndef a():\n    yield 1\n", "a context manager"),
        ("@app.route('/')\ndef a():\n    return 1\n", "is called by a framework"),
        ("async def a():\n    yield 1\n", "an asynchronous generator"),
        ("def a(:\n", "cannot be parsed here"),
    ],
)
def test_what_is_no_target_says_why(code: str, reason: str):
    (told,) = found(None, code).rejected

    assert reason in told.reason


def test_a_description_names_functions_by_traceback_backticks_and_calls():
    text = 'Traceback:\n  File "app.py", line 3, in parse\nValueError\n\nSince `text.clean` calls split(x) it breaks'

    assert named_in(text) == ("parse", "text.clean", "split")


def test_calls_are_read_from_tables_loops_constants_and_doctests():
    test = (
        "import datetime as dt\nimport pytest\nROWS = [('a', 1), ('b', 2)]\n"
        "@pytest.mark.parametrize(('text', 'n'), ROWS)\ndef test_a(text, n):\n    assert f(text, n=n)\n"
        "def test_b():\n    for word in ['x', 'y']:\n        f(word)\n    f(dt.date(2020, 1, 2))\n    f(unknown())\n"
    )

    told = shown_in({"test_a.py": test, "README.md": ">>> f(' z ')\n'z'\n"}, {"f"}).of("f")

    calls = [(*(one.text for one in each.positional), *(f"{k}={v.text}" for k, v in each.named)) for each in told]
    assert calls == [("'a'", "n=1"), ("'b'", "n=2"), ("'x'",), ("'y'",), ("datetime.date(2020, 1, 2)",), ("' z '",)]
    assert told[4].positional[0].imports == ("import datetime",)


def test_inputs_hold_what_is_shown_and_both_sides_of_every_boundary():
    text = "def f(n: int, kind: str = 'x'):\n    if n > 41:\n        return kind == 'rare'\n    return n\n"

    target, made = drawn(text, "f", **{"use.py": "f(7, kind='shown')"})
    calls = [case.call for case in cases_of(target, made.inputs)]

    assert calls[0] == "f(7, kind='shown')"
    assert {"f(40)", "f(41)", "f(42)"} <= {call.replace("f(n=", "f(") for call in calls}
    assert any("kind='rare'" in call for call in calls)


def test_a_parameter_that_cannot_be_built_is_named():
    with pytest.raises(Unbuildable, match="inputs for parameter link: Connection cannot be built"):
        drawn("def f(link: Connection):\n    return link.x\n", "f")


def test_instances_are_built_from_their_constructors():
    text = (
        "class Box:\n    def __init__(self, size: int):\n        self.size = size\n\n"
        "    def twice(self):\n        return 2 * self.size\n"
    )

    target, made = drawn(text, "Box.twice")

    assert cases_of(target, made.inputs)[0].call == "Box(1).twice()"


@given(st.integers(0, 2**32))
def test_variants_are_the_same_for_the_same_seed_and_always_values(seed: int):
    inputs = [Inputs(positional=(Argument(text="'a b'"), Argument(text="[1, 2.5]"), Argument(text="{'k': None}")))]
    pool = Pool(["rare", 41, 2.5])

    once, again = (more(inputs, pool, seed=seed, count=20) for _ in range(2))

    assert once == again
    for made in once:
        for argument in made.positional:
            ast.literal_eval(argument.text)


def test_a_number_inside_a_constructor_is_varied_too():
    argument = Argument(text="datetime.timedelta(days=3)", imports=("import datetime",))

    made = {variant(argument, Pool([30]), random.Random(seed)).text for seed in range(20)}

    assert len(made) > 5
    assert all(text.startswith("datetime.timedelta(days=") for text in made)


def test_mutants_lie_on_the_lines_asked_for_and_each_can_be_compiled():
    text = (
        "def f(n, words):\n    total = 0\n    for word in words:\n        if word and n >= 2 or not word:\n"
        "            total += n * 3\n    return [total, 'x']\n"
    )
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)

    every, some = mutants_of(function, range(100)), mutants_of(function, {5})

    assert {made.line for made in some} == {5}
    assert [made.told for made in some] == ["`+` becomes `-`", "`*` becomes `//`", "3 becomes 4", "3 becomes 2"]
    texts = {ast.unparse(made.function) for made in every}
    assert len(texts) == len(every)
    assert ast.unparse(function) not in texts
    for made in every:
        compile(ast.fix_missing_locations(ast.Module(body=[made.function], type_ignores=[])), "f", "exec")


def test_a_docstring_and_text_formatting_make_no_mutants_and_the_number_is_bounded():
    text = "def f(n):\n    '''Says 1.'''\n    return 'a %s' % n\n"
    long = "def f(n):\n" + "".join(f"    n = n + {number}\n" for number in range(200))
    short_one, long_one = (ast.parse(each).body[0] for each in (text, long))
    assert isinstance(short_one, ast.FunctionDef)
    assert isinstance(long_one, ast.FunctionDef)

    assert [made.told for made in mutants_of(short_one, {2, 3})] == ["returns None", "'a %s' becomes 'a %sXX'"]
    assert len(mutants_of(long_one, range(500))) == MOST


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.binary(max_size=8)
    | st.dates() | st.decimals(allow_nan=False) | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.frozensets(st.integers(), max_size=4)
    | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(plain)
def test_what_is_written_down_gives_the_same_value_again(value: object):
    made = written(value)

    if isinstance(made, str):
        assert "longer than" in made or "not equal to itself" in made
        return
    space = {"datetime": datetime, "Decimal": decimal.Decimal}
    assert written(eval(made.text, space)) == made  # noqa: S307


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (Counter("aab"), "Counter({'a': 2, 'b': 1})"),
        (set(), "set()"),
        (float("inf"), "float('inf')"),
        (Kind.VALUE, "Kind.VALUE"),
    ],
)
def test_values_of_the_library_are_written_by_their_constructors(value: object, text: str):
    made = written(value)

    assert not isinstance(made, str)
    assert made.text == text


def test_what_cannot_be_written_says_why_and_an_address_is_no_representation():
    assert written(iter([1])) == "its result is an iterator, which is used up by looking at it"
    assert written(object()) == "a result of type object cannot be written down"
    assert represented(object()) is None
    assert represented(lambda: 1) is None


def case(name: str, call: str = "f(1)") -> Case:
    return Case(id=name, key="app.f", call=call, imports=("from app import f",), inputs=Inputs())


def test_the_fewest_calls_that_keep_everything_are_chosen():
    cases = [case("a"), case("b"), case("c"), case("idle")]
    kills = {"a": {"1"}, "b": {"1", "2"}, "c": {"3"}, "idle": set()}

    chosen = choose(cases, kills=kills, lines={"c": {9}}, killed={"3"}, covered=set())

    assert [(gain.case.id, sorted(gain.kills), sorted(gain.lines)) for gain in chosen] == [
        ("b", ["1", "2"], []),
        ("c", [], [9]),
    ]


@given(st.lists(st.sets(st.integers(0, 12), max_size=6), max_size=12))
def test_a_choice_loses_nothing_and_has_no_member_to_spare(kills: list[set[int]]):
    cases = [case(str(number)) for number in range(len(kills))]
    by_case = {str(number): {str(each) for each in found} for number, found in enumerate(kills)}

    chosen = [gain.case.id for gain in choose(cases, kills=by_case, lines={}, killed=(), covered=(), most=99)]

    everything = set().union(*by_case.values()) if by_case else set()
    assert set().union(*(by_case[name] for name in chosen)) == everything
    for name in chosen:
        rest = set().union(*(by_case[other] for other in chosen if other != name))
        assert rest != everything


def test_a_page_names_its_tests_before_they_run_and_says_the_input():
    target = target_in("def f(text, request=1):\n    return text\n", "f")
    calls = [Inputs(positional=(Argument(text=text),)) for text in ("''", "'a b'", "'é'")]
    pinned = [
        Pinned(target, one, Outcome(case=one.id, kind=Kind.VALUE, text=text))
        for one, text in zip(cases_of(target, calls), ("''", "'a-b'", "'e'"), strict=True)
    ]
    raising = cases_of(target, [Inputs(named=(("request", Argument(text="0")),))], start=9)[0]
    pinned.append(Pinned(target, raising, Outcome(case=raising.id, kind=Kind.RAISES, text="ValueError", message="no")))

    page = page_of(pinned, heading="Tests.")

    assert is_python(page.text)
    assert list(page.cases) == [
        "test_f[empty]", "test_f[a b]", "test_f[unicode]", "test_f_raises_value_error_for_zero",
    ]  # fmt: skip
    assert 'assert str(caught.value) == "no"' in page.text.replace("'", '"')
    assert page.text.startswith('"""Tests."""\n\nimport pytest\n\nfrom app import f\n')


def test_names_that_pytest_would_take_for_tests_or_that_clash_are_told():
    assert clashes(["from app import test_mode"]) == "test_mode would be collected as a test"
    assert clashes(["from app import A", "from other import A"]) == "two things are called A"
    assert clashes(["import datetime", "from app import f"]) == ""


def test_words_for_inputs_are_ascii():
    arguments = [Argument(text=text) for text in ("'日本'", "{'a': 1}", "None")]

    assert words_for(arguments) == "unicode and dict of 1 and none"
