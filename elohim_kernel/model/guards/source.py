"""Where in a guard's text something is wrong, shown the way a person can see it."""

from typing import Final

from elohim_kernel.errors import Invalid

_WINDOW: Final = 100  # characters of a long line shown around the caret


def refusal(text: str, position: int, message: str, *, hint: str | None = None) -> Invalid:
    """Build the error for a guard text: line and column (from 1), the line itself, and a caret under `position`.

    >>> print(refusal("a +", 3, "expected a value, found the end"))
    guard, line 1, column 4: expected a value, found the end
      a +
         ^
    """
    line, column = line_and_column(text, position)
    shown, caret = _window(text.split("\n")[line - 1], column - 1)
    advice = f"; {hint}" if hint else ""
    return Invalid(f"guard, line {line}, column {column}: {message}{advice}\n  {shown}\n  {' ' * caret}^")


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Line and column of a character offset, both counted from 1."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def _window(line: str, caret: int) -> tuple[str, int]:
    visible = "".join(letter if letter.isprintable() else " " for letter in line)
    if len(visible) <= _WINDOW:
        return visible, caret
    first = max(0, min(caret - _WINDOW // 2, len(visible) - _WINDOW))
    head, tail = ("…" if first else ""), ("…" if first + _WINDOW < len(visible) else "")
    return head + visible[first : first + _WINDOW] + tail, caret - first + len(head)
