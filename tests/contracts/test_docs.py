"""The pages tell the truth: generated ones are fresh, links lead somewhere, examples run, commands exist."""

import doctest
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import typer
import yaml

from elohim_kernel.model.guards import parse
from elohim_kernel.model.value import convert
from elohim_kernel.model.workflow import Definition

ROOT = Path(__file__).parents[2]
LANGUAGES = {"console", "json", "pycon", "python", "sql", "text", "toml", "yaml"}
FENCE = re.compile(r"^(<!-- runs -->\n+)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GENERATED = "<!-- Written by docs/generate.py"

# Pages whose Python examples do not run yet: this list only shrinks. Mark an example that runs with `<!-- runs -->`.
NOT_RUN_YET = {
    "README.md",
    "docs/how-to/define-a-workflow.md",
    "docs/how-to/query-with-sql.md",
    "docs/how-to/review-a-repository.md",
    "docs/how-to/run-a-playbook.md",
    "docs/tutorials/first-review.md",
}


def pages() -> Iterator[tuple[str, str]]:
    """Every page people wrote: its path in the project and its text."""
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        text = path.read_text(encoding="utf-8")
        if not text.startswith(GENERATED):
            yield path.relative_to(ROOT).as_posix(), text


def fences(text: str, language: str) -> list[tuple[str, bool]]:
    """The code of that language on a page, each with whether it is marked as running."""
    return [(code, bool(mark)) for mark, name, code in FENCE.findall(text) if name == language]


def silent_examples(named: dict[str, str]) -> set[str]:
    """Pages with a Python example that is not marked as running."""
    return {name for name, text in named.items() if not all(runs for _, runs in fences(text, "python"))}


def run_examples(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the marked Python examples of one page, in order, as one program in an empty folder."""
    program = "\n".join(code for code, runs in fences(text, "python") if runs)
    if not program:
        return subprocess.CompletedProcess([], 0, "", "")
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120)


def unknown_calls(text: str, program: Any) -> list[str]:
    """Lines of console examples that call `elohim` in a way the program does not offer."""
    lines = "".join(code for code, _ in fences(text, "console")).replace("\\\n", " ").splitlines()
    calls = [line.removeprefix("$ ") for line in lines if re.match(r"\$ (\.venv/bin/)?elohim\b", line)]
    return [f"{call}: {flaw}" for call in calls if (flaw := _flaw(shlex.split(call, comments=True)[1:], program))]


def _flaw(words: list[str], command: Any) -> str:
    options: dict[str, bool] = {}  # spelling → whether a value follows
    path = "elohim"
    while True:
        options |= {"--help": False} | {
            spelled: not getattr(each, "is_flag", False)
            for each in command.params
            for spelled in (*each.opts, *each.secondary_opts)
            if spelled.startswith("-")
        }
        arguments: list[str] = []
        while words and (words[0].startswith("-") or not hasattr(command, "commands")):
            word, _, value = words.pop(0).partition("=")
            if not word.startswith("-"):
                arguments.append(word)
            elif word not in options:
                return f"{path} has no {word}"
            elif options[word] and not value and words:
                words.pop(0)
        if not words or words[0] in (">", ">>", "|"):
            return ""
        if words[0] not in command.commands:
            return f"{path} has no command {words[0]}"
        path, command = f"{path} {words[0]}", command.commands[words.pop(0)]


def links() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_links", ROOT / "docs" / "links.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_pages_are_fresh():
    check = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert check.returncode == 0, f"run `make docs`\n{check.stdout}{check.stderr}"


def test_every_inside_link_leads_somewhere():
    assert links().broken_links(ROOT / "docs") == []


def test_every_code_block_says_what_it_is():
    unnamed = {
        f"{name}: {language or 'no language'}"
        for name, text in pages()
        for _, language, _ in FENCE.findall(text)
        if language not in LANGUAGES
    }

    assert unnamed == set()


def test_every_python_example_runs_or_is_on_the_shrinking_list():
    silent = silent_examples(dict(pages()))

    assert silent - NOT_RUN_YET == set(), "mark the example with <!-- runs -->"
    assert NOT_RUN_YET - silent == set(), "these run now: take them off NOT_RUN_YET"


def test_the_marked_examples_of_every_page_run(tmp_path: Path):
    for name, text in pages():
        folder = tmp_path / name
        folder.mkdir(parents=True)
        done = run_examples(text, folder)

        assert done.returncode == 0, f"{name}\n{done.stderr}"


def test_the_sessions_of_every_page_give_what_they_show():
    for name, text in pages():
        session = "\n".join(code for code, _ in fences(text, "pycon"))
        example = doctest.DocTestParser().get_doctest(session, {}, name, name, 0)

        assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0, name


def test_every_workflow_on_a_page_is_a_valid_definition():
    shown = [yaml.safe_load(code) for _, text in pages() for code, _ in fences(text, "yaml")]
    definitions = [convert(raw, Definition) for raw in shown if "stages" in raw]

    assert definitions
    for definition in definitions:
        for stage in definition.stages:
            targets = {route.to for route in stage.routes} | {stage.on_reject or "end"}

            assert targets <= {"end", *(each.key for each in definition.stages)}
            assert all(parse(route.when) for route in stage.routes if route.when)


def test_a_stale_page_is_found(tmp_path: Path):
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    (tmp_path / "docs" / "generate.py").write_bytes((ROOT / "docs" / "generate.py").read_bytes())
    argv = [sys.executable, str(tmp_path / "docs" / "generate.py")]

    written = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120)
    fresh = subprocess.run([*argv, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    errors, gone = (tmp_path / "docs" / "reference" / name for name in ("errors.md", "gone.md"))
    gone.write_text(errors.read_text())
    errors.write_text("# Errors\n")
    stale = subprocess.run([*argv, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert (written.returncode, fresh.returncode, stale.returncode) == (0, 0, 1)
    assert stale.stdout.split() == ["stale:", "docs/reference/errors.md", "stale:", "docs/reference/gone.md"]


def test_a_link_to_nowhere_is_found_and_one_in_code_is_not(tmp_path: Path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text(
        "# One `thing`, two\n[b](b.md) [self](#one-thing-two) [gone](#two) [out](https://example.com)\n"
        "`x[0](y)`\n```text\n[c](c.md)\n```\n"
    )
    (tmp_path / "README.md").write_text("[a](docs/a.md#one-thing-two) [a](docs/a.md#three)")

    assert links().broken_links(docs) == ["README.md: docs/a.md#three", "docs/a.md: b.md", "docs/a.md: #two"]


def test_an_example_that_fails_or_is_not_marked_is_found(tmp_path: Path):
    page = "<!-- runs -->\n```python\nx = 1\n```\n<!-- runs -->\n\n```python\nassert x == 2\n```\n"

    assert run_examples(page, tmp_path).returncode == 1
    assert run_examples(page.replace("2", "1"), tmp_path).returncode == 0
    assert silent_examples({"a": page, "b": page + "```python\ny\n```\n"}) == {"b"}


def test_a_call_that_the_program_does_not_offer_is_found():
    app = typer.Typer()
    item = typer.Typer()
    app.add_typer(item, name="item")

    @app.callback()
    def main(home: str = "", json: bool = False) -> None: ...

    @item.command()
    def show(reference: str, full: bool = False, style: str = typer.Option("", "-s")) -> None: ...

    page = (
        "```console\n$ elohim item show EL-1 --full -s x > file\n"
        "$ .venv/bin/elohim --home D --json item show EL-1  # see\n"
        "$ elohim item drop EL-1\n$ elohim item show EL-1 \\\n    --fast\n$ make demo\n```\n"
    )

    assert unknown_calls(page, typer.main.get_command(app)) == [
        "elohim item drop EL-1: elohim item has no command drop",
        "elohim item show EL-1      --fast: elohim item show has no --fast",
    ]


def test_every_command_on_the_pages_exists():
    if not (ROOT / "elohim_kernel" / "surfaces" / "cli").exists():
        return  # no command line yet: the pages are ahead of it
    main = importlib.import_module("elohim_kernel.surfaces.cli.main")
    program = typer.main.get_command(main.app)

    assert {name: calls for name, text in pages() if (calls := unknown_calls(text, program))} == {}
