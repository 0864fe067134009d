"""A repository whose configuration, plugins and shadowing modules would run code or silence the tests."""

import threading
from pathlib import Path

import pytest

from elohim_kernel.engines import tests
from elohim_kernel.model.enrichment import Enrichment
from elohim_kernel.model.value import convert
from elohim_kernel.ports import EngineRequest
from elohim_kernel.runtime.isolation import best_level
from elohim_kernel.runtime.tools import LocalTools, MemoryJournal
from elohim_kernel.testing import FakeClock

CODE = "def half(number: int) -> int:\n    return number // 2\n"
CHANGED = "def half(number: int) -> int:\n    halved = number // 2\n    return halved\n"


def poison(marker: Path) -> dict[str, str]:
    evil = (
        f"import os, socket\ntry:\n    open({str(marker)!r}, 'a').write(__name__)\nexcept OSError:\n    pass\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), 1).close()\nexcept OSError:\n    pass\n"
    )
    modules = ("evil", "conftest", "sitecustomize", "usercustomize", "pytest", "coverage", "json", "tests/conftest")
    settings = "[pytest]\naddopts = -p evil --co\npython_files = nothing.py\n"
    return {
        **{f"{name}.py": evil for name in modules},
        "pytest.ini": settings,
        "tox.ini": settings,
        "setup.cfg": settings.replace("[pytest]", "[tool:pytest]"),
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p evil'\n[tool.coverage.run]\nplugins = ['evil']\n",
        ".coveragerc": "[run]\nplugins = evil\nomit = *\n",
        "shop.py": CODE,
        "tests/test_shop.py": "from shop import half\n\n\ndef test_half():\n    assert half(0) == 0\n",
    }


@pytest.mark.skipif(not best_level().isolates, reason="nothing here holds a hostile program")
def test_poisoned_settings_write_nothing_outside_and_do_not_silence_the_proposals(project, tmp_path: Path):
    marker = tmp_path / "marker"
    made = project(poison(marker), {"shop.py": CHANGED})
    scratch = tmp_path / "room"
    scratch.mkdir()
    tools = LocalTools(
        engines={"tests": tests},
        clock=FakeClock(),
        scratch=scratch,
        on_progress=lambda text, done, total: None,
        cancelled=threading.Event(),
        journal=MemoryJournal(),
        known=lambda repository: (),
    )
    change = tools.repository(made.path).change("main", "feature")

    report = tests.run(EngineRequest(repository=made.path, head=change.head, change=change, timeout_s=90), tools)

    found = convert(report.data[tests.DATA], Enrichment)
    assert not marker.exists()
    assert found.accepted > 0, report.reason
    assert found.score.killed_after == found.score.mutants
    assert sorted(path.name for path in Path(made.path).iterdir()) == [".git"]
