"""Loops: round by round while it is known how they go on, then any number of rounds as one, until nothing changes."""

import ast
from collections.abc import Callable, Sequence
from typing import Final

from elohim_kernel.engines._taint_known import elements, truth
from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_state import State, join_states, same_state
from elohim_kernel.engines._taint_values import blurred_value

MAX_ROUNDS: Final = 40
"""Rounds of a loop that are followed one by one; then any number of rounds is looked at as one."""

MAX_ALL_ROUNDS: Final = 400
"""The same for loops inside of loops, multiplied."""
MAX_REPEATS: Final = 4


def while_(machine: Machine, node: ast.While, state: State) -> State | None:
    """Go through a `while` loop."""
    current: State | None = state
    exits: list[State] = []
    # What only a break ends is not followed round by round: its test never says when to stop.
    rounds = 0 if isinstance(node.test, ast.Constant) else _rounds(machine, MAX_ROUNDS)
    for turn in range(rounds):
        if current is None:
            return _after(machine, node.orelse, None, exits)
        known = truth(machine.evaluate(node.test, current), current)
        if known is False:
            return _after(machine, node.orelse, current, exits)
        if known is None:
            break
        with machine.unrolled(MAX_ROUNDS):
            current = _round(machine, node.body, current, exits, turn)

    def begin(inner: State) -> State | None:
        known = truth(machine.evaluate(node.test, inner), inner)
        machine.assume(node.test, True, inner)
        return None if known is False else inner

    if current is None:
        return _after(machine, node.orelse, None, exits)
    settled = _settled(machine, node.body, current, exits, begin)
    if truth(machine.evaluate(node.test, settled), settled) is True:
        return _after(machine, [], None, exits)
    machine.assume(node.test, False, settled)
    return _after(machine, node.orelse, settled, exits)


def for_(machine: Machine, node: ast.For | ast.AsyncFor, state: State) -> State | None:
    """Go through a `for` loop."""
    over = machine.evaluate(node.iter, state)
    exits: list[State] = []
    exact = elements(over, state)
    if exact is not None and _rounds(machine, len(exact)):
        current: State | None = state
        for turn, each in enumerate(exact):
            if current is None:
                break
            machine.assign(node.target, each, current)
            with machine.unrolled(len(exact)):
                current = _round(machine, node.body, current, exits, turn)
        return _after(machine, node.orelse, current, exits)

    def begin(inner: State) -> State:
        machine.assign(node.target, inner.element(over), inner)
        return inner

    settled = _settled(machine, node.body, state, exits, begin)
    return _after(machine, node.orelse, settled, exits)


def _rounds(machine: Machine, wanted: int) -> int:
    """So many rounds, if those of the loops around leave room for them; else none."""
    return wanted if machine.unrolling * max(wanted, 1) <= MAX_ALL_ROUNDS else 0


def _round(machine: Machine, body: Sequence[ast.stmt], state: State, exits: list[State], turn: object) -> State | None:
    """One round of a loop; `exits` gets the states of its breaks."""
    frame, context = machine.frame, machine.context
    frame.breaks.append([])
    frame.continues.append([])
    machine.context = (*context, turn)
    try:
        end = machine.execute(body, state)
    finally:
        machine.context = context
        exits.extend(frame.breaks.pop())
        continues = frame.continues.pop()
    for each in continues:
        end = join_states(end, each)
    return end


def _settled(
    machine: Machine,
    body: Sequence[ast.stmt],
    state: State,
    exits: list[State],
    begin: Callable[[State], State | None],
) -> State:
    """What holds before any round of a loop, and after the last."""
    was_repeating, machine.is_repeating = machine.is_repeating, True
    try:
        for turn in range(MAX_REPEATS):
            inner = begin(state.copy())
            end = None if inner is None else _round(machine, body, inner, exits, "*")
            after = join_states(state.copy(), end)
            assert after is not None
            if same_state(after, state):
                break
            state = _widened(state, after) if turn else after
    finally:
        machine.is_repeating = was_repeating
    return state


def _widened(before: State, after: State) -> State:
    """Values that still change from round to round: no list of constants will ever hold them all."""
    for name, value in after.names.items():
        old = before.names.get(name)
        if old is not None and value.constants is not None and old != value:
            after.names[name] = blurred_value(value)
    for key, thing in after.things.items():
        if thing != before.things.get(key):
            after.things[key] = thing.blurred()
    return after


def _after(machine: Machine, orelse: Sequence[ast.stmt], state: State | None, exits: Sequence[State]) -> State | None:
    end = machine.execute(orelse, state) if orelse and state is not None else state
    for each in exits:
        end = join_states(end, each)
    return end


def break_(machine: Machine, _node: ast.Break, state: State) -> None:
    """Leave the innermost loop."""
    if machine.frame.breaks:
        machine.frame.breaks[-1].append(state)


def continue_(machine: Machine, _node: ast.Continue, state: State) -> None:
    """Go on with the next round."""
    if machine.frame.continues:
        machine.frame.continues[-1].append(state)
