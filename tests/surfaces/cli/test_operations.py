"""The light commands name operations and fields as text: here they are held against the operations themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec

import elohim_kernel.surfaces.cli as package
from elohim_kernel import registry

FOLDER = Path(package.__file__).parent

# Done by `elohim review` and `elohim work` through the workbench, or for one's own eyes only.
ELSEWHERE = {
    "get_approval", "get_step", "known_findings", "record_findings", "remember_findings", "export_findings",
    "record_test_proposal",
}  # fmt: skip


def calls() -> Iterator[tuple[str, str, str, set[str]]]:
    """Every `call.ask("name", …)` and `call.do("name", …)`: where, which verb, the operation, the fields."""
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("ask", "do")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                fields = {keyword.arg or "**" for keyword in node.keywords}
                yield f"{path.name}:{node.lineno}", node.func.attr, str(node.args[0].value), fields


def test_every_operation_a_command_names_exists_and_has_the_fields_it_is_given():
    known = {"do": registry.commands(), "ask": registry.queries()}
    wrong = []
    for place, verb, name, fields in calls():
        kind = known[verb].get(name)
        if kind is None:
            wrong.append(f"{place}: there is no {name} to {verb}")
            continue
        there = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        wrong += [f"{place}: {name} has no {field}" for field in fields - set(there)]
        wrong += [
            f"{place}: {name} needs {field.name}"
            for field in there.values()
            if field.required and field.name not in fields
        ]

    assert wrong == []


def test_every_operation_for_people_can_be_reached_from_the_terminal():
    named = {name for _, _, name, _ in calls()}
    offered = {name for name, kind in (registry.commands() | registry.queries()).items() if not kind.internal}

    assert offered - named - ELSEWHERE == set()
