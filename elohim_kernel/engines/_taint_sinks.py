"""Where data can do harm: what is looked at in calls, assignments and returned pages, and for which category."""

import ast
from typing import Final

from elohim_kernel.engines import _taint_dangers as dangers
from elohim_kernel.engines import _taint_settings as settings
from elohim_kernel.engines import _taint_xml as xml
from elohim_kernel.engines._taint_dangers import Sink
from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_program import Call
from elohim_kernel.engines._taint_state import State
from elohim_kernel.engines._taint_values import NO_TAINTS, Value, mixed

_RUN: Final = frozenset(("-c", "-lc", "-ic", "/c", "/C", "-Command"))


def look_at_call(machine: Machine, call: Call) -> None:
    """Show every sink of the call what reaches it."""
    if call.callee.code is not None:
        return
    if not settings.look(machine, call):
        xml.look(machine, call)
    listed = dangers.FUNCTIONS.get(call.name)
    if listed is not None:
        for sink in listed:
            _judge(machine, call, sink)
        return
    if call.name in dangers.SUBPROCESS:
        _subprocess(machine, call)
    elif call.name in ("yaml.load", "yaml.load_all"):
        _yaml(machine, call)
    elif call.last in dangers.LAST and "." in call.name:
        _judge(machine, call, dangers.LAST[call.last])
    elif call.last in dangers.PAGES and call.name:
        _page(machine, call)
    elif call.method:
        _method(machine, call)


def look_at_assignment(
    machine: Machine, target: ast.expr, base: Value, attribute: str, index: Value | None, value: Value, state: State
) -> None:
    """Look at data put into a session or into a header that redirects."""
    inner = state.deep(value)
    if base.name in ("flask.session", "request.session", "session") or base.name.endswith(".session"):
        key = mixed([inner] if index is None else [inner, index], is_text=True)
        machine.see("trust-boundary", target, _direct(inner, key), "the session")
    named = index.constants if index is not None else (attribute,)
    if named is not None and any(isinstance(each, str) and each.lower() == "location" for each in named):
        _address(machine, "open-redirect", target, _direct(inner, inner), "the header Location")


def look_at_return(machine: Machine, node: ast.Return, value: Value, state: State) -> None:
    """Look at a text that a function answers a request with."""
    entry = machine.frame.entry
    if not machine.frame.is_root or not getattr(entry, "is_page", False):
        return
    only = state.only_thing(value)
    if only is not None and only[1].kind == "tuple" and only[1].is_known and only[1].items:
        header = state.deep(only[1].items[len(only[1].items) - 1])
        if len(only[1].items) > 1 and _declares_plain(header, state):
            return
        value = only[1].items[0]
    if value.is_text and not value.things:
        machine.see("xss", node, _as_page(value), "the page that is returned")


def _declares_plain(headers: Value, state: State) -> bool:
    only = state.only_thing(headers)
    if only is None or only[1].kind != "dict":
        return False
    for key, value in only[1].items.items():
        if isinstance(key, str) and key.lower() == "content-type":
            return any(isinstance(each, str) and dangers.PLAIN.match(each) for each in value.constants or ())
    return False


def _direct(value: Value, whole: Value) -> Value:
    """Without what came through calls we do not know, unless it is text by now."""
    if value.is_text:
        return whole
    kept = frozenset(each for each in whole.taints if each.hops == 0)
    return whole if len(kept) == len(whole.taints) else whole.with_(taints=kept, is_open=True)


def _judge(machine: Machine, call: Call, sink: Sink, *, value: Value | None = None, sure: bool = True) -> None:
    found = call.argument(sink.position, *sink.names) if value is None else value
    if found is None:
        return
    inner = call.state.deep(found)
    if sink.needs_text:
        inner = _direct(inner, inner)
    label = f"{call.name or call.method}()"
    if sink.is_address:
        _address(machine, sink.category, call.node, inner, label)
        return
    machine.see(sink.category, call.node, inner, label, severity=sink.severity, sure=sure)


def _address(machine: Machine, category: str, node: ast.expr, value: Value, label: str) -> None:
    if value.taints and is_fixed(value.prefix):
        value = value.with_(taints=NO_TAINTS)
    machine.see(category, node, value, label)


def is_fixed(prefix: str) -> bool:
    """Whether an address that begins so goes where the program says, whatever follows.

    >>> is_fixed("https://example.com/"), is_fixed("https://example.com"), is_fixed("/"), is_fixed("/next?to=")
    (True, False, False, True)
    """
    if dangers.HOST.match(prefix):
        return True
    if "//" in prefix[:9] or not prefix:
        return False
    if prefix[0] == "/":
        return len(prefix) > 1 and prefix[1] not in "/\\"
    return any(mark in prefix for mark in "/?#")


def _subprocess(machine: Machine, call: Call) -> None:
    command = call.argument(0, "args")
    if command is None:
        return
    state = call.state
    shell = call.named.get("shell")
    inner = state.deep(command)
    label = f"{call.name}()"
    uses_shell = None if shell is None else shell.constants
    only = state.only_thing(command)
    if shell is not None and uses_shell is None:
        uses_shell = (True, False)
    if uses_shell is not None and any(uses_shell):
        machine.see("command-injection", call.node, inner, label)
        return
    if only is None or only[1].kind not in ("list", "tuple"):
        machine.see("command-injection", call.node, inner if not inner.prefix else inner.with_(taints=NO_TAINTS), label)
        return
    if not only[1].is_known:
        machine.see("command-injection", call.node, inner, label, severity="medium")
        return
    parts = [state.deep(each) for each in only[1].items.values()]
    first = parts[0] if parts else inner
    texts = [each.constants or () for each in parts]
    runs_shell = any(dangers.SHELLS & set(each) for each in texts[:1]) and any(_RUN & set(each) for each in texts)
    machine.see("command-injection", call.node, mixed(parts) if runs_shell else first, label)


def _yaml(machine: Machine, call: Call) -> None:
    loader = call.argument(1, "Loader")
    label = f"{call.name}()"
    last = "" if loader is None else loader.name.rpartition(".")[2]
    if last in ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"):
        machine.see_flaw("deserialization", call.node, f"{label} with {last}", "")
    elif loader is None or last in ("Loader", "UnsafeLoader", "CLoader", "FullLoader", "CFullLoader"):
        severity = "low" if last.endswith("FullLoader") else ""
        _judge(machine, call, dangers.UNPICKLE._replace(names=("stream",), severity=severity))
    else:
        machine.see_unsure("deserialization", call.node, label)


def _page(machine: Machine, call: Call) -> None:
    """A response object: HTML unless it says otherwise."""
    kind = call.named.get("content_type") or call.named.get("mimetype") or call.named.get("media_type")
    headers = call.named.get("headers")
    known = [each for each in (kind.constants or () if kind is not None else ()) if isinstance(each, str)]
    if any(dangers.PLAIN.match(each) for each in known):
        return
    root = call.name.partition(".")[0]
    if headers is not None and _declares_plain(headers, call.state):
        return
    if root in ("fastapi", "starlette", "aiohttp", "rest_framework", "requests") and not any(
        "html" in each for each in known
    ):
        return
    value = call.argument(0, "response", "content", "text", "body", "rv", "app_iter")
    only = None if value is None else call.state.only_thing(value)
    if only is not None and only[1].kind == "dict":
        return
    if value is not None and value.is_text:
        _judge(machine, call, dangers.MARKUP, value=_as_page(value))


def _as_page(value: Value) -> Value:
    """JSON sent as a page shows the data of the request itself, hardly that of objects it was used to find."""
    return _direct(value.with_(is_text=False), value) if value.name == "json.dumps()" else value


def _method(machine: Machine, call: Call) -> None:
    receiver = call.receiver
    assert receiver is not None
    if call.method in dangers.WRITES and _is_page_writer(machine, call, receiver.name):
        _judge(machine, call, dangers.MARKUP._replace(position=0), sure=False)
        return
    if receiver.things or (receiver.constants is not None and receiver.constants != (None,)):
        return
    method = call.method
    if method in dangers.METHODS:
        if not receiver.is_text:
            _judge(machine, call, dangers.METHODS[method], sure=False)
    elif method in dangers.PATH_METHODS and receiver.name == "pathlib.Path()":
        _judge(machine, call, dangers.PATH, value=receiver)
    elif method in ("extractall", "extract") and receiver.name.startswith("tarfile."):
        if "filter" not in call.named:
            _judge(machine, call, dangers.PATH, value=receiver.with_(is_text=True))
    elif method in dangers.FIND and machine.libraries & dangers.TREES and not receiver.is_text:
        _tree_search(machine, call)
    elif (
        method in dangers.LDAP
        and not call.name.startswith("re.")
        and any(each.partition(".")[0] in ("ldap", "ldap3") for each in machine.libraries)
    ):
        for value in call.everything():
            machine.see("ldap-injection", call.node, _direct(value, value), f"{method}()")
    elif method == "extra" and (call.named.keys() & {"where", "select", "tables", "order_by"}):
        for name in ("where", "select", "tables"):
            if name in call.named:
                machine.see("sql-injection", call.node, call.state.deep(call.named[name]), "extra()")
    else:
        _by_receiver(machine, call, receiver)


def _tree_search(machine: Machine, call: Call) -> None:
    path = call.argument(0, "path", "match")
    if path is not None and (path.taints or path.constants is not None):
        _judge(machine, call, dangers.XPATH, sure=any(mark in path.prefix for mark in "/[."))


def _by_receiver(machine: Machine, call: Call, receiver: Value) -> None:
    """Methods that are only recognised by what they belong to."""
    method, name = call.method, receiver.name
    if method in dangers.WRITES and name.endswith(".wfile"):
        _judge(machine, call, dangers.MARKUP._replace(position=0))
    elif method == "redirect" and name.endswith(("Handler", "()")) and "tornado" in _roots(machine):
        _judge(machine, call, dangers.REDIRECT)
    elif method == "send_header" and call.arguments and call.arguments[0].prefix.lower() == "location":
        _address(machine, "open-redirect", call.node, call.argument(1) or receiver, "the header Location")
    elif name.startswith(("requests.Session()", "requests.session()", "httpx.", "aiohttp.ClientSession()", "urllib3.")):
        if method in ("get", "post", "put", "delete", "head", "patch", "options", "stream"):
            _judge(machine, call, dangers.ADDRESS)
        elif method == "request":
            _judge(machine, call, dangers.SECOND_ADDRESS)
    elif method == "connect" and name.startswith("socket.socket()"):
        _judge(machine, call, dangers.ADDRESS)
    elif name in ("flask.session", "request.session") and method in ("update", "setdefault", "__setitem__"):
        value = mixed(list(call.everything()), is_text=True)
        machine.see("trust-boundary", call.node, value, "the session")
    elif method in dangers.LOGS and ("log" in name.lower() or _is_logger(call)):
        for value in call.everything():
            machine.see("log-injection", call.node, _direct(value, value), f"{method}()", sure=False)


def _is_page_writer(machine: Machine, call: Call, name: str) -> bool:
    return name.endswith("HttpResponse()") or (
        "tornado" in _roots(machine) and call.name.endswith((f"Handler.{call.method}",))
    )


def _is_logger(call: Call) -> bool:
    node = getattr(call.node.func, "value", None)
    return getattr(node, "id", getattr(node, "attr", "")).lower() in ("log", "logger", "logging", "_logger", "_log")


def _roots(machine: Machine) -> set[str]:
    return {each.partition(".")[0] for each in machine.libraries}
