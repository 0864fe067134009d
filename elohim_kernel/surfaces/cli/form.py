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
        raise Invalid(f"the form of this stage asks for {', '.join(unsaid)}", hint=usage(form))
    return found


def usage(form: Form) -> str:
    """How to answer the form's questions: `-f decision=accept|reject -f [comment=TEXT]`."""
    return " ".join(_option(field) for field in form)


def _option(field: Mapping[str, Any]) -> str:
    choices = "|".join(field.get("options", ()))
    said = f"{field['name']}={choices or field.get('type', 'text').upper()}"
    said = f'"{said}"' if " " in said else said
    return f"-f {said}" if field.get("required") else f"[-f {said}]"


def _value(kind: str, word: str) -> Any:
    if kind not in _PARSED:
        return word
    if kind == "choices" and not word.lstrip().startswith("["):
        return [part.strip() for part in word.split(",") if part.strip()]
    try:
        return json.loads(word)
    except ValueError:
        return word  # the command says what it should have been
