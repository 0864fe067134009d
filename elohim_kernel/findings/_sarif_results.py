"""What one result of a SARIF run means in our words: rule, severity, place, flow, suppression, identity.

Everything that repeats in a run (rules, paths) is worked out once: a run may hold a hundred thousand results.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

from elohim_kernel.model.category import DEMOTED
from elohim_kernel.model.finding import Confidence, Finding, Place, Severity
from elohim_kernel.model.fingerprint import IMPORTED, context_of
from elohim_kernel.model.rules import judged
from elohim_kernel.model.sarif import (
    FINGERPRINT_KEY,
    ArtifactLocation,
    CodeFlow,
    Component,
    Location,
    Message,
    Region,
    Result,
    Rule,
    RunHead,
    Suppression,
)

MESSAGE_CAP: Final = 4_000
STEPS_CAP: Final = 100
PATH_CAP: Final = 1_000
_SNIPPET_CAP: Final = 400

_LEVELS: Final = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.INFO,
}
_PRECISIONS: Final = {
    "very-high": Confidence.HIGH,
    "high": Confidence.HIGH,
    "medium": Confidence.MEDIUM,
    "low": Confidence.LOW,
}
_NO_FINDING: Final = frozenset({"pass", "notApplicable", "open"})
_CWE: Final = re.compile(r"(?<![a-z])cwe[-_/: ]*0*(\d{1,5})(?!\d)", re.IGNORECASE)
_ADVISORY: Final = re.compile(r"\b(CVE-\d{4}-\d{4,7}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|PYSEC-\d{4}-\d+)\b")
_DRIVE: Final = re.compile(r"^/?[A-Za-z]:(?=[/\\])")
_SLUG: Final = re.compile(r"[^a-z0-9._-]+")
_PLACEHOLDER: Final = re.compile(r"\{(\d+)\}")


class _Known(NamedTuple):
    """A rule of the run, understood once."""

    id: str
    severity: Severity | None  # from the rule's own number
    level: str
    told: Severity  # what our tables say
    confidence: Confidence
    category: str
    cwe: int
    remediation: str
    texts: Mapping[str, Message]


class Reading:
    """One run while it is read: its rules and folders, and what had to be cut or skipped."""

    def __init__(self, run: RunHead, root: str) -> None:
        """`root`: the folder that absolute paths are made relative to; "" when none is known."""
        tool = run.tool
        driver = (tool.driver if tool else None) or Component()
        self._name = _SLUG.sub("-", driver.name.lower()).strip("-")[:60] or "unnamed"
        self.tool = f"{IMPORTED}{self._name}"
        self._components = [driver, *((tool.extensions if tool else None) or ())]
        self._run = run
        self._root = root.rstrip("/")
        self._rules: dict[tuple[str, int, int], _Known] = {}
        self._by_id: dict[str, Rule] = {
            rule.id: rule for component in reversed(self._components) for rule in component.rules or ()
        }
        self._paths: dict[tuple[str, str, int], str] = {}
        self._odd: Counter[str] = Counter()

    def finding(self, result: Result | None) -> Finding | None:
        """The finding a result is about; None for one that says all is well, or says nothing that can be read."""
        if result is None:
            self._odd["could not be read"] += 1
            return None
        if result.kind in _NO_FINDING or result.baseline_state == "absent":
            self._odd["tell of no problem"] += 1
            return None
        rule = self._rule(result)
        place = (result.locations or (Location(),))[0]
        path, region = self._place(place)
        message = self._message(result, rule)
        snippet = _quoted(place, region)
        tool_id, aliases = _identities(result) if result.partial_fingerprints or result.fingerprints else ("", ())
        return Finding(
            rule=rule.id,
            severity=_severity(result, rule),
            message=message,
            path=path,
            line=max(0, region.start_line),
            end_line=max(0, region.end_line),
            column=max(0, region.start_column),
            tool=self.tool,
            confidence=rule.confidence,
            category=rule.category,
            cwe=rule.cwe or _cwe_of(result),
            symbol=_symbol(place),
            snippet=snippet,
            context="" if snippet else context_of(message),
            remediation=rule.remediation,
            tool_id=tool_id,
            tool_severity=result.level or rule.level,
            advisories=_advisories(rule.id, message),
            related=tuple(self._related(result)) if result.code_flows or result.related_locations else (),
            suppressed=_suppressed(result.suppressions) if result.suppressions else "",
            fingerprint=(result.partial_fingerprints or {}).get(FINGERPRINT_KEY, "")[:80],
            aliases=aliases,
        )

    def covered(self) -> tuple[str, ...]:
        """Files that the run says it analysed."""
        listed = (each for each in self._run.artifacts or () if "analysisTarget" in (each.roles or ()))
        return tuple(sorted({path for each in listed if (path := self._path(each.location))}))

    def odd(self, what: str) -> None:
        """Count one more result of which that must be said."""
        self._odd[what] += 1

    def notes(self) -> Iterator[str]:
        """What was cut, skipped or odd, in words."""
        for what, number in sorted(self._odd.items()):
            yield f"{number:,} results {what}"

    def _rule(self, result: Result) -> _Known:
        reference = result.rule
        component = reference.tool_component.index + 1 if reference and reference.tool_component else 0
        name = result.rule_id or (reference.id if reference else "")
        index = result.rule_index if result.rule_index >= 0 else (reference.index if reference else -1)
        key = (name, index, component)
        if key not in self._rules:
            self._rules[key] = self._understood(*key)
        return self._rules[key]

    def _understood(self, name: str, index: int, component: int) -> _Known:
        rule = self._listed(name, index, component)
        identity = (name or rule.id or "unnamed")[:200]
        properties = rule.properties or {}
        tags = properties.get("tags")
        words = " ".join(map(str, tags)) if isinstance(tags, list) else ""
        targets = (each.target for each in rule.relationships or () if each.target)
        words += " " + " ".join(
            f"cwe-{one.id}" for one in targets if one.tool_component and "CWE" in one.tool_component.name.upper()
        )
        found = _CWE.search(f"{words} {properties.get('cwe', '')} {identity}")
        level = rule.default_configuration.level if rule.default_configuration else ""
        number = _number(properties.get("security-severity"))
        told = judged(
            self._name,
            identity,
            cwe=int(found[1]) if found else 0,
            severity=_LEVELS.get(level),
            confidence=_PRECISIONS.get(str(properties.get("precision", ""))),
        )
        return _Known(
            id=identity,
            severity=_scored(number),
            level=level,
            told=told.severity,
            confidence=told.confidence,
            category=told.category,
            cwe=told.cwe,
            remediation=_text(rule.help)[:MESSAGE_CAP] or (f"see {rule.help_uri}"[:500] if rule.help_uri else ""),
            texts=rule.message_strings or {},
        )

    def _listed(self, name: str, index: int, component: int) -> Rule:
        """The rule by its index where name and index agree, else by its name; tools get either wrong."""
        if 0 <= component < len(self._components):
            rules: Sequence[Rule] = self._components[component].rules or ()
            if 0 <= index < len(rules) and (not name or rules[index].id == name):
                return rules[index]
        # `name/variant` belongs to the rule `name`.
        for each in (name, name.rpartition("/")[0]):
            if each in self._by_id:
                return self._by_id[each]
        return Rule(id=name)

    def _message(self, result: Result, rule: _Known) -> str:
        told = result.message
        if isinstance(told, str):
            words = told
        elif told is None:
            words = ""
        else:
            words = told.text or _text(rule.texts.get(told.id)) or told.markdown
            arguments = told.arguments or ()
            if arguments:
                words = _PLACEHOLDER.sub(lambda found: _argument(arguments, int(found[1]), found[0]), words)
        if len(words) > MESSAGE_CAP:
            self._odd[f"had a message over {MESSAGE_CAP:,} characters, which was cut"] += 1
        return words[:MESSAGE_CAP].strip() or rule.id

    def _place(self, location: Location) -> tuple[str, Region]:
        physical = location.physical_location
        if physical is None:
            return "", Region()
        return self._path(physical.artifact_location), physical.region or Region()

    def _path(self, location: ArtifactLocation | None) -> str:
        if location is None:
            return ""
        key = (location.uri, location.uri_base_id, location.index)
        if key not in self._paths:
            self._paths[key] = self._worked_out(location)
        return self._paths[key]

    def _worked_out(self, location: ArtifactLocation) -> str:
        uri = location.uri
        artifacts = self._run.artifacts or ()
        if not uri and 0 <= location.index < len(artifacts):
            listed = artifacts[location.index].location
            return self._worked_out(ArtifactLocation(listed.uri, listed.uri_base_id)) if listed and listed.uri else ""
        base = (self._run.original_uri_base_ids or {}).get(location.uri_base_id)
        path = _plain(uri)
        if base is not None and base.uri and not _is_absolute(path):
            path = _plain(base.uri).rstrip("/") + "/" + path
        if len(path) > PATH_CAP:
            self._odd["had a path that is too long, which was cut"] += 1
        return _below(path, self._root, _plain(base.uri) if base else "")[:PATH_CAP]

    def _related(self, result: Result) -> Iterator[Place]:
        steps = list(_steps(result.code_flows or ()))
        if len(steps) > STEPS_CAP:
            self._odd[f"had more than {STEPS_CAP} steps of data flow, which were cut"] += 1
        for location in steps[:STEPS_CAP]:
            yield self._related_place(location, flow=True)
        for location in (result.related_locations or ())[:STEPS_CAP]:
            yield self._related_place(location, flow=False)

    def _related_place(self, location: Location, *, flow: bool) -> Place:
        path, region = self._place(location)
        words = _text(location.message)[:300]
        return Place(
            path=path, line=max(0, region.start_line), column=max(0, region.start_column), message=words, flow=flow
        )


def _steps(flows: Sequence[CodeFlow]) -> Iterator[Location]:
    """The first flow is enough to understand it; others are other ways to the same place."""
    for thread in (flows[0].thread_flows or ())[:1] if flows else ():
        for step in thread.locations or ():
            if step.location is not None:
                yield step.location


def _severity(result: Result, rule: _Known) -> Severity:
    if rule.category in DEMOTED:
        return Severity.INFO
    own = _scored(_number(result.properties.get("security-severity"))) if result.properties else None
    said = own or rule.severity or (_LEVELS.get(result.level) if result.level else None) or rule.told
    return max(said, Severity.LOW, key=lambda each: each.rank) if rule.category == "style" else said


def _scored(number: float | None) -> Severity | None:
    """The cut that code-scanning hosts make of a CVSS-like number from 0 to 10."""
    if number is None or not 0 <= number <= 10:
        return None
    cuts = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
    return next((severity for least, severity in cuts if number >= least), Severity.INFO)


def _number(value: object) -> float | None:
    if value is None:
        return None
    try:
        return float(str(value))
    except ValueError:
        return None


def _cwe_of(result: Result) -> int:
    for each in result.taxa or ():
        if each.tool_component and "CWE" in each.tool_component.name.upper() and each.id.isdigit():
            return int(each.id)
    tags = (result.properties or {}).get("tags")
    found = _CWE.search(" ".join(map(str, tags))) if isinstance(tags, list) else None
    return int(found[1]) if found else 0


def _symbol(location: Location) -> str:
    for each in location.logical_locations or ():
        return (each.fully_qualified_name or each.name)[:200]
    return ""


def _quoted(location: Location, region: Region) -> str:
    """The first line that the tool quotes."""
    text = _text(region.snippet)
    if not text and location.physical_location and location.physical_location.context_region:
        around = location.physical_location.context_region
        lines = _text(around.snippet).splitlines()
        place = region.start_line - around.start_line
        text = lines[place] if 0 <= place < len(lines) else ""
    return (text.strip().splitlines() or [""])[0].strip()[:_SNIPPET_CAP]


def _identities(result: Result) -> tuple[str, tuple[str, ...]]:
    """The identity the tool itself gives, and all of them for the record."""
    told = result.partial_fingerprints or {}
    if result.fingerprints:
        told = {**told, **result.fingerprints}
    # Semgrep writes this text for everybody who is not logged in: one identity for everything.
    aliases = [f"{name}={value}"[:200] for name, value in told.items() if name != FINGERPRINT_KEY and value]
    usable = [each for each in aliases if not each.endswith("=requires login")]
    return (usable[-1] if usable else ""), tuple(aliases[:10])


def _advisories(rule: str, message: str) -> tuple[str, ...]:
    told = f"{rule} {message}"
    if "CVE-" not in told and "GHSA-" not in told and "PYSEC-" not in told:
        return ()
    return tuple(dict.fromkeys(_ADVISORY.findall(told)))[:20]


def _suppressed(suppressions: Iterable[Suppression]) -> str:
    for each in suppressions:
        if each.status in ("", "accepted"):
            return f"{each.kind or 'suppressed'}: {each.justification}".rstrip(": ")[:300]
    return ""


def _text(message: Message | None) -> str:
    return (message.text or message.markdown) if message else ""


def _argument(arguments: Sequence[str], place: int, otherwise: str) -> str:
    return str(arguments[place])[:500] if place < len(arguments) else otherwise


def _plain(uri: str) -> str:
    """A URI as a path with forward slashes: escapes resolved, scheme and drive gone."""
    path = unquote(uri) if "%" in uri else uri
    if path.startswith("file:"):
        path = re.sub(r"^file:(?://[^/]*)?", "", path)
    if "\\" in path:
        path = path.replace("\\", "/")
    return _DRIVE.sub("", path)


def _is_absolute(path: str) -> bool:
    return path.startswith("/")


def _below(path: str, root: str, base: str) -> str:
    """Relative to `root` or to the run's own base; what lies outside of both keeps its name without the start."""
    if not path:
        return ""
    path = posixpath.normpath(path)
    for start in (root, posixpath.normpath(base) if base else ""):
        if start and start != "/" and path.startswith(f"{start}/"):
            return path[len(start) + 1 :]
    while path.startswith(("/", "../")):
        path = path.removeprefix("../").lstrip("/")
    return "" if path in (".", "..") else path
