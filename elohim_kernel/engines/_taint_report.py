"""From what sinks have seen to what is said about it: a statement for each line and category, and what is refuted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from elohim_kernel.engines._taint_outcomes import Outcome
from elohim_kernel.engines._taint_values import Taint


class Kind(NamedTuple):
    """How findings of a category are told."""

    severity: str
    danger: str
    remedy: str


KINDS: Final[Mapping[str, Kind]] = {
    "sql-injection": Kind(
        "high",
        "becomes part of the SQL that {sink} runs",
        "leave the text of the statement constant and pass values apart: cursor.execute('… WHERE name = ?', (name,))",
    ),
    "command-injection": Kind(
        "high",
        "becomes part of the command that {sink} starts",
        "start a constant program with a list of arguments and without a shell: subprocess.run(['ls', '--', name])",
    ),
    "code-injection": Kind(
        "high",
        "is run as code by {sink}",
        "do not run text: read literals with ast.literal_eval, pick functions from a dictionary of your own",
    ),
    "path-traversal": Kind(
        "high",
        "chooses the file that {sink} touches",
        "take only a name (werkzeug.utils.secure_filename), or check Path(base, name).resolve().is_relative_to(base)",
    ),
    "xss": Kind(
        "medium",
        "is sent to the browser as HTML by {sink}",
        "escape it (markupsafe.escape) or render it in a template that escapes by itself",
    ),
    "template-injection": Kind(
        "high",
        "becomes part of the template that {sink} runs",
        "leave the template constant and pass the data as a variable: render_template('page.html', name=name)",
    ),
    "xpath-injection": Kind(
        "medium",
        "becomes part of the XPath query of {sink}",
        "leave the query constant and pass values as variables: tree.xpath('//user[@name=$name]', name=name)",
    ),
    "ldap-injection": Kind(
        "high",
        "becomes part of the LDAP filter or name given to {sink}",
        "escape it: ldap3.utils.conv.escape_filter_chars for filters, ldap3.utils.dn.escape_rdn for names",
    ),
    "open-redirect": Kind(
        "medium",
        "chooses where {sink} sends the browser",
        "redirect to names of your own (url_for), or check the host: urlsplit(url).netloc in ALLOWED",
    ),
    "trust-boundary": Kind(
        "low",
        "is kept in {sink} unchecked, where it will be trusted",
        "check it before it is stored, and never let it choose the key",
    ),
    "ssrf": Kind(
        "high",
        "chooses the host that {sink} asks",
        "look the address up in a list of your own, or check urlsplit(url).hostname against one",
    ),
    "deserialization": Kind(
        "high",
        "is unpacked by {sink}, which can run code",
        "use a format that holds only data: json.loads, yaml.safe_load",
    ),
    "xxe": Kind(
        "high",
        "is read by {sink} with a parser that fetches what the document names",
        "leave external entities off, or use defusedxml",
    ),
    "log-injection": Kind(
        "info",
        "is written to the log by {sink} with its line breaks",
        "take line breaks out: text.replace('\\n', ' ')",
    ),
    "insecure-cookie": Kind(
        "medium",
        "{flaw}",
        "response.set_cookie(name, value, secure=True, httponly=True, samesite='Lax')",
    ),
    "weak-hash": Kind(
        "medium",
        "{sink}: {flaw}",
        "hashlib.sha256, or hashlib.scrypt for passwords; usedforsecurity=False where it protects nothing",
    ),
    "weak-random": Kind("medium", "{sink}: {flaw}", "use secrets.token_urlsafe or secrets.SystemRandom"),
    "weak-cipher": Kind("high", "{sink}: {flaw}", "use AES in GCM mode, or cryptography.fernet"),
    "exposure": Kind("high", "{sink}: {flaw}", "leave debug off; switch it on from the command line where you develop"),
    "tls": Kind("high", "{sink}: {flaw}", "use ssl.create_default_context()"),
}


_WEAK_MATTERS: Final = frozenset(
    ("sql-injection", "command-injection", "code-injection", "deserialization", "open-redirect", "xss")
)
"""Who starts a program may well name its files and hosts; what still matters is what makes it do something else."""


def told(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """Plain findings, one for each line and category, in that order."""
    best: dict[tuple[int, str], tuple[tuple[int, ...], dict[str, object]]] = {}
    for outcome in outcomes:
        if not outcome.sink or not (outcome.taints or outcome.flaw):
            continue
        taints = [each for each in outcome.taints.values() if not each.weak or outcome.category in _WEAK_MATTERS]
        if not taints and not outcome.flaw:
            continue
        taint = min(taints, key=_doubt) if taints else None
        rank = (0,) if taint is None else _doubt(taint)[:2]
        key = (outcome.line, outcome.category)
        if key not in best or rank < best[key][0]:
            best[key] = (rank, _finding(outcome, taint))
    return [found for _, (_, found) in sorted(best.items(), key=lambda each: each[0])]


def refuted(outcomes: Iterable[Outcome]) -> list[dict[str, object]]:
    """Lines where a category was looked for at every sink and surely is no problem, with the reason."""
    places: dict[tuple[int, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        places[outcome.line, outcome.category].append(outcome)
    return [
        {"line": line, "category": category, "why": "; ".join(dict.fromkeys(each.safe for each in seen))}
        for (line, category), seen in sorted(places.items())
        if all(each.safe and not (each.taints or each.flaw or each.is_open) for each in seen)
    ]


def _doubt(taint: Taint) -> tuple[int, int, int, str]:
    return (int(taint.weak), taint.hops, taint.line, taint.what)


def _finding(outcome: Outcome, taint: Taint | None) -> dict[str, object]:
    kind = KINDS[outcome.category]
    danger = kind.danger.format(sink=outcome.sink, flaw=outcome.flaw)
    found: dict[str, object] = {
        "category": outcome.category,
        "line": outcome.line,
        "end_line": outcome.end_line,
        "column": outcome.column,
        "remediation": kind.remedy,
        "severity": outcome.severity or kind.severity,
        "confidence": "high" if outcome.sure else "medium",
    }
    if taint is None:
        return {**found, "message": f"{danger[:1].upper()}{danger[1:]}", "evidence": outcome.flaw, "flow": []}
    if taint.weak:
        found["severity"] = found["confidence"] = "low"
    elif taint.hops:
        found["confidence"] = "medium"
    elif outcome.severity == "low":
        found["confidence"] = "low"
    through = f", through {taint.hops}+ calls that are not understood" if taint.hops else ""
    return {
        **found,
        "message": f"What comes from {taint.what} {danger}",
        "evidence": f"{taint.what}, line {taint.line}, reaches {outcome.sink} in line {outcome.line}{through}",
        "flow": [[step.line, step.text] for step in taint.steps],
    }
