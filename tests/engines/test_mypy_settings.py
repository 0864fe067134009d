"""What is taken from a repository's settings for mypy, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.engines._mypy_settings import FILES, MAX_BYTES, TypingSettings, typing_settings


def test_the_first_file_that_speaks_of_mypy_counts():
    files = {
        "mypy.ini": b"[other]\n",
        "pyproject.toml": b"[tool.mypy]\npython_version = '3.12'\ndisable_error_code = ['misc', 'Bad Code']\n",
        "setup.cfg": b"[mypy]\npython_version = 3.10\n",
    }

    found = typing_settings(files.get)

    assert (found.file, found.python_version, found.disabled) == ("pyproject.toml", "3.12", ("misc",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[mypy]\nexclude = ^a/|b\\.py$\n", TypingSettings(file="mypy.ini", exclude=("^a/|b\\.py$",))),
        ("[mypy]\ncheck_untyped_defs = True\n", TypingSettings(file="mypy.ini", switches=("--check-untyped-defs",))),
        ("[mypy]\nstrict_optional = no\n", TypingSettings(file="mypy.ini", switches=("--no-strict-optional",))),
        ("[mypy]\npython_version = 3.12 --x\n", TypingSettings(file="mypy.ini")),
        ("[mypy]\nplugins = evil\nmypy_path = /\ncustom_typeshed_dir = x\n", TypingSettings(file="mypy.ini")),
        ("[mypy]\nstrict_optional = --plugins\n", TypingSettings(file="mypy.ini")),
        ("[mypy-x]\nignore_errors = True\n", TypingSettings()),
        ("[mypy]\n[mypy-x,y.*]\nignore_errors = True\n", TypingSettings(file="mypy.ini", ignored=("x", "y.*"))),
        ("[mypy]\nignore_errors = True\n[mypy-*]\nignore_errors = True\n", TypingSettings(file="mypy.ini")),
        ("[mypy]\n[mypy-x]\nignore_errors = False\n[mypy-y]\n", TypingSettings(file="mypy.ini")),
        ("[mypy]\n[mypy-a*a*a*a*a]\nignore_errors = True\n", TypingSettings(file="mypy.ini")),
        ("[mypy]\nfiles = ./src/, a.py\n", TypingSettings(file="mypy.ini", files=("src", "a.py"))),
        ("[mypy]\nfiles = src, **/*.py\n", TypingSettings(file="mypy.ini")),
        ("[mypy]\nfiles = ../other\n", TypingSettings(file="mypy.ini")),
        ("mypy\n", TypingSettings()),
    ],
)
def test_only_known_keys_are_taken(text, expected):
    assert typing_settings({"mypy.ini": text.encode()}.get) == expected


def test_lists_of_toml_are_read_and_capped():
    text = f"[tool.mypy]\nexclude = {['x' * 2000, 'a/', *['b'] * 200]}\ncheck_untyped_defs = true\n"

    found = typing_settings({"pyproject.toml": text.encode()}.get)

    assert (found.exclude[0], len(found.exclude)) == ("a/", 99)
    assert found.switches == ("--check-untyped-defs",)


def test_overrides_of_toml_are_read():
    text = "[tool.mypy]\nfiles = ['src']\n[[tool.mypy.overrides]]\nmodule = ['a.*', 'b']\nignore_errors = true\n"

    found = typing_settings({"pyproject.toml": text.encode()}.get)

    assert (found.files, found.ignored) == (("src",), ("a.*", "b"))


@pytest.mark.parametrize(
    ("modules", "path", "means"),
    [
        ("a.*", "a/__init__.py", False),
        ("a.*", "src/a/b/c.py", False),
        ("a.*", "ab/c.py", True),
        ("a", "a/b.py", True),
        ("*.migrations.*", "app/migrations/one.py", False),
        ("*_pb2", "x/y_pb2.pyi", False),
    ],
)
def test_modules_are_found_by_their_names(modules, path, means):
    assert TypingSettings(ignored=(modules,)).means(path) is means


def test_a_file_that_is_too_large_is_not_read():
    assert typing_settings({"mypy.ini": b"[mypy]\n" + b"#" * MAX_BYTES}.get) == TypingSettings()


@given(st.sampled_from(FILES), st.binary(max_size=200) | st.just(b"a=" + b"[" * 5000) | st.just(b"[tool]\nmypy=1\n"))
def test_whatever_a_file_holds_it_is_only_data(name, content):
    found = typing_settings({name: content}.get)

    assert found.file in ("", name)
