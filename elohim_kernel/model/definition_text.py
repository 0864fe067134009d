"""Workflow definitions as YAML: read with positions in every complaint, checked as a whole, written back, compared."""

import difflib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import yaml

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.decision import MOST_DAYS, FindingsPolicy
from elohim_kernel.model.finding import Severity
from elohim_kernel.model.guards import check_names
from elohim_kernel.model.life_cycle import GUARD_NAMES, guard, past_people
from elohim_kernel.model.schedule import next_fire
from elohim_kernel.model.sla import SlaDays
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.value import plain
from elohim_kernel.model.workflow import END, AssignTo, Definition, Stage

_SIZE_CAP: Final = 256 * 1024  # bytes
_NODE_CAP: Final = 20_000
_DEPTH_CAP: Final = 30
_SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)  # whether a schedule ever fires does not depend on when one asks
_LINE_BREAKS: Final = frozenset("\r\x85\u2028\u2029\ufeff")
_MINUTES_CAP: Final = 10 * 366 * 24 * 60

Path = tuple[str | int, ...]

_SHAPES: Final[Mapping[Path, type[msgspec.Struct]]] = {("findings",): FindingsPolicy, ("findings", "sla_days"): SlaDays}


class _Source:
    """A YAML text and where each value in it stands."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.marks: dict[Path, tuple[int, int]] = {}
        self._nodes = 0
        if len(text.encode()) > _SIZE_CAP:
            raise TooLarge(f"{name}: a definition has at most {_SIZE_CAP} bytes")
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except RecursionError:
            raise TooLarge(f"{name}: the definition is too deep", hint=f"{_DEPTH_CAP} levels are the most") from None
        except yaml.MarkedYAMLError as wrong:
            mark = wrong.problem_mark
            place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise Invalid(f"{name}{place}: {wrong.problem or 'not YAML'}") from None
        except yaml.YAMLError as wrong:
            raise Invalid(f"{name}: not YAML: {wrong}") from None
        if not isinstance(root, yaml.MappingNode):
            raise Invalid(f"{name}: a definition is a mapping with at least name and stages")
        self.value = self._read(root, ())

    def _read(self, node: yaml.Node, path: Path) -> Any:  # JSON, hence Any
        self._nodes += 1
        if self._nodes > _NODE_CAP or len(path) > _DEPTH_CAP:
            raise TooLarge(
                f"{self.name}: the definition is too large or too deep", hint="are there aliases of aliases?"
            )
        self.marks.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.SequenceNode):
            return [self._read(child, (*path, place)) for place, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, path)
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError):
            unread = f"{node.value!r} cannot be read as {node.tag}"
            raise self.complaint(path, unread, hint="put it in quotes") from None

    def _read_mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, child in node.value:
            key = str(key_node.value)
            if key in found:
                raise self.complaint((*path, key), f"{key!r} is written twice", at=key_node)
            found[key] = self._read(child, (*path, key))
        return found

    def complaint(self, path: Path, text: str, *, at: yaml.Node | None = None, hint: str | None = None) -> Invalid:
        """An error at the nearest position that is known."""
        while path and path not in self.marks and at is None:
            path = path[:-1]
        line, column = (at.start_mark.line + 1, at.start_mark.column + 1) if at else self.marks.get(path, (1, 1))
        return Invalid(f"{self.name}, line {line}, column {column}: {text}", hint=hint)


def parse_definition(text: str, *, name: str = "workflow") -> Definition:
    """Read and check a definition; `name` is how complaints call the text. Raises `Invalid` with line and column.

    >>> parse_definition("name: Review\\nstages:\\n- {key: look, name: Look}").stages[0].key
    'look'
    """
    source = _Source(text, name)
    raw = _expanded(source)
    try:
        definition = msgspec.convert(raw, type=Definition)
    except msgspec.ValidationError as wrong:
        message, _, where = str(wrong).partition(" - at `")
        path = _path_of(where.rstrip("`"))
        hint = _unknown_field_hint(message, path)
        raise source.complaint(path, message, hint=hint) from None
    for path, problem in problems(definition):
        raise source.complaint(path, problem)
    return definition


def _expanded(source: _Source) -> dict[str, Any]:
    """Stages may leave out `name`; it is made from the key."""
    raw: dict[str, Any] = source.value
    stages = raw.get("stages")
    if isinstance(stages, list):
        for stage in stages:
            if isinstance(stage, dict) and isinstance(stage.get("key"), str):
                stage.setdefault("name", stage["key"].replace("_", " ").replace("-", " ").capitalize())
    return raw


def _path_of(where: str) -> Path:
    parts: list[str | int] = []
    for piece in where.removeprefix("$").replace("[", ".[").split("."):
        if piece.startswith("["):
            inner = piece[1:-1]
            if inner.isdigit():
                parts.append(int(inner))
        elif piece:
            parts.append(piece)
    return tuple(parts)


def _unknown_field_hint(message: str, path: Path) -> str | None:
    if "unknown field" not in message:
        return None
    known = _SHAPES.get(path) or (Stage if path[:1] == ("stages",) and len(path) == 2 else Definition)
    fields = [field.name for field in msgspec.structs.fields(known)]
    wrong = message.rsplit("`", 2)[-2] if "`" in message else ""
    close = difflib.get_close_matches(wrong, fields, n=2)
    return f"did you mean {' or '.join(close)}?" if close else f"there is {', '.join(fields)}"


def problems(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Everything that is wrong with a definition that has the right shape, with the path to each."""
    if not definition.name.strip():
        yield ("name",), "a workflow needs a name"
    if not definition.stages:
        yield ("stages",), "a workflow needs at least one stage"
    seen: dict[str, int] = {}
    for place, stage in enumerate(definition.stages):
        if stage.key in seen or stage.key == END or not stage.key.replace("_", "").replace("-", "").isalnum():
            why = "is taken" if stage.key in seen else "is not a key: use letters, digits, - and _, and not 'end'"
            yield ("stages", place, "key"), f"stage key {stage.key!r} {why}"
        seen[stage.key] = place
    for place, stage in enumerate(definition.stages):
        for path, problem in (*_stage_problems(stage, seen), *_advance_problems(definition, stage)):
            yield ("stages", place, *path), problem
    yield from _schedule_problems(definition)
    yield from _policy_problems(definition.findings)


def _advance_problems(definition: Definition, stage: Stage) -> Iterator[tuple[Path, str]]:
    if stage.type.traits.may_auto_complete or not stage.auto_advance or stage.requires_approval is not None:
        return
    for way in past_people(definition, stage):
        why = f"a {stage.type.value} stage is never completed by itself, and {way!r} is not done by a person"
        yield ("auto_advance",), f"{why}: let a person's stage follow, or say auto_advance: false"


def _policy_problems(policy: FindingsPolicy) -> Iterator[tuple[Path, str]]:
    if not 1 <= policy.expiry_days <= MOST_DAYS:
        yield ("findings", "expiry_days"), f"a decision lasts 1 to {MOST_DAYS} days"
    for severity in Severity:
        if not 0 <= policy.sla_days.of(severity) <= MOST_DAYS:
            yield ("findings", "sla_days", severity.value), f"an SLA is 1 to {MOST_DAYS} days, or 0 for none"


def _schedule_problems(definition: Definition) -> Iterator[tuple[Path, str]]:
    names: set[str] = set()
    for place, schedule in enumerate(definition.schedules):
        if not schedule.name or schedule.name in names:
            yield ("schedules", place, "name"), f"schedule name {schedule.name!r} must be there, and unique"
        names.add(schedule.name)
        try:
            next_fire(schedule, _SOME_TIME)
        except Invalid as wrong:
            yield ("schedules", place, "zone" if "time zone" in wrong.message else "cron"), str(wrong)


def _stage_problems(stage: Stage, keys: Mapping[str, int]) -> Iterator[tuple[Path, str]]:
    known = ", ".join((*keys, END))
    for number, route in enumerate(stage.routes):
        if route.to != END and route.to not in keys:
            yield ("routes", number, "to"), f"route leads to {route.to!r}; there is {known}"
        if route.when:
            try:
                check_names(guard(route.when), GUARD_NAMES)
            except Invalid as wrong:
                yield ("routes", number, "when"), str(wrong)
    for field in ("next", "on_reject"):
        target = getattr(stage, field)
        if target and target != END and target not in keys:
            yield (field,), f"{field} names stage {target!r}; there is {known}"
    yield from _type_problems(stage)
    names = [field.name for field in stage.form]
    for number, question in enumerate(stage.form):
        if names.count(question.name) > 1 or not question.name.isidentifier():
            yield ("form", number, "name"), f"field name {question.name!r} must be an identifier and unique in its form"
        if question.type in ("choice", "choices") and not question.options:
            yield ("form", number, "options"), f"field {question.name!r} of type {question.type} needs options"
        try:
            if question.shown_if:
                check_names(guard(question.shown_if), frozenset(names))
        except Invalid as wrong:
            yield ("form", number, "shown_if"), str(wrong)


def _type_problems(stage: Stage) -> Iterator[tuple[Path, str]]:
    if not 0 <= stage.sla_minutes <= _MINUTES_CAP:
        yield ("sla_minutes",), f"an SLA is 1 to {_MINUTES_CAP} minutes, or 0 for none"
    if stage.assignment.to is not AssignTo.QUEUE and not stage.assignment.who:
        yield ("assignment",), f"assignment to {stage.assignment.to.value} must say who"
    if stage.agent_auto_apply and not stage.type.traits.may_auto_apply:
        yield ("agent_auto_apply",), f"a {stage.type.value} stage can never apply anything by itself"
    if stage.type is StageType.AUTOMATION and not stage.playbook:
        yield ("playbook",), "an AUTOMATION stage names the playbook it runs"
    if stage.type is not StageType.AUTOMATION and stage.playbook:
        yield ("playbook",), f"only an AUTOMATION stage runs a playbook, this one is {stage.type.value}"
    rule = stage.requires_approval
    if rule is not None and not 0 <= rule.expires_minutes <= _MINUTES_CAP:
        yield ("requires_approval", "expires_minutes"), f"an approval has 1 to {_MINUTES_CAP} minutes, or 0 for ever"
    if rule is not None and rule.need < 1:
        yield ("requires_approval", "need"), "an approval needs at least one person"
    if rule is not None and rule.people and rule.need > len(rule.people) and not (rule.roles or rule.teams):
        yield ("requires_approval", "need"), f"{rule.need} of {len(rule.people)} people can never agree"


def to_yaml(definition: Definition) -> str:
    """The definition as YAML that reads back to the same: only what differs from the defaults is written."""
    text: str = yaml.dump(_sparse(definition), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # yaml brings no types
    """Quotes text with unusual line breaks so that they are read back as they are."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = '"' if _LINE_BREAKS.intersection(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _sparse(value: Any) -> Any:  # JSON, hence Any
    if isinstance(value, msgspec.Struct):
        defaults = {field.name: field.default for field in msgspec.structs.fields(type(value))}
        return {
            name: _sparse(getattr(value, name))
            for name in value.__struct_fields__
            if getattr(value, name) != defaults[name] and getattr(value, name) not in ((), {})
        }
    if isinstance(value, tuple | list):
        return [_sparse(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _sparse(one) for key, one in value.items()}
    return plain(value)


def diff(before: Definition, after: Definition) -> tuple[str, ...]:
    """What changed between two definitions, as lines of a unified diff of their YAML; empty when nothing did."""
    old, new = to_yaml(before).splitlines(), to_yaml(after).splitlines()
    return tuple(difflib.unified_diff(old, new, "before", "after", n=2, lineterm=""))
