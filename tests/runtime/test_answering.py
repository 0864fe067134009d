"""What is answered from the cache is what the tool would say; what a change brings is told against its base."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools
from elohim_kernel.runtime.answering import Asked, answer, compared
from elohim_kernel.runtime.cache import EngineCache
from elohim_kernel.runtime.repository import open_repository


class Counter:
    """An engine that finds every line with "bad" in Python files, and notes which files it was given."""

    NAME, LABEL = "words", "Words"

    def __init__(self, scope: Scope = Scope.FILE, **traits: object) -> None:
        self.TRAITS = EngineTraits(scope=scope, cost=1, rules="1", **traits)  # type: ignore[arg-type]
        self.asked: list[tuple[str, ...]] = []
        self.number = "1.0"
        self.say: Callable[[EngineReport], EngineReport] = lambda report: report

    def available(self) -> str | None:
        return None

    def version(self) -> str:
        return self.number

    def wants(self, path: str) -> bool:
        return path.endswith(".py")

    def run(self, request: EngineRequest, tools: Tools) -> EngineReport:
        repository = tools.repository(request.repository)
        paths = [path for path in request.candidates(repository) if self.wants(path)]
        self.asked.append(tuple(paths))
        sources = {path: repository.read(request.head, path) or b"" for path in paths}
        found = [
            Finding(rule="W1", severity=Severity.HIGH, message="bad", path=path, line=number, tool=self.NAME)
            for path, source in sources.items()
            for number, line in enumerate(source.splitlines(), 1)
            if b"bad" in line
        ]
        return self.say(
            EngineReport(
                engine=self.NAME,
                status=EngineStatus.FINDINGS if found else EngineStatus.CLEAN,
                reason=f"{len(paths)} files read",
                files=len(paths),
                covered=tuple(paths),
                findings=fingerprinted(found, sources),
                notes=("words of 2026-11-01",),
                data={"seen": [{"path": path, "lines": source.count(b"\n")} for path, source in sources.items()]},
            )
        )


@pytest.fixture
def cache(tmp_path: Path):
    made = EngineCache(tmp_path / "cache.sqlite")
    yield made
    made.close()


@pytest.fixture
def ask(workshop, cache, make_tools):
    def ask(
        engine: Counter, head: str, *, base: str | None = None, base_of_settings: str = "", **fields: object
    ) -> EngineReport:
        source = open_repository(workshop.path)
        change = source.change(base, head) if base else None
        request = EngineRequest(
            repository=workshop.path, head=source.resolve(head), change=change, base=base_of_settings, **fields
        )
        asked = Asked(engine, request, make_tools(), open_repository, cache, today="2026-11-22")
        return compared(asked, answer(asked))

    return ask


def told(report: EngineReport) -> list[tuple[str, int]]:
    return [(finding.path, finding.line) for finding in report.findings]


def test_only_files_not_seen_before_are_looked_at(workshop, ask):
    engine = Counter()
    first = ask(engine, workshop.commit({"a.py": "bad\n", "b.py": "fine\n", "c.txt": "bad\n"}))
    second = ask(engine, workshop.commit({"b.py": "fine\nbad\n"}))

    assert engine.asked == [("a.py", "b.py"), ("b.py",)]
    assert (told(first), told(second)) == ([("a.py", 1)], [("a.py", 1), ("b.py", 2)])
    assert (second.status, second.files, second.cached) == (EngineStatus.FINDINGS, 2, 1)
    assert second.covered == ("a.py", "b.py")
    assert second.reason == "1 files read; 1 file answered from earlier runs on the same content"


def test_nothing_changed_starts_no_tool_and_says_the_same(workshop, ask):
    engine, head = Counter(), workshop.commit({"a.py": "bad\n", "b.py": "fine\n"})
    first = ask(engine, head)

    again = ask(engine, head)

    assert len(engine.asked) == 1
    assert (again.findings, again.covered, again.notes) == (first.findings, first.covered, first.notes)
    assert list(again.data["seen"]) == list(first.data["seen"])
    assert (again.status, again.files, again.cached) == (EngineStatus.FINDINGS, 2, 2)


def _newer(engine: Counter, _option: Path) -> None:
    engine.number = "1.1"


def _other_rules(engine: Counter, _option: Path) -> None:
    engine.TRAITS = EngineTraits(scope=Scope.FILE, cost=1, rules="2")


def _other_option(_engine: Counter, option: Path) -> None:
    option.write_text("another content")


@pytest.mark.parametrize("change", [_newer, _other_rules, _other_option])
def test_whatever_the_result_depends_on_makes_it_look_again(workshop, ask, change, tmp_path):
    engine, head, option = Counter(), workshop.commit({"a.py": "bad\n"}), tmp_path / "advisories.json"
    option.write_text("{}")
    ask(engine, head, options={"advisories": str(option)})

    change(engine, option)
    ask(engine, head, options={"advisories": str(option)})

    assert engine.asked == [("a.py",), ("a.py",)]


def test_other_settings_in_the_base_make_it_look_again(workshop, ask):
    engine = Counter()
    head = workshop.commit({"a.py": "bad\n", "ruff.toml": "a = 1\n", "README.md": "one\n"})
    ask(engine, head, base_of_settings=head)

    ask(engine, head, base_of_settings=workshop.commit({"README.md": "two\n"}))
    ask(engine, head, base_of_settings=workshop.commit({"ruff.toml": "a = 2\n"}))

    assert engine.asked == [("a.py",), ("a.py",)]


def test_equal_content_at_another_path_is_looked_at_because_findings_name_the_path(workshop, ask):
    engine = Counter()
    ask(engine, workshop.commit({"a.py": "bad\n"}))

    moved = ask(engine, workshop.commit({"a.py": None, "b.py": "bad\n"}))

    assert (told(moved), engine.asked[-1]) == ([("b.py", 1)], ("b.py",))


def _partial(report: EngineReport) -> EngineReport:
    left = tuple(path for path in report.covered if path != "b.py")
    return EngineReport(
        engine=report.engine, status=EngineStatus.PARTIAL, reason="b.py does not parse", files=len(left), covered=left,
        skipped=("b.py",), findings=tuple(each for each in report.findings if each.path != "b.py"),
    )  # fmt: skip


def _failed(report: EngineReport) -> EngineReport:
    return EngineReport(engine=report.engine, status=EngineStatus.FAILED, reason="killed")


def _capped(report: EngineReport) -> EngineReport:
    return EngineReport(
        engine=report.engine, status=EngineStatus.PARTIAL, reason="a cap was reached", covered=report.covered
    )


@pytest.mark.parametrize(
    ("say", "again"), [(_partial, ("b.py",)), (_failed, ("a.py", "b.py")), (_capped, ("a.py", "b.py"))]
)
def test_what_was_not_analysed_is_never_remembered(workshop, ask, say, again):
    engine, head = Counter(), workshop.commit({"a.py": "bad\n", "b.py": "bad\n"})
    engine.say = say
    first = ask(engine, head)

    second = ask(engine, head)

    assert engine.asked == [("a.py", "b.py"), again]
    assert second.status is first.status


def test_a_tool_that_fails_on_the_rest_has_failed_and_what_is_known_is_still_told(workshop, ask):
    engine = Counter()
    ask(engine, workshop.commit({"a.py": "bad\n"}))
    engine.say = _failed

    report = ask(engine, workshop.commit({"b.py": "bad\n"}))

    assert (report.status, told(report), report.covered) == (EngineStatus.FAILED, [("a.py", 1)], ("a.py",))


@pytest.mark.parametrize("traits", [{"network": True}, {"executes": True}, {"scope": Scope.CHANGE}])
def test_answers_of_services_of_the_code_itself_and_about_changes_are_not_remembered(workshop, ask, traits):
    engine, head = Counter(**traits), workshop.commit({"a.py": "bad\n"})

    for _ in range(2):
        ask(engine, head)

    assert len(engine.asked) == 2


def test_an_engine_that_needs_the_whole_tree_looks_again_when_any_of_its_files_changed(workshop, ask):
    engine = Counter(Scope.TREE)
    first = ask(engine, workshop.commit({"a.py": "bad\n", "b.py": "fine\n"}))
    same = ask(engine, workshop.commit({"README.md": "x\n"}))
    ask(engine, workshop.commit({"b.py": "better\n"}))

    assert engine.asked == [("a.py", "b.py"), ("a.py", "b.py")]
    assert (same.findings, same.cached) == (first.findings, 2)


def test_a_finding_that_was_on_the_base_is_not_new_however_it_moved(workshop, ask):
    engine = Counter()
    old = "def f():\n    return bad\n"
    base = workshop.commit({"a.py": old, "moved.py": "x = 1\nbad_too = 2\n" * 3, "same.py": "bad\n"})
    workshop.commit(
        {"a.py": "import os\n\n\n" + old + "\n\ndef g():\n    return bad\n", "new.py": "bad\n"}
        | {"moved.py": None, "there.py": "x = 1\nbad_too = 2\n" * 3},
        branch="feature",
        parents=[base],
    )

    report = ask(engine, "feature", base="main")

    is_new = {(each.path, each.line): each.is_new for each in report.findings}
    assert is_new == {
        ("a.py", 5): False,
        ("a.py", 9): True,
        ("new.py", 1): True,
        ("there.py", 2): False,
        ("there.py", 4): False,
        ("there.py", 6): False,
    }
    assert engine.asked == [("a.py", "new.py", "there.py"), ("a.py", "moved.py")], "of the base only what is needed"


def test_a_base_that_cannot_be_looked_at_leaves_it_to_the_lines(workshop, ask):
    engine = Counter()
    base = workshop.commit({"a.py": "bad\nx\n"})
    workshop.commit({"a.py": "bad\nx\nbad\n"}, branch="feature", parents=[base])
    answers = iter([lambda report: report, _failed])
    engine.say = lambda report: next(answers)(report)

    report = ask(engine, "feature", base="main")

    assert [each.is_new for each in report.findings] == [each.on_changed_line for each in report.findings]


def test_what_the_change_deleted_counts_as_looked_at_even_when_nothing_ran(workshop, ask):
    engine = Counter()
    base = workshop.commit({"a.py": "bad\n", "gone.py": "bad\n", "gone.txt": "x\n"})
    ask(engine, base)
    workshop.commit({"a.py": "fine\n", "gone.py": None, "gone.txt": None}, branch="feature", parents=[base])
    ask(engine, "feature", base="main")

    again = ask(engine, "feature", base="main")

    assert (again.status, again.covered) == (EngineStatus.CLEAN, ("a.py", "gone.py"))


@pytest.mark.parametrize("seed", range(8))
def test_with_a_cache_every_scan_says_what_it_would_without(new_workshop, make_tools, cache, seed):
    chance, workshop = random.Random(seed), new_workshop("walk")
    files: dict[str, str | None] = {"a.py": "bad\n"}
    for _ in range(12):
        head = workshop.commit(files)
        request, engine = EngineRequest(repository=workshop.path, head=head), Counter()
        there = {name for name in open_repository(workshop.path).paths(head) if name != "a.py"}
        files = {
            name: chance.choice(["bad\n", "fine\n", "x\nbad\n", None] if name in there else ["bad\n", "fine\n"])
            for name in chance.sample(["a.py", "b.py", "c.py", "deep/d.py", "e.txt"], 2)
        }

        remembered = answer(Asked(engine, request, make_tools(), open_repository, cache))
        plain = answer(Asked(engine, request, make_tools(), open_repository, None))

        assert remembered.findings == plain.findings
        assert (remembered.status, remembered.files, remembered.covered) == (plain.status, plain.files, plain.covered)
