"""Globs over paths: the same answer here and in SQL."""

import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.path_glob import regex_of

CASES = [
    ("tests/**", "tests/a/b.py", True),
    ("tests/**", "src/tests/a.py", False),
    ("**/tests/**", "src/tests/a.py", True),
    ("**/tests/**", "tests/a.py", True),
    ("*.py", "src/app.py", True),
    ("*.py", "src/app.pyc", False),
    ("src/*.py", "src/app.py", True),
    ("src/*.py", "src/deep/app.py", False),
    ("src/", "src/deep/app.py", True),
    ("/setup.py", "setup.py", True),
    ("./setup.py", "setup.py", True),
    ("src/a?.py", "src/ab.py", True),
    ("a[b](c)+$.py", "a[b](c)+$.py", True),
    ("a.py", "aXpy", False),
    ("", "a.py", False),
]


@pytest.mark.parametrize(("glob", "path", "fits"), CASES)
def test_a_glob_fits_a_whole_path(glob: str, path: str, fits: bool):
    assert bool(re.fullmatch(regex_of(glob), path)) is fits


@given(st.text(alphabet="ab/*?.[]{}()+^$|\\-~# é", max_size=12), st.text(alphabet="ab/.[]é -", max_size=10))
def test_sql_reads_every_glob_as_we_do(glob: str, path: str):
    pattern = regex_of(glob)

    found = duckdb.execute("select regexp_full_match($p, $r)", {"p": path, "r": pattern}).fetchall()[0][0]

    assert found is bool(re.fullmatch(pattern, path))
