"""Reading SARIF of many tools: what they bend, what is bounded, and what nobody may be told wrongly."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.findings import sarif_in
from elohim_kernel.findings.sarif_in import ImportedRun, identified, read_sarif
from elohim_kernel.model.finding import EngineStatus, Finding, Severity

Json = Mapping[str, Any]


def a_result(**fields: Any) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": "app/db.py"}, "region": {"startLine": 3}}
    return {"ruleId": "py/sql", "message": {"text": "Query"}, "locations": [{"physicalLocation": place}], **fields}


def a_run(*results: object, **fields: Any) -> dict[str, Any]:
    return {"tool": {"driver": {"name": "Finder", "version": "2.1"}}, "results": list(results), **fields}


def a_file(*runs: Json) -> bytes:
    return json.dumps({"version": "2.1.0", "runs": list(runs)}).encode()


def the_run(*results: object, root: str = "", **fields: Any) -> ImportedRun:
    (run,) = read_sarif(a_file(a_run(*results, **fields)), root=root)
    return run


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

    runs = list(read_sarif(a_file(first, second)))

    assert [(run.tool, run.status, run.results) for run in runs] == [
        ("import:finder", EngineStatus.FINDINGS, 1),
        ("import:ruff", EngineStatus.CLEAN, 0),
    ]
    assert runs[0].version == "2.1"


@pytest.mark.parametrize(
    ("uri", "root", "path"),
    [
        ("app/a%20b.py", "", "app/a b.py"),
        ("./app/x.py", "", "app/x.py"),
        ("file:///srv/shop/app/x.py", "/srv/shop", "app/x.py"),
        ("/srv/shop/app/x.py", "/srv/shop", "app/x.py"),
        ("/elsewhere/app/x.py", "/srv/shop", "elsewhere/app/x.py"),
        ("file://host/srv/shop/x.py", "/srv/shop", "x.py"),
        ("C:\\work\\app\\x.py", "", "work/app/x.py"),
        ("file:///C:/work/app/x.py", "", "work/app/x.py"),
        ("app\\sub\\x.py", "", "app/sub/x.py"),
        ("../../etc/passwd", "", "etc/passwd"),
        ("a/../../../x.py", "", "x.py"),
        ("", "", ""),
    ],
)
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
        {"ruleIndex": 0},
        {"rule": {"index": 0}},
        {"ruleId": "py/sql"},
        {"ruleId": "py/sql", "ruleIndex": 5},
        {"rule": {"id": "py/sql"}},
        {"ruleId": "py/sql/variant-2"},
    ],
)
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


def test_flow_related_places_suppression_and_symbol_are_kept():
    step = {"location": {**at("app/in.py")[0], "message": {"text": "source"}}}
    fields = {
        "codeFlows": [{"threadFlows": [{"locations": [step, step]}]}],
        "relatedLocations": at("app/near.py"),
        "suppressions": [{"kind": "inSource", "justification": "checked"}],
    }
    fields["locations"] = [{**at("app/db.py")[0], "logicalLocations": [{"fullyQualifiedName": "db.find"}]}]

    found = the_finding(**fields)

    assert [(place.path, place.flow) for place in found.related] == [
        ("app/in.py", True),
        ("app/in.py", True),
        ("app/near.py", False),
    ]
    assert (found.suppressed, found.symbol) == ("inSource: checked", "db.find")


def test_a_rejected_suppression_suppresses_nothing():
    assert the_finding(suppressions=[{"kind": "external", "status": "rejected"}]).suppressed == ""


@pytest.mark.parametrize("kind", ["pass", "notApplicable"])
def test_a_result_that_all_is_well_is_no_finding_and_is_counted(kind: str):
    run = the_run(a_result(kind=kind), a_result())

    assert len(run.findings) == 1
    assert run.notes == ("1 results tell of no problem",)


def test_an_odd_result_does_not_cost_the_others():
    run = the_run(3, a_result(), {"locations": "x"}, a_result(level=None, ruleIndex=None, properties=None))

    assert len(run.findings) == 2
    assert run.notes == ("2 results could not be read",)


def test_a_run_that_failed_is_not_clean_and_proves_no_absence():
    said = {"message": {"text": "out of memory"}, "level": "error"}
    failed = {"invocations": [{"executionSuccessful": False, "exitCode": 9, "toolExecutionNotifications": [said]}]}
    listed = {"artifacts": [{"location": {"uri": "app/db.py"}, "roles": ["analysisTarget"]}]}

    run = the_run(**failed, **listed)
    partial = the_run(a_result(), **failed, **listed)
    fine = the_run(a_result(), **listed)

    assert (run.status, run.covered) == (EngineStatus.FAILED, ())
    assert run.notes == ("the tool said: out of memory",)
    assert (partial.status, partial.covered) == (EngineStatus.PARTIAL, ())
    assert fine.covered == ("app/db.py",)


def test_the_same_placeholder_for_everybody_is_no_identity():
    found = the_finding(fingerprints={"matchBasedId/v1": "requires login"})

    assert found.tool_id == ""


def test_results_past_the_cap_are_counted_and_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sarif_in, "RESULTS_CAP", 3)

    run = the_run(*(a_result() for _ in range(5)))

    assert (len(run.findings), run.results) == (3, 5)
    assert run.notes == ("5 results, of which the first 3 were taken: split the file to have them all",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"not json",
        b'{"version": "2.1.0"}',
        b'{"runs": 3}',
        b'{"runs": [{"results": [}]}',
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"runs":' + b"[" * 200_000,
    ],
)
def test_what_is_no_sarif_is_refused(content: bytes):
    with pytest.raises(Invalid):
        list(read_sarif(content))


@pytest.mark.parametrize(
    ("bomb", "what"),
    [
        (b'{"runs":[{"results":[' + b"{}," * 9_000_000 + b"{}]}]}", "too many objects"),
        (b'{"runs":[' + b"{}," * 2_000 + b"{}]}", "more than 1,000 runs"),
    ],
)
def test_a_file_of_nothing_but_brackets_is_refused_before_it_costs_memory(bomb: bytes, what: str):
    with pytest.raises(TooLarge, match=what):
        list(read_sarif(bomb))


def test_a_result_nested_without_end_is_refused():
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    good = json.dumps(a_result()).encode()
    content = b'{"runs":[{"tool":{"driver":{"name":"X"}},"results":[{"properties":' + deep + b"}," + good + b"]}]}"

    with pytest.raises(Invalid, match="nested too deeply"):
        list(read_sarif(content))


def test_a_long_message_and_a_long_flow_are_cut_and_said():
    step = {"location": at("a.py")[0]}
    flow = [{"threadFlows": [{"locations": [step] * 500}]}]

    run = the_run(a_result(message={"text": "x" * 1_000_000}, codeFlows=flow))

    assert (len(run.findings[0].message), len(run.findings[0].related)) == (4_000, 100)
    assert len(run.notes) == 2


def test_identities_are_those_the_tools_own_finding_would_have():
    source = {"app/db.py": b"import x\n\nexecute(query)\n"}
    run = the_run(a_result())

    (with_source,) = identified(run, source)
    (moved,) = identified(
        the_run(
            a_result(
                locations=[{"physicalLocation": {"artifactLocation": {"uri": "app/db.py"}, "region": {"startLine": 5}}}]
            )
        ),
        {"app/db.py": b"import x\n\n\n\nexecute(query)\n"},
    )

    assert with_source.snippet == "execute(query)"
    assert with_source.fingerprint == moved.fingerprint
    assert with_source.tool == "import:finder"


def test_without_source_or_quote_the_message_tells_findings_apart():
    run = the_run(a_result(message={"text": "one"}), a_result(message={"text": "two"}))

    first, second = identified(run, {})

    assert first.fingerprint != second.fingerprint
    assert (first.snippet, second.snippet) == ("", "")


def test_an_identity_given_twice_is_not_believed():
    ours = {"partialFingerprints": {"elohim/v1": "v1:abc"}}

    (alone,) = identified(the_run(a_result(**ours)), {})
    both = identified(the_run(a_result(**ours), a_result(message={"text": "other"}, **ours)), {})

    assert alone.fingerprint == "v1:abc"
    assert len({each.fingerprint for each in both}) == 2
    assert all(each.fingerprint != "v1:abc" for each in both)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
_NAMES = st.sampled_from(
    ["ruleId", "ruleIndex", "rule", "level", "message", "locations", "codeFlows", "fingerprints", "properties", "kind"]
)


@given(st.dictionaries(_NAMES, _JSON, max_size=8))
def test_no_result_however_odd_breaks_the_reading(fields: dict[str, Any]):
    run = the_run({**a_result(), **fields}, a_result())

    assert run.results == 2
    assert run.findings
    assert all(not each.path.startswith(("/", "../")) and each.line >= 0 for each in run.findings)
