"""How much room characters beyond ASCII take on a terminal."""

import unicodedata


def columns(words: str) -> int:
    """Columns: two for wide characters, none for marks that sit on the one before.

    >>> columns("日本"), columns("e\\u0301"), columns("é")
    (4, 1, 1)
    """
    return sum(map(_columns, words))


def cut_to(words: str, size: int) -> str:
    """As many characters as fit `size` columns."""
    used = 0
    for place, character in enumerate(words):
        used += _columns(character)
        if used > size:
            return words[:place]
    return words


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
