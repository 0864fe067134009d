"""`elohim findings`: what is found, why it stands where it stands, and what people decide about it."""

from pathlib import Path as Folder
from typing import Annotated, Any, Literal

import typer

from elohim_kernel.surfaces.cli import findings_exchange
from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OK, OVER_POLICY, command, noun
from elohim_kernel.surfaces.cli.layout import counted, table, until, when, width
from elohim_kernel.surfaces.text import text

app = noun("Findings: list, explain, decide, import, export.")

Finding = Annotated[str, typer.Argument(metavar="FINDING", help="Its id, or the beginning of it: fd_3f2a.")]
Decision = Annotated[str, typer.Argument(metavar="DECISION", help="Its id, or what `decide` gave to undo.")]
Note = Annotated[str, typer.Option("--note", "-m", help="Why, in your words.")]
State = Literal["all", "live", "settled", "new", "open", "fixed", "regressed", "dismissed", "accepted"]
Level = Literal["critical", "high", "medium", "low", "info"]
YesNo = Literal["yes", "no"]
Group = Literal["severity", "category", "path", "owner", "rule", "tool", "state"]

Becomes = Annotated[Literal["dismissed", "accepted"], typer.Option("--outcome", help="What becomes of them.")]
Reach = Annotated[
    Literal["finding", "rule", "path", "repository"],
    typer.Option(help="These findings only, or also what such a rule, path or repository will bring."),
]
WantedState = Annotated[State, typer.Option(help="In this state; live is new, open and regressed.")]
Severity = Annotated[Level | None, typer.Option(help="At least this bad.")]
Category = Annotated[str, typer.Option(help="Of this kind: sql-injection, secret, …")]
Rule = Annotated[str, typer.Option(help="By this rule.")]
Tool = Annotated[str, typer.Option(help="Seen by this tool.")]
Path = Annotated[str, typer.Option(metavar="GLOB", help="In files like this: 'src/**'.")]
Owner = Annotated[str, typer.Option(help="Of this owner; `nobody` for those without one.")]
Repository = Annotated[str, typer.Option(metavar="REPO", help="In this repository.")]
Workflow = Annotated[str, typer.Option(metavar="NAME", help="Kept by this workflow.")]
New = Annotated[YesNo | None, typer.Option(help="Not there on the merge base, or there.")]
Overdue = Annotated[YesNo | None, typer.Option(help="Past their time, or not.")]
Words = Annotated[str, typer.Option("--text", help="With this in the message, rule, path or function.")]
Limit = Annotated[int, typer.Option("--limit", "-n", help="At most so many.")]


@command(app, "list")
def list_findings(
    call: Call,
    state: WantedState = "live",
    severity: Severity = None,
    category: Category = "",
    rule: Rule = "",
    tool: Tool = "",
    path: Path = "",
    owner: Owner = "",
    repository: Repository = "",
    workflow: Workflow = "",
    new: New = None,
    overdue: Overdue = None,
    words: Words = "",
    each: Annotated[
        bool, typer.Option("--each", help="A line for each tool, also where they see one problem.")
    ] = False,
    order: Annotated[Literal["priority", "severity", "path", "age", "due"], typer.Option()] = "priority",
    limit: Limit = 100,
) -> None:
    """List findings, the most urgent first; what several tools see is one line."""
    from elohim_kernel.surfaces.cli.findings_page import by_severity

    found = call.ask(
        "list_findings",
        state="" if state == "all" else state,
        severity=severity,
        category=category,
        rule=rule,
        tool=tool,
        path=path,
        owner=owner,
        repository=_place(repository),
        workflow=workflow,
        new=new or "",
        overdue=overdue or "",
        text=words,
        folded=not each,
        order=order,
        limit=limit,
    )
    call.show(found, lambda: by_severity(found, limit, room=width()))


@command(app, "show")
def show(call: Call, finding: Finding) -> None:
    """Show one finding: where it is, what it says, and how it stands."""
    from elohim_kernel.surfaces.cli.findings_page import page

    found = call.ask("get_finding", finding=finding)
    call.show(found, lambda: page(found, room=width()))


@command(app, "explain")
def explain(
    call: Call,
    finding: Finding,
    code: Annotated[bool, typer.Option("--code/--no-code", help="Show the code, where the repository is here.")] = True,
) -> None:
    """Explain one finding: its identity, its priority term by term, its decisions, what is like it, and what to do."""
    from elohim_kernel.surfaces.cli.findings_page import explanation, lines_of_code

    found = call.ask("explain_finding", finding=finding)
    found["code"] = lines_of_code(found) if code else []
    call.show(found, lambda: explanation(found, room=width()))


@command(app, "decide")
def decide(
    call: Call,
    findings: Annotated[list[str], typer.Argument(metavar="[FINDING]...", help="These; else those that fit.")] = [],  # noqa: B006
    outcome: Becomes = "dismissed",
    reason: Annotated[str, typer.Option(help="false positive, test code, won't fix, accepted risk, duplicate …")] = "",
    words: Annotated[str, typer.Option("--because", "-m", help="Why, in your words.")] = "",
    expires: Annotated[str, typer.Option(metavar="WHEN", help="90d, 2w, 2027-01-31 or never.")] = "",
    reach: Reach = "finding",
    state: WantedState = "live",
    severity: Severity = None,
    category: Category = "",
    rule: Rule = "",
    tool: Tool = "",
    path: Path = "",
    owner: Owner = "",
    repository: Repository = "",
    workflow: Workflow = "",
    new: New = None,
    text_: Words = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; record nothing.")] = False,
) -> None:
    """Dismiss or accept findings: by id, or all that fit the filters. It ends by itself, and can be undone.

    elohim findings decide --rule S311 --path 'tests/**' --reason "test code" --expires 90d --dry-run
    """
    from elohim_kernel.surfaces.cli.findings_page import decided
    from elohim_kernel.surfaces.cli.values import end_named

    end = end_named(expires)
    where = _named(
        severity=severity,
        category=category,
        rule=rule,
        tool=tool,
        path=path,
        owner=owner,
        repository=_place(repository),
        new=new,
        text=text_,
    )
    # A state alone chooses nothing: what was named is meant whatever its state.
    if where and reach == "finding" and state != "all":
        where["state"] = state
    found = call.do(
        "decide_findings",
        findings=findings,
        where=where,
        outcome=outcome,
        reason=reason,
        text=words,
        reach=reach,
        workflow=workflow,
        dry_run=dry_run,
        expires_days=end.days,
        expires_at=end.at,
        never=end.never,
    )
    call.show(found, lambda: decided(found, outcome, room=width()))


@command(app, "undo")
def undo(call: Call, decision: Decision, note: Note = "") -> None:
    """Take back what one `decide` did."""
    _settled(call, call.do("undo_decision", decision=decision, note=note))


@command(app, "confirm")
def confirm(call: Call, decision: Decision, note: Note = "") -> None:
    """Agree to a decision that somebody else asked for."""
    _settled(call, call.do("confirm_decision", decision=decision, note=note))


@command(app, "refuse")
def refuse(call: Call, decision: Decision, note: Note = "") -> None:
    """Do not agree to a decision that somebody else asked for."""
    _settled(call, call.do("refuse_decision", decision=decision, note=note))


@command(app, "decisions")
def decisions(
    call: Call,
    status: Annotated[
        Literal["asked", "active", "undone", "expired", "refused"] | None, typer.Option(help="Only these.")
    ] = None,
    workflow: Workflow = "",
    repository: Repository = "",
    rule: Rule = "",
    expiring: Annotated[bool, typer.Option("--expiring", help="Only active ones that end within two weeks.")] = False,
    limit: Limit = 100,
) -> None:
    """List decisions, the newest first."""
    from elohim_kernel.surfaces.cli.findings_page import about

    found = call.ask(
        "list_decisions",
        status=status,
        workflow=workflow,
        repository=_place(repository),
        rule=rule,
        expiring=expiring,
        limit=limit,
    )
    head = ("decision", "status", "outcome", "reason", "about", "by", "ends")
    rows = [
        (
            one["id"],
            one["status"],
            one["outcome"],
            one["reason"],
            about(one),
            one["decided_by"] or one["asked_by"],
            until(one["expires_at"]) or "never",
        )
        for one in found
    ]
    call.show(found, lambda: list(table(head, rows, room=width(), paint={"status": ""})) or ["nothing was decided"])


@command(app, "stats")
def stats(
    call: Call,
    by: Annotated[
        Group, typer.Argument(metavar="[BY]", help="severity, category, path, owner, rule, tool, state.")
    ] = "severity",
    state: WantedState = "live",
    severity: Severity = None,
    category: Category = "",
    tool: Tool = "",
    path: Path = "",
    owner: Owner = "",
    repository: Repository = "",
    workflow: Workflow = "",
    limit: Limit = 30,
) -> None:
    """Count findings by severity, category, file, owner, rule, tool or state."""
    where = _named(
        state="" if state == "all" else state,
        severity=severity,
        category=category,
        tool=tool,
        path=path,
        owner=owner,
        repository=_place(repository),
        workflow=workflow,
    )
    found = call.ask("finding_stats", by=by, where=where, limit=limit)
    head = (by, "problems", "findings", "unsettled", "overdue")
    rows = [(one["name"], one["problems"], one["findings"], one["live"], one["overdue"]) for one in found]
    paint: dict[str, str] = {by: ""} if by in ("severity", "state") else {}
    call.show(found, lambda: list(table(head, rows, room=width(), paint=paint)) or ["no findings"])


@command(app, "ratchet")
def ratchet(
    call: Call,
    repository: Annotated[str, typer.Argument(metavar="REPO", help="The repository.")],
    workflow: Workflow = "Repository Scan",
    set_: Annotated[bool, typer.Option("--set", help="Allow from now on as many as there are.")] = False,
    allow_rise: Annotated[str, typer.Option("--allow-rise", metavar="REASON", help="Why there may be more.")] = "",
) -> int:
    """Hold the number of findings of each rule in each folder: it may only fall. Exit code 1 when there is too much."""
    place = _place(repository)
    if set_ or allow_rise:
        found = call.do("set_ratchet", workflow=workflow, repository=place, allow_rise=allow_rise)
    else:
        found = call.ask("get_ratchet", workflow=workflow, repository=place)
    total = sum(one["count"] for one in found["allowed"])
    since = (
        f"set {when(found['set_at'])}, {counted(total, 'finding')} allowed" if found["set_at"] else "nothing is set yet"
    )
    call.show(found, lambda: [text(since), *(text(problem) for problem in found["problems"])])
    return OVER_POLICY if found["problems"] else OK


def _named(**filters: str | None) -> dict[str, str]:
    """The filters that were given."""
    return {name: value for name, value in filters.items() if value}


def _place(repository: str) -> str:
    """The repository as findings name it: by its whole path, when it is a folder here."""
    if not repository:
        return ""
    folder = Folder(repository).expanduser()
    return str(folder.resolve()) if folder.is_dir() else repository


def _settled(call: Call, settled: dict[str, Any]) -> None:
    line = f"{counted(len(settled['decisions']), 'decision')} {settled['status']}"
    call.show(settled, lambda: [text(line)])


findings_exchange.add(app)
