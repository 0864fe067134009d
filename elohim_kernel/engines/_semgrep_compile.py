"""Make one JSON file of our semgrep rules: `python -m elohim_kernel.engines._semgrep_compile [--check]`.

The sources are `rules/*.yaml`: semgrep's own format, with fragments that rules share (`use:`) and with what to do
instead beside the message. Category, severity, confidence and CWE are taken from the table of rules, so they are said
once. One JSON file is read more than ten times as fast as a folder of YAML.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from elohim_kernel.errors import Invalid
from elohim_kernel.model.finding import Severity
from elohim_kernel.model.rules import TABLES, judged

SOURCES: Final = Path(__file__).with_name("rules")
COMPILED: Final = Path(__file__).with_name("semgrep_rules.json")
LICENSE: Final = "Apache-2.0"

_SHARED: Final = "shared.yaml"
_LEVEL: Final = {Severity.CRITICAL: "ERROR", Severity.HIGH: "ERROR", Severity.MEDIUM: "WARNING"}
_KEYS: Final = ("id", "languages", "message", "instead")

Node = Any  # YAML: whatever semgrep's format holds there


def compiled(sources: Path = SOURCES) -> str:
    """The JSON text of all rules below `sources`, in order of their ids. Raises `Invalid` naming the rule."""
    fragments = yaml.safe_load((sources / _SHARED).read_text())
    raw = [
        rule
        for path in sorted(sources.glob("*.yaml"))
        if path.name != _SHARED
        for rule in yaml.safe_load(path.read_text())["rules"]
    ]
    rules = sorted((_compiled(each, fragments) for each in raw), key=lambda rule: str(rule["id"]))
    return json.dumps({"rules": rules}, indent=1, ensure_ascii=False) + "\n"


def _compiled(raw: Mapping[str, Node], fragments: Mapping[str, Sequence[Node]]) -> dict[str, Node]:
    rule = raw["id"]
    if rule not in TABLES["semgrep"]:
        raise Invalid(f"the rule {rule!r} has no row", hint="add one to model/_rules_ours.py")
    meaning = judged("semgrep", rule)
    return {
        "id": rule,
        "languages": raw["languages"],
        "severity": _LEVEL.get(meaning.severity, "INFO"),
        "message": raw["message"],
        **{key: _expanded(part, fragments) for key, part in raw.items() if key not in _KEYS},
        "metadata": {
            "category": meaning.category,
            "cwe": f"CWE-{meaning.cwe}",
            "confidence": meaning.confidence.value.upper(),
            "instead": raw["instead"],
            "license": LICENSE,
        },
    }


def _expanded(node: Node, fragments: Mapping[str, Sequence[Node]]) -> Node:
    if isinstance(node, dict):
        return {key: _expanded(part, fragments) for key, part in node.items()}
    if not isinstance(node, list):
        return node
    out: list[Node] = []
    for item in node:
        if isinstance(item, dict) and set(item) == {"use"}:
            out += fragments[item["use"]]
        else:
            out.append(_expanded(item, fragments))
    return out


def main(arguments: Sequence[str]) -> int:
    """Write the compiled file; with `--check` only say by the exit code (1) whether it is stale."""
    text = compiled()
    if "--check" in arguments:
        return 0 if COMPILED.read_text() == text else 1
    COMPILED.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
