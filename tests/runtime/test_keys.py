"""The key of a home: made once, private, never silently replaced."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from elohim_kernel.errors import Invalid, Unavailable
from elohim_kernel.runtime.keys import findings_key


def test_a_home_keeps_its_key_and_nobody_else_may_read_it(tmp_path: Path):
    first, again = findings_key(tmp_path), findings_key(tmp_path)

    file = tmp_path / "keys" / "findings.key"
    assert (first, len(first)) == (again, 32)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == ["findings.key"]


def test_all_who_make_it_at_once_get_the_same(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: findings_key(tmp_path), range(16)))

    assert len(keys) == 1


def test_two_homes_and_two_stores_in_memory_have_different_keys(tmp_path: Path):
    keys = {findings_key(tmp_path / "a"), findings_key(tmp_path / "b"), findings_key(None), findings_key(None)}

    assert len(keys) == 4


def test_a_damaged_key_is_refused_because_a_new_one_would_forget(tmp_path: Path):
    findings_key(tmp_path)
    (tmp_path / "keys" / "findings.key").write_bytes(b"short")

    with pytest.raises(Invalid, match="has 5 bytes, not 32; restore it"):
        findings_key(tmp_path)


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path):
    (tmp_path / "keys").write_text("a file")

    with pytest.raises(Unavailable, match="cannot be used"):
        findings_key(tmp_path)
