"""The child process of test enrichment: calls functions of one module, as they are and as their mutants.

It reads a job from standard input and writes one JSON line per answer to the file the job names, as soon as it is
known, so that what was finished survives a crash. Repository code runs here, so only in a sandbox.
"""

import asyncio
import builtins
import contextlib
import dis
import importlib
import inspect
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any, Final, NoReturn

from elohim_kernel.engines._tests_evaluating import space_of, value_of
from elohim_kernel.engines._tests_swap import Swappable
from elohim_kernel.engines._tests_values import represented, written
from elohim_kernel.engines._tests_watching import Effect, Lines, State, Watch, stand_in_for_versions

Line = dict[str, Any]  # one answer as JSON

_ACCIDENTS: Final = (TypeError, AttributeError, NameError, IndexError, AssertionError, RecursionError, ImportError)
_MESSAGE: Final = 160
_NEAR: Final = 3  # an expression may span lines, and its mutant lies on any of them


class _Overdue(BaseException):
    """The call took too long."""


class Caller:
    """Makes the calls of a job and says what each gave."""

    def __init__(self, file: str, module: ModuleType, watch: Watch, limit_s: float) -> None:
        self._file, self._watch, self._limit_s = file, watch, limit_s
        self._state = State(module)
        self._spaces: dict[tuple[str, ...], dict[str, Any]] = {}
        self._compiled: dict[str, CodeType] = {}

    def outcome(self, case: Line, *, trace: str = "", limit_s: float = 0.0) -> Line:
        """What one call gave, as the fields of `Outcome`; `trace` is "", "lines" or "all": what it needs too."""
        answer: Line = {"case": case["id"], "kind": "unusable"}
        try:
            space = self._space(tuple(case["imports"]))
            code = self._compiled.setdefault(case["call"], compile(case["call"], "<call>", "eval"))
        except (Exception, SystemExit) as wrong:  # noqa: BLE001 - imports run code of the repository
            return answer | {"reason": f"cannot be prepared: {type(wrong).__name__}: {wrong}"[:200]}
        tracing = Lines(self._file) if trace else None
        self._watch.seen = self._watch.moving = ""
        try:
            with _alarm(limit_s or self._limit_s):
                value = self._value(code, space, tracing, strict=trace == "all")
        except _Overdue:
            answer["reason"] = "takes too long"
        except Effect as effect:
            answer["reason"] = str(effect)
        except (KeyboardInterrupt, SystemExit, GeneratorExit) as wrong:
            answer["reason"] = f"ends the process: {type(wrong).__name__}"
        except MemoryError:
            answer["reason"] = "needs too much memory"
        except BaseException as wrong:  # noqa: BLE001 - whatever it raises is its outcome
            answer |= self._raised(wrong)
        else:
            answer |= _returned(value)
        if tracing is not None:
            answer["lines"] = sorted(tracing.ran)
        if why := self._watch.seen or self._watch.moving:
            answer |= {"kind": "unusable", "reason": why}
        return answer

    def _value(self, code: CodeType, space: dict[str, Any], tracing: Lines | None, *, strict: bool) -> object:
        self._watch.on = True
        try:
            if tracing is None:
                return value_of(code, space)
            if strict:
                sys.setprofile(self._watch.profile)
            with tracing:
                return value_of(code, space)
        finally:
            sys.setprofile(None)
            self._watch.on = False
            self._state.restore()

    def _space(self, imports: tuple[str, ...]) -> dict[str, Any]:
        if imports not in self._spaces:
            self._spaces[imports] = space_of(imports, asyncio=asyncio)
        return self._spaces[imports]

    def _raised(self, wrong: BaseException) -> Line:
        kind = type(wrong)
        name = kind.__qualname__
        if not isinstance(wrong, Exception) or "." in name:
            return {"reason": f"raises {name}"}
        if isinstance(wrong, _ACCIDENTS) and not _is_meant(wrong):
            return {"reason": f"fails by accident: {name}: {wrong}"[:200]}
        home = kind.__module__
        imports = []
        if home != "builtins":
            if getattr(sys.modules.get(home), name, None) is not kind:
                return {"reason": f"raises {name}, which cannot be imported by its name"}
            imports = [f"from {home} import {name}"]
        elif getattr(builtins, name, None) is not kind:
            return {"reason": f"raises {name}, which cannot be imported by its name"}
        try:
            message = str(wrong)
        except Exception:  # noqa: BLE001 - its own code
            message = ""
        stable = len(message) <= _MESSAGE and "0x" not in message and "/" not in message
        return {"kind": "raises", "text": name, "imports": imports, "message": message if stable else ""}


def _returned(value: object) -> Line:
    said = written(value)
    if not isinstance(said, str):
        return {"kind": "value", "text": said.text, "imports": said.imports, "approximate": said.approximate}
    text = represented(value)
    return {"kind": "repr", "text": text} if text is not None else {"reason": said}


def _is_meant(wrong: BaseException) -> bool:
    """Whether the exception comes from a `raise` statement of Python code, not from an operation that went wrong."""
    trace = wrong.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    return dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"


@contextlib.contextmanager
def _alarm(limit_s: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, limit_s, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _overdue(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Overdue


def _imported(module: str, file: str) -> str:
    """Import the module; why it cannot be, or ""."""
    try:
        with _alarm(20.0):
            found = importlib.import_module(module)
    except BaseException as wrong:  # noqa: BLE001 - it runs the repository's code
        return f"cannot be imported here: {type(wrong).__name__}: {wrong}"[:300]
    there = inspect.getsourcefile(found) or ""
    return "" if os.path.realpath(there) == file else f"another module of the name {module} is installed here"


def _cleared_path(roots: list[str]) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "elohim_kernel"]:
        del sys.modules[name]
    sys.path[:0] = roots
    stand_in_for_versions()


def main() -> None:
    """Do the job on standard input."""
    job: Line = json.loads(sys.stdin.buffer.read())
    with open(job["result"], "a", encoding="utf-8", buffering=1) as out:  # noqa: PTH123 - held open over all of it
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        signal.signal(signal.SIGALRM, _overdue)
        watch = Watch()
        _cleared_path(job["roots"])
        sys.dont_write_bytecode = True
        problem = _imported(job["module"], job["file"])
        out.write(json.dumps({"imported": problem}) + "\n")
        if problem:
            return
        sys.addaudithook(watch.audit)
        caller = Caller(job["file"], sys.modules[job["module"]], watch, job["limit_s"])
        tell = lambda line: out.write(json.dumps(line) + "\n")  # noqa: E731
        if job["mutants"]:
            _mutate(job, caller, tell)
        else:
            _record(job, caller, tell)
        out.write(json.dumps({"done": True}) + "\n")
    os._exit(0)  # threads and exit handlers of the repository's code have nothing more to say


def _record(job: Line, caller: Caller, tell: Callable[[Line], object]) -> None:
    cases = list(job["cases"])
    if job["seed"]:
        random.Random(job["seed"]).shuffle(cases)  # noqa: S311 - an order, not a secret
    for case in cases:
        tell({"begin": case["id"]})
        tell(caller.outcome(case, trace="all" if job["trace"] else ""))


def _mutate(job: Line, caller: Caller, tell: Callable[[Line], object]) -> None:
    """For each mutant the cases that tell it from the original; a mutant that cannot be made is told as such."""
    cases = {case["id"]: case for case in job["cases"]}
    for target in job["mutants"]:
        swap = Swappable(job["file"], target["qualname"], target["first"], set(target["lines"]))
        if swap.missing:
            tell({"missing": swap.missing})
            continue
        usual = {name: caller.outcome(cases[name], trace=job["screen"]) for name in target["cases"]}
        if job["screen"]:
            _tell_novel(target, usual, tell)
        for number, line, asked in target["numbers"]:
            name = f"{target['key']}#{number}"
            tell({"begin": name})
            near = [each for each in asked or usual if _is_near(usual[each], line)] if job["screen"] else asked
            with swap.mutated(number) as fits:
                killed = _killed(near, cases, usual, caller, swap, job["most"]) if fits else []
            tell({"mutant": name, "fits": fits, "killed": killed})


def _killed(
    names: list[str], cases: dict[str, Line], usual: dict[str, Line], caller: Caller, swap: Swappable, most: int
) -> list[str]:
    killed: list[str] = []
    for each in names:
        swap.forget()
        found = caller.outcome(cases[each], limit_s=0.3)
        if _identity(found) != _identity(usual[each]):
            killed.append(each)
        if found.get("reason") == "takes too long" or len(killed) >= most:
            break
    return killed


def _tell_novel(target: Line, usual: dict[str, Line], tell: Callable[[Line], object]) -> None:
    """The calls that reach wanted lines which nothing reached before."""
    left = set(target["wanted"])
    for name, answer in usual.items():
        fresh = left & set(answer.get("lines", ())) if answer["kind"] != "unusable" else set()
        if fresh:
            left -= fresh
            tell({"novel": name})


def _is_near(answer: Line, line: int) -> bool:
    return answer["kind"] != "unusable" and any(abs(ran - line) <= _NEAR for ran in answer.get("lines", ()))


def _identity(answer: Line) -> object:
    return (answer["kind"], answer.get("text", ""), answer.get("message", ""), answer.get("reason", ""))


if __name__ == "__main__":
    main()
