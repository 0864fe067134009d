"""File names between git and people: git holds bytes, people read text, and the way back is exact.

A byte that is not UTF-8 is shown as `\\xNN`. A backslash that would read like such an escape is shown as `\\x5c`, so
two different names never look the same. Names that could leave a folder or pose as git's own are refused.
"""

import re
from typing import Final

_LOOKS_ESCAPED: Final = re.compile(rb"\\(?=x(?:[89a-f][0-9a-f]|5c))")
_ESCAPED: Final = re.compile(rb"\\x([89a-f][0-9a-f]|5c)")
# Characters some file systems drop from names, which would turn ".g\u200cit" into ".git".
_IGNORED: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u206a-\u206f\ufeff]")


def shown(raw: bytes) -> str:
    r"""The name as people see it.

    >>> shown(b"caf\xc3\xa9.py"), shown(b"caf\xe9.py")
    ('café.py', 'caf\\xe9.py')
    """
    return _LOOKS_ESCAPED.sub(rb"\\x5c", raw).decode(errors="backslashreplace")


def raw_of(path: str) -> bytes:
    r"""The bytes git knows the file by: the inverse of `shown`.

    >>> raw_of("caf\\xe9.py")
    b'caf\xe9.py'
    """
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), path.encode(errors="replace"))


def is_plain(raw: bytes) -> bool:
    """True for a path that stays below the folder it is written to and is not part of a `.git` folder.

    >>> is_plain(b"src/main.py"), is_plain(b"../x"), is_plain(b"a/.GIT/config"), is_plain(b"/etc/passwd")
    (True, False, False, False)
    """
    return all(_is_plain_name(part) for part in raw.split(b"/"))


def _is_plain_name(part: bytes) -> bool:
    if part in (b"", b".", b"..") or b"\0" in part:
        return False
    name = _IGNORED.sub("", part.decode(errors="replace")).casefold().rstrip(" .")
    return name != ".git" and not name.startswith(("git~", ".git:"))
