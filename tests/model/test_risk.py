"""The score of a change: what counts, how it grows, what it names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.change import Change, FileChange, FileStatus
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.risk import ChangeShape, change_risk, shape_of

SHAPES = st.builds(
    ChangeShape,
    lines_added=st.integers(0, 10**6),
    lines_deleted=st.integers(0, 10**6),
    files=st.integers(0, 10**4),
    folders=st.integers(0, 10**3),
    entropy=st.floats(0, 12),
)
AREAS = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), st.integers(1, 9))
RISES = st.lists(st.floats(-50, 50), max_size=5)


def change(*files):
    names = {"base_name": "main", "head_name": "f", "title": "t", "authors": (), "commits": 1}
    return Change(repository="/r", base="b", head="h", merge_base="b", files=files, **names)


def file(path, added=0, deleted=0, **fields):
    return FileChange(path=path, old_path=path, status=FileStatus.MODIFIED, added=added, deleted=deleted, **fields)


@given(SHAPES, AREAS, RISES)
def test_the_score_stays_between_0_and_100_and_names_its_largest_terms(shape, areas, rises):
    risk = change_risk(shape, risky=areas, complexity_rise=rises)

    weights = [each.weight for each in risk.contributions]
    assert 0 <= risk.score <= 100
    assert weights == sorted(weights, reverse=True)
    assert len(weights) <= 3
    assert sum(weights) <= risk.score + 0.5


@given(SHAPES, st.sampled_from(["lines_added", "lines_deleted", "files", "folders"]), st.integers(1, 1000))
def test_more_of_anything_never_lowers_the_score(shape, field, more):
    fields = {name: getattr(shape, name) for name in shape.__struct_fields__}
    larger = ChangeShape(**{**fields, field: fields[field] + more})

    scores = [change_risk(each, risky={}, complexity_rise=()).score for each in (shape, larger)]

    assert scores == sorted(scores)


def test_a_one_line_fix_is_low_and_a_thousand_lines_in_thirty_files_high():
    small = change_risk(ChangeShape(lines_added=1, files=1, folders=1), risky={}, complexity_rise=())
    large = change_risk(
        ChangeShape(lines_added=1000, lines_deleted=400, files=30, folders=9, entropy=4.2),
        risky={"database migration": 1},
        complexity_rise=(12.0,),
    )

    assert (small.level, large.level) == ("low", "high")
    assert large.contributions[0].text == "1,000 lines added"


def test_what_nobody_reads_does_not_count():
    shape = shape_of(
        change(
            file("src/a.py", 10, 2),
            file("uv.lock", 5000),
            file("web/app.min.js", 900),
            file("logo.png", binary=True),
            file("lib", submodule=True),
        )
    )

    assert shape == ChangeShape(lines_added=10, lines_deleted=2, files=1, folders=1, entropy=0.0)


def test_entropy_is_in_bits():
    assert shape_of(change(*(file(f"src/{n}.py", 5) for n in range(8)))).entropy == 3.0


def test_an_empty_change_has_no_risk():
    assert change_risk(shape_of(change()), risky={}, complexity_rise=()).contributions == ()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/app.py", PathKind.SOURCE),
        ("src/test_app.py", PathKind.TEST),
        ("src/app.spec.ts", PathKind.TEST),
        ("src/AppTest.java", PathKind.TEST),
        ("tests/data/x.json", PathKind.TEST),
        ("contest.py", PathKind.SOURCE),
        ("docs/conf.py", PathKind.SOURCE),
        ("docs/logo.svg", PathKind.DOCS),
        ("README.md", PathKind.DOCS),
        ("vendor/lib/a.go", PathKind.GENERATED),
        ("api/v1_pb2.py", PathKind.GENERATED),
        ("node_modules/x/package-lock.json", PathKind.LOCK),
        ("LICENSE", PathKind.OTHER),
    ],
)
def test_a_path_says_what_a_file_is_for(path, kind):
    assert kind_of(path) is kind
