"""Values that are set to something called a secret: in code, configuration, commands, addresses and headers.

A name is judged by its words: `db_password` is one, `password_field` is not. Where a language writes text in quotes,
only quoted text is a value; elsewhere the rest of the line is.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from elohim_kernel.model.secret_text import Look, is_placeholder, look


class Candidate(NamedTuple):
    """A value on a line: where it is, what it is set to, and how it looks."""

    start: int
    end: int
    rule: str
    look: Look
    why: str


WORDS: Final = ("pass", "pwd", "secret", "token", "key", "auth", "credential", "bearer", "://", " -u", "--user")
"""One of these, in lower case, stands on every line that is looked at."""

_PASSWORD: Final = frozenset(("password", "passwd", "passphrase", "pwd", "pass", "pw", "passw", "passcode", "psw"))
_TOKEN: Final = frozenset(
    (
        "secret", "token", "apikey", "accesskey", "secretkey", "authkey", "credential", "credentials", "authtoken",
        "apitoken", "bearer", "privatekey", "clientsecret", "apisecret",
    )
)  # fmt: skip
# `key` alone is a word of databases and dictionaries; after one of these it opens something.
_OPENS: Final = frozenset(
    (  # noqa: SIM905 - thirty words read better than thirty strings
        "api access secret private auth account encryption encrypt signing sign master app application consumer "
        "license service session hmac shared storage aes des crypt crypto cipher admin client server deploy maps "
        "write read instrumentation subscription root jwt cookie security connection integration webhook "
    ).split()
)
# What comes after the last such word says that the value is something about a secret, not the secret.
_ABOUT: Final = frozenset(
    (  # noqa: SIM905
        "file files path dir folder url uri endpoint host port name names id ids field fields label placeholder "
        "hint title text message msg error errors prompt length len size min max count limit ttl expiry expires "
        "expiration expire age timeout date time type types class kind policy policies rule rules regex pattern "
        "format prefix suffix header headers param params parameter reset change confirm confirmation validator "
        "validators hasher hashers hash hashed digest salt algorithm algo alg encoding provider store storage "
        "manager service handler helper factory generator strength required enabled disabled visible version ref "
        "reference arn selector template form input element button page view link attr attribute column table "
        "schema keyid env var variable description desc help doc docs test tests example list index scope scopes "
        "issuer audience usage mode state status event action callback query cache user username email login "
        "method backend iterations rounds cost source target "
    ).split()
)
# Names for places in a listing, for devices and for the public: drawn like a secret, and none.
_HARMLESS: Final = frozenset(
    (
        "public", "publishable", "csrf", "next", "continuation", "page", "pagination", "resume", "sync", "cursor",
        "verification", "device", "output", "input", "marker", "grant", "address", "contract",
    )
)  # fmt: skip
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_NAMED: Final = re.compile(
    r"(?<![\w.\-])(?P<name>[A-Za-z_][\w.\-]{0,80})"
    r"(?P<close>\\?[\"'`]?\]?\)?)"
    r"(?:\s{0,2}:\s{0,2}(?:const\s|&?(?:'static\s)?)?[A-Za-z_][\w.\[\]<>?| ]{0,24}?(?=\s{0,3}=[^=>]))?"
    r"(?P<op>\s{0,20}(?:=>|:=|={1,3}|!==?|\?\?=|\+=|:|,|\()\s{0,20})"
    r"(?:(?:new\s)?[A-Za-z.]{0,24}\()?"
    r"(?P<value>(?:[rbufRBUF@$L]{0,2}(?:\\?\"(?P<double>[^\"\\\n]{1,1024})|\\?'(?P<single>[^'\\\n]{1,1024})|`(?P<back>[^`\n]{1,1024})))"
    r"|(?P<bare>[^\s\"'`;,|&<>(){}]{3,1024}))"
)
_FLAG: Final = re.compile(
    r"--?(?P<name>[A-Za-z][\w\-]{0,40}?)(?:=|\s{1,3})(?P<quote>[\"']?)(?P<value>[^\s\"'`;,|&<>(){}]{4,512})"
)
_ELEMENT: Final = re.compile(r"<(?P<name>[A-Za-z][\w.:\-]{0,60})(?:\s[^<>]{0,200})?>(?P<value>[^<>\n]{4,1024})</")
_ATTRIBUTES: Final = re.compile(
    r"(?:key|name|id)\s{0,2}=\s{0,2}[\"'](?P<name>[A-Za-z][\w.:\-]{0,80})[\"'][^<>\n]{0,80}?(?:\svalue\s{0,2}=\s{0,2}[\"']|>)(?P<value>[^<>\"'\n]{4,1024})"
)
_ADDRESS: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{1,30})://(?P<user>[^\s/:@\"'`<>|\\]{0,128}):(?P<value>[^\s/@\"'`<>|\\]{3,256})@(?P<host>[^\s/:\"'`<>?]{1,255})"
)
_HEADER: Final = re.compile(
    r"(?:authorization|x-api-key|x-auth-token|private-token)[\"'`\]]{0,2}\s{0,3}[:=,]\s{0,3}[\"'`]?(?:(?P<kind>bearer|basic|token)\s{1,3})?(?P<value>[A-Za-z0-9_\-.~+/=]{8,2048})",
    re.IGNORECASE,
)
_STATEMENT: Final = re.compile(r"\b(?:identified\s{1,4}by|password)\s{1,4}'(?P<value>[^'\n]{4,128})'", re.IGNORECASE)
_LOGIN: Final = re.compile(r"(?:\s|^)(?:-u|--user)[ =]{1,3}[\"']?(?P<user>[^\s:\"']{1,64}):(?P<value>[^\s\"']{4,128})")
_NETRC: Final = re.compile(r"^(?:.{0,200}\s)?(?:login\s{1,4}\S{1,100}\s{1,4})?password\s{1,4}(?P<value>\S{4,128})")
_HTPASSWD: Final = re.compile(
    r"^[\w.@\-]{1,64}:(?P<value>\$(?:apr1|2[aby]|5|6)\$\S{20,120}|\{SHA\}[A-Za-z0-9+/=]{28})\s*$"
)
_STOP: Final = re.compile(r"\s[#;]|\s//|\\n|\\r|&|\\$")


def candidates(line: str, *, quoted_only: bool, file_name: str = "") -> Iterator[Candidate]:
    """Values on the line that are set to a secret; `quoted_only` for languages that write text in quotes."""
    yield from _named(line, quoted_only=quoted_only)
    if "<" in line:
        yield from _in_markup(line)
    if "://" in line:
        yield from _in_addresses(line)
    yield from _in_headers(line)
    yield from _in_commands(line)
    yield from _whole(_STATEMENT, line, "password", "the password of a database user in a statement")
    if file_name.endswith("netrc"):
        yield from _whole(_NETRC, line, "netrc-password", "the password of a machine in a .netrc file")
    if file_name.endswith(("htpasswd", "htpasswd.txt")) and (found := _HTPASSWD.search(line)):
        yield Candidate(*found.span("value"), "password-hash", Look.LIKELY, "a password hash of a web server")


def kind_of_name(name: str) -> str:
    """What a name says its value is: "password", "token", "key", or "" for none of them.

    >>> [kind_of_name(name) for name in ("dbPassword", "password_field", "AWS_SECRET", "stripeApiKey", "primary_key")]
    ['password', '', 'token', 'key', '']
    """
    parts = [part.lower() for part in _PART.findall(name)]
    while parts and parts[-1].isdigit():
        parts.pop()
    kind = ""
    for place, part in enumerate(parts):
        if part in _PASSWORD or part.endswith(("password", "passwd", "passphrase")):
            kind = "password"
        elif part in _TOKEN or part.endswith(("secret", "token", "apikey", "secretkey", "accesskey")):
            kind = "token"
        elif part == "key" and place:
            kind = "key" if parts[place - 1] in _OPENS else ""
        elif part == "auth" and place == len(parts) - 1:
            kind = "token"
        elif part in _ABOUT and kind:
            kind = ""
    return "" if _HARMLESS.intersection(parts) or parts[:1] in (["no"], ["reset"], ["forgot"]) else kind


_RULES: Final = {"password": "password", "token": "generic-secret", "key": "generic-api-key"}


def _named(line: str, *, quoted_only: bool) -> Iterator[Candidate]:
    place = 0
    while found := _NAMED.search(line, place):
        # A name may follow inside of what looked like a value: connect("x;Password=…").
        place = found.end("op") if found["name"] else found.end()
        kind = kind_of_name(found["name"])
        if not kind:
            continue
        group = found.lastgroup if found.lastgroup in ("double", "single", "back", "bare") else _group_of(found)
        start, end = found.span(group)
        operator = found["op"].strip()
        if group == "bare":
            if not _bare_is_a_value(line, found, operator, quoted_only=quoted_only):
                continue
            cut = _STOP.search(line, start, end)
            end = cut.start() if cut else end
        elif operator == "," and found["close"].strip("\\") not in ("'", '"', "`"):
            continue  # f(password, "text"), g("password"), "text": two arguments
        elif operator == "(" and not _sets(found["name"]):
            continue
        value = line[start:end]
        seen = _settled(kind, look(value, name=found["name"]), value)
        if seen is Look.WEAK and operator not in ("=", ":", ":=", "=>"):
            continue  # compared with, or handed on: too little to go by
        if seen is not Look.NONE:
            yield Candidate(start, end, _RULES[kind], seen, f"a value set to a name that says {kind}")


def _group_of(found: re.Match[str]) -> str:
    return next(group for group in ("double", "single", "back", "bare") if found[group] is not None)


def _settled(kind: str, seen: Look, value: str) -> Look:
    """Tokens and keys are drawn by machines and long: a plain or short one is a name for something."""
    if kind == "password" or seen is Look.NONE:
        return seen
    if seen is Look.WEAK or len(value) < 10:
        return Look.NONE
    if kind == "key" and (len(value) < 16 or not any(each.isdigit() for each in value)):
        return Look.NONE
    return seen


def _sets(name: str) -> bool:
    last = name.rpartition(".")[2].lower()
    return last.startswith(("set", "with", "password", "secret", "token", "apikey", "api_key", "accesskey"))


def _bare_is_a_value(line: str, found: re.Match[str], operator: str, *, quoted_only: bool) -> bool:
    if operator in (",", "(", "==", "===", "!=", "!==", "+=", "=>", "??="):
        return False
    after = line[found.end() : found.end() + 2]
    if after[:1] in ("(", "[", "{") or after.startswith(("<", "`")):
        return False  # a call, an index, a template
    if not quoted_only:
        # `a: b c` in prose: a value has no neighbour but a comment.
        rest = line[found.end() :].strip()
        return operator != ":" or not rest or rest[0] in "#\"'`,;&|)}]/\\<"
    # Inside of a quoted text: "Server=x;Password=y;" or "?token=y".
    before = line[: found.start("name")]
    return operator == "=" and not found["op"][0].isspace() and any(before.count(quote) % 2 for quote in "\"'`")


def _in_markup(line: str) -> Iterator[Candidate]:
    for pattern in (_ELEMENT, _ATTRIBUTES):
        for found in pattern.finditer(line):
            kind = kind_of_name(found["name"])
            value = found["value"].strip()
            seen = _settled(kind, look(value, name=found["name"]), value) if kind else Look.NONE
            if seen is not Look.NONE:
                yield Candidate(*found.span("value"), _RULES[kind], seen, f"an element that says {kind}")


def _in_addresses(line: str) -> Iterator[Candidate]:
    for found in _ADDRESS.finditer(line):
        value, host = found["value"], found["host"].lower()
        if (
            is_placeholder(value)
            or host.startswith(("example", "[", "{", "$", "%"))
            or value.lower() == found["user"].lower()
        ):
            continue
        seen = look(value, name=found["user"])
        if seen is not Look.NONE:
            yield Candidate(
                *found.span("value"), "url-password", seen, f"a password in a {found['scheme'].lower()} address"
            )


def _in_headers(line: str) -> Iterator[Candidate]:
    for found in _HEADER.finditer(line):
        value, kind = found["value"], (found["kind"] or "").lower()
        if kind == "basic":
            name, _, password = _basic(value).partition(":")
            seen = look(password, name=name) if not is_placeholder(value) else Look.NONE
        else:
            seen = _settled("token", look(value, name="authorization"), value)
            seen = seen if kind or any(each.isdigit() for each in value) else Look.NONE
        if seen is not Look.NONE:
            yield Candidate(
                *found.span("value"), "authorization-header", seen, f"credentials in a header ({kind or 'key'})"
            )


def _basic(value: str) -> str:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _in_commands(line: str) -> Iterator[Candidate]:
    if " -" in line or line.startswith("-"):
        for found in _FLAG.finditer(line):
            kind = kind_of_name(found["name"])
            value = found["value"]
            seen = _settled(kind, look(value, name=found["name"]), value) if kind else Look.NONE
            if seen is not Look.NONE and not value.startswith("-"):
                yield Candidate(*found.span("value"), _RULES[kind], seen, f"an option that says {kind}")
        yield from _whole(_LOGIN, line, "password", "the password of a command's user")


def _whole(pattern: re.Pattern[str], line: str, rule: str, why: str) -> Iterator[Candidate]:
    for found in pattern.finditer(line):
        seen = look(found["value"], name=rule)
        if seen is not Look.NONE:
            yield Candidate(*found.span("value"), rule, seen, why)
