"""The real npm, asking a registry on this machine; and a program of ours that ends the ways npm can."""

import gzip
import json
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from elohim_kernel.engines import npm_audit
from elohim_kernel.model.finding import EngineStatus, Severity
from elohim_kernel.ports import EngineRequest

BEFORE = {"README.md": "# Shop\n"}
LOCK = """{
  "name": "shop",
  "lockfileVersion": 3,
  "packages": {
    "": {"name": "shop", "dependencies": {"lodash": "4.0.0", "left": "1.0.0"}},
    "node_modules/left": {"version": "1.0.0", "dependencies": {"lodash": "4.17.21"}},
    "node_modules/left/node_modules/lodash": {"version": "4.17.21"},
    "node_modules/lodash": {"version": "4.0.0"}
  }
}
"""
VULNERABLE = {
    "id": 1,
    "url": "https://github.com/advisories/GHSA-1",
    "title": "Prototype pollution",
    "severity": "high",
    "vulnerable_versions": "<4.17.21",
    "cwe": ["CWE-1321"],
    "cvss": {"score": 7.2, "vectorString": None},
}

installed = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


class Registry:
    """Answers like npm's registry, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked = json.loads(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                registry.asked.append(asked)
                self._send({"lodash": [VULNERABLE]} if "4.0.0" in asked.get("lodash", ()) else {})

            def do_GET(self) -> None:
                versions = {each: {"name": "lodash", "version": each} for each in ("4.0.0", "4.17.21")}
                self._send({"name": "lodash", "dist-tags": {"latest": "4.17.21"}, "versions": versions})

            def _send(self, told: object) -> None:
                content = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *parts: object) -> None:
                """Tests are quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def registry() -> Iterator[Registry]:
    made = Registry()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def ask(project, tools):
    def run(files, url="http://127.0.0.1:9/"):
        made = project(BEFORE, files)
        change = tools.repository(made.path).change("main", "feature")
        options = {"npm_registry": url, "network": "yes"}
        request = EngineRequest(repository=made.path, head=change.head, change=change, options=options, timeout_s=60)
        return npm_audit.run(request, tools)

    return run


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a program named npm first on the path; it prints the text."""

    def write(printed: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        place = folder / "npm"
        place.write_text(f"#!{sys.executable}\nimport sys\nprint({printed!r})\nsys.exit(1)\n")
        place.chmod(0o755)
        monkeypatch.setattr(npm_audit, "PROGRAM", str(place))

    return write


@installed
def test_what_the_registry_lists_is_a_finding_at_the_entry_it_means(ask, registry):
    report = ask({"web/package-lock.json": LOCK}, registry.url)

    (one,) = report.findings
    assert (one.rule, one.path, one.line, one.cwe) == ("GHSA-1", "web/package-lock.json", 8, 1321)
    assert (one.severity, one.tool_severity, one.category) == (Severity.HIGH, "high", "dependency")
    assert one.message == "lodash 4.0.0: Prototype pollution"
    assert (report.status, report.covered) == (EngineStatus.FINDINGS, ("web/package-lock.json",))
    assert sorted(registry.asked[0]["lodash"]) == ["4.0.0", "4.17.21"]


@installed
def test_clean_needs_an_answer(ask, registry):
    report = ask({"package-lock.json": LOCK.replace("4.0.0", "4.17.21")}, registry.url)

    assert (report.status, report.reason) == (EngineStatus.CLEAN, "1 lock file asked about and answered, none affected")


@installed
def test_without_a_network_it_failed_and_is_never_clean(ask):
    report = ask({"package-lock.json": LOCK})

    assert report.status is EngineStatus.FAILED
    assert "no answer" in report.reason


@installed
def test_settings_and_scripts_of_the_repository_take_no_part(ask, registry, tmp_path):
    marker = tmp_path / "ran"
    manifest = json.dumps({"name": "x", "scripts": {"preinstall": f"touch {marker}", "audit": f"touch {marker}"}})
    poison = {".npmrc": "registry=http://127.0.0.1:9/\naudit=false\n", "package.json": manifest, "audit.js": "x"}

    report = ask({**poison, "package-lock.json": LOCK}, registry.url)

    assert [one.rule for one in report.findings] == ["GHSA-1"]
    assert not marker.exists()


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ('{"statusCode": 405, "message": "Method Not Allowed"}', "405 Method Not Allowed"),
        ('{"error": {"code": "ENOLOCK", "summary": "needs a lock file"}}', "needs a lock file"),
        ('{"message": "request failed", "error": {"summary": "", "detail": ""}}', "request failed"),
        ("", "no answer"),
        ("{}", "no answer"),
        ("found 0 vulnerabilities", "no answer"),
    ],
)
def test_an_error_in_any_wrapping_is_a_failure(ask, program, printed, reason):
    program(printed)

    report = ask({"package-lock.json": LOCK})

    assert report.status is EngineStatus.FAILED
    assert reason in report.reason


def test_a_broken_lock_file_is_not_clean(ask, program):
    program('{"auditReportVersion": 2, "vulnerabilities": {}}')

    report = ask({"package-lock.json": "{", "web/package-lock.json": LOCK})

    assert (report.status, report.skipped) == (EngineStatus.PARTIAL, ("package-lock.json",))


def test_without_a_lock_file_it_did_not_run(ask, program):
    program("{}")

    report = ask({"package.json": "{}"})

    assert (report.status, report.reason) == (EngineStatus.NOT_RUN, "no lock files of npm in the change")


def test_it_asks_a_registry_so_it_runs_only_when_allowed():
    assert npm_audit.TRAITS.network
