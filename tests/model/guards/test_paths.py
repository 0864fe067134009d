"""Which names a guard reads, and the refusal of names that do not exist."""

import pytest

from elohim_kernel.errors import Invalid
from elohim_kernel.model.guards import check_names, parse

KNOWN = {"tests.failed", "tests.passed", "findings[].severity", "findings[].line", "labels.*", "xs", "age"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("true", ()),
        ("a.b.c == a.b && a.b.c > d", ("a.b.c", "a.b", "d")),
        ("a['b'].c == 1", ("a.b.c",)),
        ("a['b c'] == 1", ("a",)),
        ("a[k.i] == 1 && a[0].b == 2", ("a", "k.i", "a[].b")),
        ("xs.all(x, x > limit)", ("xs", "limit")),
        ("xs.all(x, x.y.z)", ("xs", "xs[].y.z")),
        ("xs.all(x, x.ys.exists(y, y.z == x.w))", ("xs", "xs[].ys", "xs[].ys[].z", "xs[].w")),
        ("xs.filter(x, x.a).all(y, y.b)", ("xs", "xs[].a", "xs[].b")),
        ("xs.map(x, x.a).all(y, y.b)", ("xs", "xs[].a")),
        ("xs.all(xs, xs.a) && xs.b", ("xs", "xs[].a", "xs.b")),
        ("has(a.b) && size(c) > 0", ("a.b", "c")),
        ("(t ? a : b).c", ("t", "a", "b")),
        ("a.b.startsWith(c.d)", ("a.b", "c.d")),
        ("[a, {'k': b}] == c", ("a", "b", "c")),
    ],
)
def test_a_guard_tells_what_it_reads(text, names):
    assert parse(text).names == names


@pytest.mark.parametrize(
    "text",
    [
        "tests.failed == 0 && size(tests) > 0",
        "findings.all(f, f.severity == 'high' && f.line > 0)",
        "findings[0].line == 1",
        "labels.anything == 'x' && has(labels.other)",
        "xs.all(x, x.whatever)",
        "age > duration('1h')",
    ],
)
def test_known_names_are_accepted(text):
    check_names(parse(text), KNOWN)


@pytest.mark.parametrize(
    ("text", "column", "name", "hint"),
    [
        ("tests.faild == 0", 1, "tests.faild", "did you mean tests.failed"),
        ("true || test.failed == 0", 9, "test.failed", "did you mean tests.failed"),
        ("findings.all(f, f.severty == 'x')", 17, "findings[].severty", "did you mean findings[].severity"),
        ("tests.failed.deep == 0", 1, "tests.failed.deep", "did you mean tests.failed"),
        ("age.seconds > 1", 1, "age.seconds", "there are age, findings[].line"),
        ("has(zzz.qqq)", 1, "zzz.qqq", "there are age"),
    ],
)
def test_an_unknown_name_is_refused_at_its_place_with_near_matches(text, column, name, hint):
    with pytest.raises(Invalid) as refused:
        check_names(parse(text), KNOWN)

    assert f"column {column}: nothing here is called {name};" in str(refused.value)
    assert hint in str(refused.value)


def test_a_guard_that_reads_nothing_needs_no_names():
    check_names(parse("1 < 2"), ())
