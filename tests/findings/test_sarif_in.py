"""Reading SARIF of many tools: what they bend, what is bounded, and what nobody may be told wrongly."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.findings import sarif_in
from elohim_kernel.findings.sarif_in import Account, read_sarif
from elohim_kernel.model.finding import EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted

Json = Mapping[str, Any]


class Seen(NamedTuple):
    """A run that was read to its end."""

    tool: str
    version: str
    results: int
    findings: tuple[Finding, ...]
    account: Account


def a_result(**fields: Any) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": "app/db.py"}, "region": {"startLine": 3}}
    return {"ruleId": "py/sql", "message": {"text": "Query"}, "locations": [{"physicalLocation": place}], **fields}


def a_run(*results: object, **fields: Any) -> dict[str, Any]:
    return {"tool": {"driver": {"name": "Finder", "version": "2.1"}}, "results": list(results), **fields}


def a_file(*runs: Json) -> bytes:
    return json.dumps({"version": "2.1.0", "runs": list(runs)}).encode()


def seen(content: bytes, root: str = "") -> list[Seen]:
    return [
        Seen(run.tool, run.version, run.results, tuple(run.findings()), run.account())
        for run in read_sarif(content, root=root)
    ]


def the_run(*results: object, root: str = "", **fields: Any) -> Seen:
    (run,) = seen(a_file(a_run(*results, **fields)), root)
    return run


def identified(source: Mapping[str, bytes], *results: object, part: int = 5_000) -> list[Finding]:
    (run,) = read_sarif(a_file(a_run(*results)))
    return [each for batch in run.identified(source, part=part) for each in batch]


def the_finding(root: str = "", run: Json | None = None, **fields: Any) -> Finding:
    (finding,) = the_run(a_result(**fields), root=root, **(run or {})).findings
    return finding


def at(uri: str, **more: Any) -> list[Json]:
    return [{"physicalLocation": {"artifactLocation": {"uri": uri, **more}, "region": {"startLine": 1}}}]


def ruled(*rules: Json) -> dict[str, Any]:
    return {"tool": {"driver": {"name": "Finder", "rules": list(rules)}}}


def test_many_runs_are_read_in_order_each_under_a_name_that_says_it_came_from_a_file():
    first = a_run(a_result())
    second = {"tool": {"driver": {"name": "Ruff"}}, "results": []}

    runs = seen(a_file(first, second))

    assert [(run.tool, run.account.status, run.results) for run in runs] == [
        ("import:finder", EngineStatus.FINDINGS, 1),
        ("import:ruff", EngineStatus.CLEAN, 0),
    ]
    assert runs[0].version == "2.1"


@pytest.mark.parametrize(
    ("uri", "root", "path"),
    [
        ("app/a%20b.py", "", "app/a b.py"), ("./app/x.py", "", "app/x.py"),
        ("file:///srv/shop/app/x.py", "/srv/shop", "app/x.py"), ("/srv/shop/app/x.py", "/srv/shop", "app/x.py"),
        ("/elsewhere/app/x.py", "/srv/shop", "elsewhere/app/x.py"),
        ("file://host/srv/shop/x.py", "/srv/shop", "x.py"), ("C:\\work\\app\\x.py", "", "work/app/x.py"),
        ("file:///C:/work/app/x.py", "", "work/app/x.py"), ("app\\sub\\x.py", "", "app/sub/x.py"),
        ("../../etc/passwd", "", "etc/passwd"), ("a/../../../x.py", "", "x.py"), ("", "", ""),
    ],
)  # fmt: skip
def test_a_path_becomes_relative_whatever_the_tool_wrote(uri: str, root: str, path: str):
    assert the_finding(root=root, locations=at(uri)).path == path


def test_a_path_relative_to_a_named_base_is_resolved_and_made_relative_again():
    bases = {"originalUriBaseIds": {"SRC": {"uri": "file:///build/1/shop/"}}}

    assert the_finding(run=bases, locations=at("app/x.py", uriBaseId="SRC")).path == "app/x.py"
    assert the_finding(run=bases, root="/build/1", locations=at("app/x.py", uriBaseId="SRC")).path == "shop/app/x.py"


def test_a_path_may_stand_only_in_the_list_of_artifacts():
    run = {"artifacts": [{"location": {"uri": "app/y.py"}}]}
    place = [{"physicalLocation": {"artifactLocation": {"index": 0}, "region": {"startLine": "7"}}}]

    found = the_finding(run=run, locations=place)

    assert (found.path, found.line) == ("app/y.py", 7)


@pytest.mark.parametrize(
    ("number", "severity"),
    [("9.8", "critical"), ("9.0", "critical"), ("7.2", "high"), ("4", "medium"), ("0.1", "low"), ("0.0", "info")],
)
def test_a_security_number_gives_the_severity_hosts_give_it(number: str, severity: str):
    rule = {"id": "py/sql", "properties": {"security-severity": number}}

    assert the_finding(run=ruled(rule)).severity.value == severity


def test_without_a_number_the_level_counts_the_results_own_before_the_rules():
    rule = {"id": "py/x", "defaultConfiguration": {"level": "error"}}

    by_rule = the_finding(run=ruled(rule), ruleId="py/x")
    by_result = the_finding(run=ruled(rule), ruleId="py/x", level="note")

    assert (by_rule.severity, by_rule.tool_severity) == (Severity.HIGH, "error")
    assert (by_result.severity, by_result.tool_severity) == (Severity.LOW, "note")


@pytest.mark.parametrize(
    "fields",
    [
        {"ruleIndex": 0}, {"rule": {"index": 0}}, {"ruleId": "py/sql"}, {"ruleId": "py/sql", "ruleIndex": 5},
        {"rule": {"id": "py/sql"}}, {"ruleId": "py/sql/variant-2"},
    ],
)  # fmt: skip
def test_a_rule_is_found_by_index_or_name_whichever_is_right(fields: Json):
    rule = {"id": "py/sql", "properties": {"tags": ["security", "external/cwe/cwe-089"]}}
    result = {key: value for key, value in a_result().items() if key != "ruleId"} | fields

    (found,) = the_run(result, **ruled(rule)).findings

    assert (found.cwe, found.category) == (89, "sql-injection")


def test_a_rule_of_an_extension_is_found():
    rules = [{"id": "ext/xss", "relationships": [{"target": {"id": "79", "toolComponent": {"name": "CWE"}}}]}]
    tool = {"tool": {"driver": {"name": "CodeQL"}, "extensions": [{"name": "pack", "rules": rules}]}}

    found = the_finding(run=tool, ruleId="", rule={"index": 0, "toolComponent": {"index": 0}})

    assert (found.rule, found.cwe) == ("ext/xss", 79)


def test_a_message_is_filled_in_from_the_rule_or_is_a_bare_string():
    rule = {"id": "py/sql", "messageStrings": {"default": {"text": "From {0} to {1}, {7}"}}}
    told = {"id": "default", "arguments": ["a", "b"]}

    assert the_finding(run=ruled(rule), message=told).message == "From a to b, {7}"
    assert the_finding(message="just words").message == "just words"
    assert the_finding(message=None).message == "py/sql"


def test_a_rejected_suppression_suppresses_nothing():
    assert the_finding(suppressions=[{"kind": "external", "status": "rejected"}]).suppressed == ""


def test_flow_related_places_suppression_and_symbol_are_kept():
    step = {"location": {**at("app/in.py")[0], "message": {"text": "source"}}}
    fields = {
        "codeFlows": [{"threadFlows": [{"locations": [step, step]}]}],
        "relatedLocations": at("app/near.py"),
        "suppressions": [{"kind": "inSource", "justification": "checked"}],
    }
    fields["locations"] = [{**at("app/db.py")[0], "logicalLocations": [{"fullyQualifiedName": "db.find"}]}]

    found = the_finding(**fields)

    places = [("app/in.py", True), ("app/in.py", True), ("app/near.py", False)]
    assert [(place.path, place.flow) for place in found.related] == places
    assert (found.suppressed, found.symbol) == ("inSource: checked", "db.find")


@pytest.mark.parametrize("kind", ["pass", "notApplicable"])
def test_a_result_that_all_is_well_is_no_finding_and_is_counted(kind: str):
    run = the_run(a_result(kind=kind), a_result())

    assert len(run.findings) == 1
    assert run.account.notes == ("1 results tell of no problem",)


def test_an_odd_result_does_not_cost_the_others():
    odd = a_result(level=None, ruleIndex=None, properties=None, message={"text": "odd"})

    run = the_run(3, a_result(), {"locations": "x"}, odd)

    assert len(run.findings) == 2
    assert run.account.notes == ("2 results could not be read",)


def test_a_run_that_failed_is_not_clean_and_proves_no_absence():
    said = {"message": {"text": "out of memory"}, "level": "error"}
    failed = {"invocations": [{"executionSuccessful": False, "exitCode": 9, "toolExecutionNotifications": [said]}]}
    listed = {"artifacts": [{"location": {"uri": "app/db.py"}, "roles": ["analysisTarget"]}]}

    run = the_run(**failed, **listed)
    partial = the_run(a_result(), **failed, **listed)
    fine = the_run(a_result(), **listed)

    assert (run.account.status, run.account.covered) == (EngineStatus.FAILED, ())
    assert run.account.notes == ("the tool said: out of memory",)
    assert (partial.account.status, partial.account.covered) == (EngineStatus.PARTIAL, ())
    assert fine.account.covered == ("app/db.py",)


def test_the_same_placeholder_for_everybody_is_no_identity():
    found = the_finding(fingerprints={"matchBasedId/v1": "requires login"})

    assert found.tool_id == ""


def test_results_past_the_cap_are_counted_and_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sarif_in, "RESULTS_CAP", 3)

    run = the_run(*(a_result(message={"text": str(number)}) for number in range(5)))

    assert (len(run.findings), run.results) == (3, 5)
    assert run.account.notes == ("5 results, of which the first 3 were taken: split the file to have them all",)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"not json", b'{"version": "2.1.0"}', b'{"runs": 3}', b'{"runs": [{"results": [}]}',
        b"\xff\xfe\x00", b"[" * 200_000, b'{"runs":' + b"[" * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_sarif_is_refused(content: bytes):
    with pytest.raises(Invalid):
        seen(content)


@pytest.mark.parametrize(
    ("bomb", "what"),
    [
        (b'{"runs":[{"results":[' + b"{}," * 9_000_000 + b"{}]}]}", "too many objects"),
        (b'{"runs":[' + b"{}," * 2_000 + b"{}]}", "2,001 runs; at most 1,000"),
    ],
)
def test_a_file_of_nothing_but_brackets_is_refused_before_it_costs_memory(bomb: bytes, what: str):
    with pytest.raises(TooLarge, match=what):
        seen(bomb)


def test_a_result_nested_without_end_is_refused():
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    good = json.dumps(a_result()).encode()
    content = b'{"runs":[{"tool":{"driver":{"name":"X"}},"results":[{"properties":' + deep + b"}," + good + b"]}]}"

    with pytest.raises(Invalid, match="nested too deeply"):
        seen(content)


def test_a_long_message_and_a_long_flow_are_cut_and_said():
    step = {"location": at("a.py")[0]}
    flow = [{"threadFlows": [{"locations": [step] * 500}]}]

    run = the_run(a_result(message={"text": "x" * 1_000_000}, codeFlows=flow))

    assert (len(run.findings[0].message), len(run.findings[0].related)) == (4_000, 100)
    assert len(run.account.notes) == 2


def test_identities_are_those_the_tools_own_finding_would_have():
    own = Finding(rule="py/sql", severity=Severity.MEDIUM, message="", path="app/db.py", line=3, tool="finder")
    source = {"app/db.py": b"import x\n\nexecute(query)\n"}
    moved = {"app/db.py": b"import x\n\n\n\nexecute(query)\n"}
    place = {"artifactLocation": {"uri": "app/db.py"}, "region": {"startLine": 5}}

    (here,) = identified(source, a_result())
    (there,) = identified(moved, a_result(locations=[{"physicalLocation": place}]))

    assert here.snippet == "execute(query)"
    assert here.fingerprint == there.fingerprint == fingerprinted([own], source)[0].fingerprint
    assert here.tool == "import:finder"


def test_without_source_or_quote_the_message_tells_findings_apart():
    first, second = identified({}, a_result(message={"text": "one"}), a_result(message={"text": "two"}))

    assert first.fingerprint != second.fingerprint
    assert (first.snippet, second.snippet) == ("", "")


def test_an_identity_of_an_earlier_export_is_kept_once():
    ours = {"partialFingerprints": {"elohim/v1": "v1:abc"}}

    one, two = identified({}, a_result(**ours), a_result(message={"text": "other"}, **ours))

    assert one.fingerprint == "v1:abc"
    assert two.fingerprint.startswith("v1:")
    assert two.fingerprint != "v1:abc"


def test_parts_of_a_run_get_the_identities_of_the_whole():
    places = [{"artifactLocation": {"uri": "app/db.py"}, "region": {"startLine": line}} for line in range(1, 8)]
    results = [a_result(locations=[{"physicalLocation": place}]) for place in places]
    source = {"app/db.py": b"execute(query)\n" * 7}

    whole, parts = identified(source, *results), identified(source, *results, part=2)

    assert [each.fingerprint for each in whole] == [each.fingerprint for each in parts]
    assert len({each.fingerprint for each in whole}) == 7


def test_a_result_said_twice_is_one_finding():
    run = the_run(a_result(), a_result(), a_result(level="note"))

    assert len(run.findings) == 1
    assert run.account.notes == ("2 results say the same as an earlier one",)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
_NAMES = st.sampled_from(
    ["ruleId", "ruleIndex", "rule", "level", "message", "locations", "codeFlows", "fingerprints", "properties", "kind"]
)


@given(st.dictionaries(_NAMES, _JSON, max_size=8))
def test_no_result_however_odd_breaks_the_reading(fields: dict[str, Any]):
    run = the_run({**a_result(), **fields}, a_result(message="known"))

    assert run.results == 2
    assert run.findings
    assert all(not each.path.startswith(("/", "../")) and each.line >= 0 for each in run.findings)
