"""The part of SARIF 2.1.0 that we read and write, as values; whatever else a file holds is left alone.

Tools bend the format, so reading is tolerant: everything has a default, unknown fields pass, numbers may be text, and
a message may be a bare string. `results` stays undecoded, because one odd result must not cost the others.
"""

from typing import Any, Final

import msgspec

VERSION: Final = "2.1.0"
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT_KEY: Final = "elohim/v1"
"""Under which our identity stands in `partialFingerprints`."""


class _Part(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """One object of a SARIF file. Not frozen: files of other tools are read into it and repaired."""


class Message(_Part):
    """Text, or the id of a text among the rule's messages with its arguments."""

    text: str = ""
    markdown: str = ""
    id: str = ""
    arguments: list[str] | None = None


class ArtifactLocation(_Part):
    """A file: `uri` is relative to the base named `uri_base_id`, `index` points into the run's artifacts."""

    uri: str = ""
    uri_base_id: str = ""
    index: int = -1


class Region(_Part):
    """Lines and columns, 1-based; 0 where the file says nothing."""

    start_line: int = 0
    start_column: int = 0
    end_line: int = 0
    end_column: int = 0
    snippet: Message | None = None


class PhysicalLocation(_Part):
    """A file and the region in it."""

    artifact_location: ArtifactLocation | None = None
    region: Region | None = None
    context_region: Region | None = None


class LogicalLocation(_Part):
    """A function or class by name."""

    name: str = ""
    fully_qualified_name: str = ""
    kind: str = ""


class Location(_Part):
    """Where something is, and what is said about it there."""

    physical_location: PhysicalLocation | None = None
    logical_locations: list[LogicalLocation] | None = None
    message: Message | None = None


class ThreadFlowLocation(_Part):
    """One step of a data flow."""

    location: Location | None = None


class ThreadFlow(_Part):
    """The steps of a data flow, in order."""

    locations: list[ThreadFlowLocation] | None = None


class CodeFlow(_Part):
    """One way a value takes."""

    thread_flows: list[ThreadFlow] | None = None


class Suppression(_Part):
    """Why a result does not count: `kind` is inSource or external, `status` accepted, underReview or rejected."""

    kind: str = ""
    status: str = ""
    justification: str = ""


class Reference(_Part):
    """A rule or taxon, by id or by its index in a component."""

    id: str = ""
    index: int = -1
    tool_component: "ComponentReference | None" = None


class ComponentReference(_Part):
    """The driver, or one of its extensions."""

    name: str = ""
    index: int = -1


class Relationship(_Part):
    """A rule belongs to a taxon, such as a CWE."""

    target: Reference | None = None


class Configuration(_Part):
    """How a rule reports by default."""

    level: str = ""


class Rule(_Part):
    """A reporting descriptor."""

    id: str = ""
    name: str = ""
    short_description: Message | None = None
    full_description: Message | None = None
    help: Message | None = None
    help_uri: str = ""
    message_strings: dict[str, Message] | None = None
    default_configuration: Configuration | None = None
    properties: dict[str, Any] | None = None  # anybody's JSON
    relationships: list[Relationship] | None = None


class Component(_Part):
    """A tool, or a pack of rules that it used."""

    name: str = ""
    full_name: str = ""
    version: str = ""
    semantic_version: str = ""
    information_uri: str = ""
    rules: list[Rule] | None = None


class Tool(_Part):
    """The driver and its extensions."""

    driver: Component | None = None
    extensions: list[Component] | None = None


class Notification(_Part):
    """What the tool said about its own run."""

    message: Message | None = None
    level: str = ""
    locations: list[Location] | None = None


class Invocation(_Part):
    """How the tool was run, and whether it ended well."""

    execution_successful: bool | None = None  # None: the file does not say, which counts as well
    exit_code: int | None = None
    tool_execution_notifications: list[Notification] | None = None
    tool_configuration_notifications: list[Notification] | None = None


class Artifact(_Part):
    """A file that the run knows of."""

    location: ArtifactLocation | None = None
    roles: list[str] | None = None


class Result(_Part):
    """One thing a tool said. Field for field as in the standard; see `findings.sarif_in` for how it is understood."""

    rule_id: str = ""
    rule_index: int = -1
    rule: Reference | None = None
    kind: str = ""
    level: str = ""
    message: Message | str | None = None
    locations: list[Location] | None = None
    related_locations: list[Location] | None = None
    code_flows: list[CodeFlow] | None = None
    partial_fingerprints: dict[str, str] | None = None
    fingerprints: dict[str, str] | None = None
    suppressions: list[Suppression] | None = None
    baseline_state: str = ""
    taxa: list[Reference] | None = None
    properties: dict[str, Any] | None = None  # anybody's JSON


class RunHead(_Part):
    """A run with its results left as text."""

    tool: Tool | None = None
    results: list[msgspec.Raw] | None = None
    artifacts: list[Artifact] | None = None
    invocations: list[Invocation] | None = None
    original_uri_base_ids: dict[str, ArtifactLocation] | None = None


class LogHead(_Part):
    """A file with its results left as text."""

    version: str = ""
    runs: list[RunHead] | None = None


class Run(_Part):
    """A run as we write it."""

    tool: Tool
    results: list[Result]
    invocations: list[Invocation] | None = None
    automation_details: Message | None = None
    original_uri_base_ids: dict[str, ArtifactLocation] | None = None
    column_kind: str = ""


class Log(msgspec.Struct, rename="camel"):
    """A file as we write it."""

    version: str
    runs: list[Run]
    schema: str = msgspec.field(name="$schema", default=SCHEMA)
