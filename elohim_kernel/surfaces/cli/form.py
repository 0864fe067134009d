"""Answers to a stage's form, typed at the command line."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from elohim_kernel.errors import Invalid
from elohim_kernel.surfaces.cli.values import named

_PARSED = ("integer", "number", "boolean", "choices")

Form = Sequence[Mapping[str, Any]]  # the form of a stage: JSON, hence Any


def answers(form: Form, words: Sequence[str]) -> dict[str, Any]:
    """`name=value` words as values of the form's types. Raises `Invalid` with all that is wrong, and how to say it."""
    types = {field["name"]: field.get("type", "text") for field in form}
    found = {name: _value(types.get(name, "text"), word) for name, word in named(words).items()}
    missing = [
        field["name"]
        for field in form
        if field.get("required") and not field.get("shown_if") and field.get("default") is None
    ]
    unsaid = [name for name in missing if found.get(name) in (None, "")]
    if unsaid:
        raise Invalid(
            f"the form of this stage asks for {', '.join(unsaid)}", hint=f"-f NAME=VALUE for {questions(form)}"
        )
    return found


def options(form: Form) -> str:
    """The options that a form cannot do without.

    >>> options([{"name": "decision", "required": True}, {"name": "comment"}])
    '-f decision="…"'
    """
    return " ".join(f'-f {field["name"]}="…"' for field in form if field.get("required"))


def questions(form: Form) -> str:
    """What a form asks, in a line.

    >>> questions([{"name": "decision", "options": ["accept", "reject"]}, {"name": "comment"}])
    'decision: accept | reject; comment: text'
    """
    return "; ".join(f"{field['name']}: {' | '.join(field.get('options', ())) or _kind(field)}" for field in form)


def _kind(field: Mapping[str, Any]) -> str:
    return str(field.get("type", "text"))


def _value(kind: str, word: str) -> Any:
    if kind not in _PARSED:
        return word
    if kind == "choices" and not word.lstrip().startswith("["):
        return [part.strip() for part in word.split(",") if part.strip()]
    try:
        return json.loads(word)
    except ValueError:
        return word  # the command says what it should have been
