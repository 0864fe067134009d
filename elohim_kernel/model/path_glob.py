"""Globs over paths inside a repository, as one regular expression that runs in linear time here and in SQL."""

import re
from functools import lru_cache


@lru_cache(maxsize=1024)
def regex_of(glob: str) -> str:
    r"""The regular expression for a whole path; "" for "". `*` and `?` stay inside a folder, `**` crosses folders.

    A pattern that ends in `/` means everything below. A pattern without `/` is about names anywhere.

    >>> [bool(re.fullmatch(regex_of("tests/**"), path)) for path in ("tests/a/b.py", "src/tests.py")]
    [True, False]
    >>> bool(re.fullmatch(regex_of("*.py"), "src/app.py"))
    True
    """
    if not glob:
        return ""
    pattern = glob.replace("\\", "/").removeprefix("./")
    anchored = "/" in pattern.rstrip("/")
    pattern = pattern.removeprefix("/")
    if pattern.endswith("/"):
        pattern += "**"
    return ("" if anchored else "(?:.*/)?") + "".join(_piece(part) for part in re.findall(_PIECES, pattern))


_PIECES = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")


def _piece(part: str) -> str:
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return known.get(part) or re.escape(part)
