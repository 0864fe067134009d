"""The older spelling of newer f-strings: what it keeps, what it gives up on, and that lines never move."""

import ast
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import elohim_kernel
from elohim_kernel.engines._bandit_source import older_spelling

older_python = pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python parses such f-strings itself")


def names(source):
    """Names, attributes and calls in the order of their lines: what a checker looks at."""
    tree = ast.walk(ast.parse(source))
    return sorted((each.lineno, each.id) for each in tree if isinstance(each, ast.Name))


@older_python
@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ('f"{a["b"]}"', 'f"""{a["b"]}"""'),
        ("f'{a['b']}'", 'f"""{a[\'b\']}"""'),
        ('F"{a["b"]}""c"', 'F"""{a["b"]}""""c"'),
        ('f"{"\\n".join(a)}"', 'f"""{" ".join(a)}"""'),
        ('f"{"\\x41\\u00e9\\"".join(a)}"', 'f"""{"Aé ".join(a)}"""'),
        ('f"{re.sub(r"\\d", "", a)}"', 'f"""{re.sub(r" d", "", a)}"""'),
        ('f"{b"\\x00"}"', 'f"""{b" "}"""'),
        ('f"{f"{f"{a}"}"}"', 'f"""{f\'\'\'{f"{a}"}\'\'\'}"""'),
        ('f"{\n  a  # why "this" is here\n}"', 'f"""{\n  a  \n}"""'),
        ('f"{a\\\n["b"]}"', 'f"""{a\n["b"]}"""'),
        ('f"{a["k"]:>{w["n"]}}"', 'f"""{a["k"]:>{w["n"]}}"""'),
        ('f"{a["k"]!r:^10} \\" \'"', 'f"""{a["k"]!r:^10} \\" \'"""'),
        ('f"{a["k"] != b} {a["k"] = }"', 'f"""{a["k"] != b} {a["k"] = }"""'),
        ('f"{{}}{a["k"]}}}"', 'f"""{{}}{a["k"]}}}"""'),
        ('f"{(lambda q: q["a"])(b)} {a[1:2]["x"]}"', 'f"""{(lambda q: q["a"])(b)} {a[1:2]["x"]}"""'),
        ('rf"\\d{a["k"]}\\w"', 'rf"""\\d{a["k"]}\\w"""'),
        ('f"\\N{EM DASH}{a["k"]}"', 'f"""\\N{EM DASH}{a["k"]}"""'),
        ('f"{t:%H:%M}{a["k"]}"', 'f"""{t:%H:%M}{a["k"]}"""'),
        ('f"""{a["k"]} {"""t"""}"""', 'f"""{a["k"]} {\'t\'}"""'),
        ("f'''{'''a\nb'''}'''", "f\"\"\"{'''a\nb'''}\"\"\""),
        ('f"{a if b == "c" else {"d": 1}["d"]}"', 'f"""{a if b == "c" else {"d": 1}["d"]}"""'),
        ("f'{a['k']} \"'", 'f"""{a[\'k\']} \\""""'),
        ('t"{a}"', 'f"""{a}"""'),
        ('"" if a else"b" + f"{a["b"]}"', '"" if a else"b" + f"""{a["b"]}"""'),
        ('f"{a["b"]}"  # it"s\nb = \'a"b\'', 'f"""{a["b"]}"""  # it"s\nb = \'a"b\''),
    ],
)
def test_a_newer_string_is_spelled_the_older_way(newer, older):
    assert older_spelling(f"x = {newer}\n") == f"x = {older}\n"


@older_python
@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("type Pair[T] = tuple[T, T]\n", "Pair = tuple[T, T]\n"),
        ("def f[T: (int, str), *U](a: T) -> T:\n    return a\n", "def f(a: T) -> T:\n    return a\n"),
        ("class A[T: dict[str, int]](B[T]):\n    type X = int\n", "class A(B[T]):\n    X = int\n"),
        ("async def f[T](a):\n    type = a\n    type[0]\n", "async def f(a):\n    type = a\n    type[0]\n"),
    ],
)
def test_type_parameters_are_left_out(newer, older):
    assert older_spelling(newer) == older


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python parses it itself")
def test_a_bare_list_of_exceptions_gets_its_brackets():
    newer = "try:\n    pass\nexcept KeyError, a.Error:\n    pass\n"

    assert older_spelling(newer) == newer.replace("KeyError, a.Error", "(KeyError, a.Error)")


@older_python
def test_strings_that_parse_are_left_alone_beside_one_that_does_not():
    source = "a = f'{b!r}' # f\"{\nc = f\"{d[\"e\"]}\"\ng = rb'\\'' + '''\n'\"f\"{'''\n"

    assert older_spelling(source) == source.replace('f"{d["e"]}"', 'f"""{d["e"]}"""')


@pytest.mark.parametrize(
    "source",
    [
        "def f(:\n",
        'x = f"{a["b"]"\n',
        'x = f"{a["b"]}\n',
        'x = f"{a["b")}"\n',
        'x = f"{a["b"]}}"\n',
        'x = f"{a["b"]!}"\n',
        'x = f"{a["b"]!r\n',
        'x = f"{',
        'x = "',
        "x = f'''{",
        'x = f"{a["b"]}" +\n',
        'x = f"\\N{a["b"]}"\n',
        'x = f"' + '{f"' * 40 + '"}' * 40 + '"\n',
        "x = " + "f'{" * 5000,
        "\0",
    ],
)
def test_what_cannot_be_read_is_given_up(source):
    assert older_spelling(source) is None


def test_a_source_that_parses_is_never_changed():
    for path in sorted(Path(elohim_kernel.__path__[0]).rglob("*.py"))[::4]:
        source = path.read_text()

        assert older_spelling(source) == source


def test_line_ends_of_windows_count_once():
    assert older_spelling("x = 1\r\ny = 2\r\n") == "x = 1\r\ny = 2\r\n"


def literal(prefix, quote, *parts):
    return f"{prefix}{quote}{''.join(parts)}{quote}"


TEXT = st.sampled_from(["", " ", "select ", "{{", "}}", "\\n", "\\\\", "%s", "#", "é", "'"])
SPACE = st.sampled_from(["", " ", "\n", ' # a "note"\n', "\\\n"])
NAMES = st.sampled_from(["alpha", "beta", "gamma.delta", 'row["id"]', "row['id']", '", ".join(rows)', 'eval("1\\n")'])


def fields(inner):
    spec = st.sampled_from(["", ":>10", "!r", "!r:^4", ":{width}", "="])
    return st.builds(lambda before, code, after, end: f"{{{before}{code}{after}{end}}}", SPACE, inner, SPACE, spec)


def formatted(inner):
    body = st.lists(st.one_of(TEXT, fields(inner)), min_size=1, max_size=4).map("".join)
    return body.map(lambda text: literal("f", '"', text))


@older_python
@given(formatted(NAMES | formatted(NAMES)), st.integers(0, 3))
def test_lines_and_names_stay_where_they_are(string, before):
    source = "\n" * before + f"query = ({string})\nlast = eval(query)\n"

    spelled = older_spelling(source)

    assert spelled is not None
    assert spelled.count("\n") == source.count("\n")
    told = [name for _, name in names(spelled)]
    assert told.count("alpha") == source.count("alpha")
    assert told.count("row") == source.count("row[")
    assert (source.count("\n"), "eval") in names(spelled)


@given(st.text(alphabet="f\"'{}!:=\\# \nab()[]rtN", max_size=40))
def test_any_text_is_spelled_with_as_many_lines_or_given_up(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spelled = older_spelling(text)

    if spelled is not None:
        ast.parse(spelled)
        assert spelled.count("\n") == text.count("\n")
