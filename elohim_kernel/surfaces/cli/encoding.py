"""Results as JSON. Apart from the rest, because help needs none of it."""

import msgspec


def encoded(value: object) -> str:
    r"""Indented JSON in which nothing can act on a terminal.

    >>> encoded(["a\x1b", "\x9b"])
    '[\n  "a\\u001b",\n  "\\u009b"\n]'
    """
    told = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    # JSON escapes C0 by itself. DEL and C1 it lets pass, and some terminals obey them.
    return "".join(f"\\u{ord(each):04x}" if "\x7f" <= each <= "\x9f" else each for each in told)
