import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.config import KEYS, Configuration, Settings, load, os_user, user_file
from elohim_kernel.errors import Invalid


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def mine(home: Path) -> Path:
    """The person's own file, in this test's own HOME."""
    user_file().parent.mkdir(parents=True)
    return user_file()


def read(cwd: Path, flags: dict[str, object] | None = None, **environ: str) -> Configuration:
    return load(flags, environ, cwd)


def test_everything_has_a_default_and_says_so(cwd: Path):
    found = read(cwd)

    assert {found.origin(key) for key in KEYS} == {"default"}
    assert found.settings.user == os_user()
    assert found.settings.home.endswith("/elohim")
    assert (found.settings.http_host, found.settings.http_port) == ("127.0.0.1", 8765)


def test_the_nearer_origin_wins(cwd: Path, mine: Path):
    mine.write_text('log_level = "error"\nrun_timeout_s = 1\nthreads = 1\nhttp_port = 1\n')
    (cwd / "pyproject.toml").write_text('[tool.elohim]\nlog_level = "warning"\nrun_timeout_s = 2\n')
    (cwd / "elohim.toml").write_text("run_timeout_s = 3\n")

    found = read(cwd, {"http_port": 4, "user": None}, ELOHIM_THREADS="4", ELOHIM_HTTP_PORT="3")

    settings = found.settings
    assert (settings.log_level, settings.run_timeout_s, settings.threads, settings.http_port) == ("warning", 3.0, 4, 4)
    assert [found.origin(key) for key in ("log_level", "run_timeout_s", "threads", "http_port", "user")] == [
        str(cwd / "pyproject.toml"),
        str(cwd / "elohim.toml"),
        "environment variable ELOHIM_THREADS",
        "flag",
        "default",
    ]


def test_text_becomes_the_settings_type(cwd: Path):
    settings = read(cwd, ELOHIM_STORE_INLINE="true", ELOHIM_OWNER_IDLE_S="2.5").settings

    assert settings.store_inline is True
    assert settings.owner_idle_s == 2.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ELOHIM_THREADS", "many"),
        ("ELOHIM_THREADS", "0"),
        ("ELOHIM_HTTP_PORT", "70000"),
        ("ELOHIM_OWNER_IDLE_S", "-1"),
        ("ELOHIM_LOG_LEVEL", "loud"),
        ("ELOHIM_STORE_INLINE", "perhaps"),
    ],
)
def test_a_bad_value_names_its_origin_and_the_value(cwd: Path, name: str, value: str):
    with pytest.raises(Invalid, match=rf"= '{value}' \(environment variable {name}\) is not acceptable: "):
        read(cwd, **{name: value})


def test_an_unknown_key_names_the_file_and_what_may_be_meant(cwd: Path, mine: Path):
    mine.write_text("thread = 3\n")

    with pytest.raises(Invalid, match=rf"{mine} has the unknown key 'thread'; did you mean threads"):
        read(cwd)


def test_an_unknown_flag_lists_what_there_is(cwd: Path):
    with pytest.raises(Invalid, match="flag has the unknown key 'zzz'; there is home, user, "):
        read(cwd, {"zzz": 1})


def test_a_misspelt_variable_is_refused_and_a_strangers_is_left_alone(cwd: Path):
    assert read(cwd, ELOHIM_TORTURE="9", ELOHIM_TOKEN="s", HOME="/x").settings.threads == 2

    with pytest.raises(Invalid, match="environment variable ELOHIM_HOEM has the unknown key 'hoem'; did you mean home"):
        read(cwd, ELOHIM_HOEM="/x")


@pytest.mark.parametrize("key", sorted(set(KEYS) - {"log_level", "run_timeout_s"}))
def test_a_projects_file_may_not_decide_where_or_as_whom_we_work(cwd: Path, key: str):
    (cwd / "elohim.toml").write_text(f'{key} = "1"\n')

    with pytest.raises(
        Invalid, match=rf"elohim.toml sets {key}; a project's file may set log_level, run_timeout_s only"
    ):
        read(cwd)


@pytest.mark.parametrize("text", ["[tool.ruff]\nline-length = 1\n", "this is no TOML [[", "name = 'x'\n\xff"])
def test_a_pyproject_that_does_not_speak_to_us_is_not_read(cwd: Path, text: str):
    (cwd / "pyproject.toml").write_bytes(text.encode("latin-1"))

    assert read(cwd).settings.threads == 2


@pytest.mark.parametrize("content", [b"home = [", b"\xff\xfe", b"x = 1\n" * 200_000])
def test_a_broken_file_is_named(cwd: Path, mine: Path, content: bytes):
    mine.write_bytes(content)

    with pytest.raises(Invalid, match=str(mine)):
        read(cwd)


def test_a_relative_home_starts_where_it_was_said(cwd: Path, mine: Path, home: Path):
    mine.write_text('home = "store"\n')
    assert read(cwd).settings.home == str(mine.parent / "store")
    assert read(cwd, ELOHIM_HOME="store").settings.home == str(cwd / "store")
    assert read(cwd, {"home": "~/store"}).settings.home == str(home.parent / "store")


@pytest.mark.parametrize("empty", [{"ELOHIM_HOME": ""}])
def test_an_empty_home_is_refused(cwd: Path, empty: dict[str, str]):
    with pytest.raises(Invalid, match="home is empty"):
        read(cwd, **empty)


def test_asking_for_the_origin_of_nothing_is_refused(cwd: Path):
    with pytest.raises(Invalid, match="unknown key 'hom'; did you mean home"):
        read(cwd).origin("hom")


@given(st.dictionaries(st.sampled_from(KEYS), st.text(max_size=20).filter(lambda text: "\0" not in text)))
def test_any_text_in_the_environment_is_taken_or_refused_by_name(values: dict[str, str]):
    environ = {f"ELOHIM_{key.upper()}": value for key, value in values.items()}

    try:
        found = load({}, environ, Path("/"))
    except Invalid as refused:
        named = any(key in refused.message for key in values)
    else:
        named = all(found.origin(key) != "default" for key in values)

    assert named


def test_every_setting_is_explained_where_the_reference_takes_it_from():
    text = Path(sys.modules[Settings.__module__].__file__ or "").read_text()

    lines = [line for line in text.splitlines() if any(line.startswith(f"    {key}: ") for key in KEYS)]

    assert len(lines) == len(KEYS)
    assert all("#" in line for line in lines)


def test_reading_the_configuration_loads_nothing_heavy():
    heavy = "{'duckdb', 'pyarrow', 'pandas', 'typer', 'papermill', 'IPython'}"
    text = f"import sys, elohim_kernel.config\nprint(sorted({heavy} & set(sys.modules)))"

    child = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=30)

    assert child.stdout.strip() == "[]", child.stderr
