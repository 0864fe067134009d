"""What the rules of Python's own tools mean: ruff, bandit, mypy, pylint.

Confidence follows how often a rule was right on labelled code: hashes and random numbers always, built SQL text mostly,
`eval`, XML parsers and child processes seldom, because those rules do not look at where the value comes from.
"""

from typing import Final

from elohim_kernel.model._rules_row import HIGH, INFO, LIKELY, LOW, MEDIUM, SURE, UNSURE, Row

_MKSTEMP: Final = "Create the file with tempfile.NamedTemporaryFile or mkstemp; a name chosen ahead can be taken."
_TIMEOUT: Final = "Give the request a timeout; without one it can wait for ever."
_TLS_VERSION: Final = "Use ssl.create_default_context() and leave the version to it."
_SSH: Final = "Load known host keys and refuse unknown ones (RejectPolicy)."
_HASH: Final = "Use SHA-256, or scrypt/argon2 for passwords; say usedforsecurity=False when it is only a checksum."
_ASSERT: Final = "An assert is gone under `python -O`: raise an exception where it guards something."
_EXTRACT: Final = "Extract with filter='data', which refuses members that leave the folder."

RUFF: Final = (
    Row("invalid-syntax E902", "syntax", HIGH, SURE),
    Row("F", "correctness", MEDIUM, LIKELY),
    Row("E9 F7 F50 F52 F631 F634 F821 F823 F901 PLE RUF016", "correctness", HIGH, SURE),
    Row("PLW0133 PLW0711 PLW1501 PLW2101 B016 ASYNC105", "correctness", HIGH, LIKELY),
    Row("F401 F841 F842 F403 F405", "maintainability", LOW, SURE),
    Row("F504 F522 F523 F722 W605 E721 B017 B018 B033 B034 PLE1310 PLE2 NPY YTT INT", "correctness", LOW, LIKELY),
    Row("PLE0604 PLE0605 PLE1205 PLE1206 PIE794 PIE796 PGH005 G101", "correctness", MEDIUM, LIKELY),
    Row("PLW0129 PLW0177 PLW0245 PLW0406 SIM220 SIM221 SIM222 SIM223", "correctness", MEDIUM, LIKELY),
    Row("PLW0127 PLW0128 PLW0131 PLW0211 PLW0642 PLW1507 PLW1508", "correctness", LOW, LIKELY),
    Row("RUF008 RUF024 RUF030 RUF034 RUF049", "correctness", MEDIUM, LIKELY),
    Row("RUF009 RUF018 RUF033 RUF040 DTZ003 DTZ004", "correctness", LOW, LIKELY),
    Row("B", "correctness", MEDIUM, LIKELY),
    Row("E722 B011 B014 B019 B021 B904 SIM115 PLW1510 S110 S112", "reliability", LOW, LIKELY),
    Row("ASYNC2 RUF006 PLW1509 T100 B012", "reliability", MEDIUM, LIKELY),
    Row("ASYNC1", "reliability", LOW, LIKELY),
    Row("E711 E712 E713 E714 F541 B007 B008 B009 B010 B013 B024 B027 B028 B905 PLW0120 RUF017", "style", INFO, LIKELY),
    Row("C E W D N I UP Q COM ISC ANN ERA FBT TD FIX PT RET TID RUF PL SIM PIE PTH", "style", INFO, LIKELY),
    Row("C901", "complexity", LOW, SURE),
    Row("S", "security", MEDIUM, LIKELY),
    Row("S101", "reliability", INFO, UNSURE, 703, _ASSERT),
    Row("S102 S307", "code-injection", MEDIUM, UNSURE),
    Row("S103 RUF064", "permissions", MEDIUM, LIKELY),
    Row("S104", "exposure", LOW, LIKELY, 605),
    Row("S105 S106 S107", "secret", MEDIUM, UNSURE),
    Row("S108", "permissions", LOW, UNSURE, 377, _MKSTEMP),
    Row("S113", "reliability", LOW, SURE, 400, _TIMEOUT),
    Row("S201", "exposure", HIGH, SURE, 489),
    Row("S202", "path-traversal", MEDIUM, UNSURE, 22, _EXTRACT),
    Row("S301 S302 S506", "deserialization", MEDIUM, LIKELY),
    Row("S303 S324", "weak-hash", MEDIUM, SURE, 328, _HASH),
    Row("S304 S305", "weak-cipher", MEDIUM, SURE, 327),
    Row("S306", "permissions", MEDIUM, SURE, 377, _MKSTEMP),
    Row("S308 S704", "xss", MEDIUM, UNSURE),
    Row("S701 S702", "xss", MEDIUM, LIKELY),
    Row("S310", "ssrf", LOW, UNSURE),
    Row("S311", "weak-random", LOW, SURE, 330),
    Row("S312 S321", "tls", MEDIUM, LIKELY, 319),
    Row("S313 S314 S315 S316 S317 S318 S319", "xxe", LOW, UNSURE),
    Row("S4", "import", INFO, SURE),
    Row("S323 S501", "tls", HIGH, SURE),
    Row("S502 S503 S504", "tls", HIGH, LIKELY, 327, _TLS_VERSION),
    Row("S505", "weak-cipher", MEDIUM, SURE, 326),
    Row("S507", "tls", HIGH, LIKELY, 322, _SSH),
    Row("S508 S509", "tls", MEDIUM, LIKELY, 319),
    Row("S601", "command-injection", MEDIUM, UNSURE),
    Row("S602 S604 S605 S609", "command-injection", HIGH, LIKELY),
    Row("S603 S606 S607", "command-injection", INFO, UNSURE),
    Row("S608", "sql-injection", HIGH, LIKELY),
    Row("S610 S611", "sql-injection", HIGH, LIKELY),
    Row("S612", "code-injection", MEDIUM, LIKELY),
    Row("PLE2502", "security", HIGH, SURE, 1007),
)

BANDIT: Final = (
    Row("B101", "reliability", INFO, UNSURE, 703, _ASSERT),
    Row("B102 B307", "code-injection", MEDIUM, UNSURE),
    Row("B103", "permissions", MEDIUM, LIKELY),
    Row("B104", "exposure", LOW, LIKELY, 605),
    Row("B105 B106 B107", "secret", MEDIUM, UNSURE),
    Row("B108", "permissions", LOW, UNSURE, 377, _MKSTEMP),
    Row("B110 B112", "reliability", LOW, LIKELY),
    Row("B113", "reliability", LOW, SURE, 400, _TIMEOUT),
    Row("B201", "exposure", HIGH, SURE, 489),
    Row("B202", "path-traversal", MEDIUM, UNSURE, 22, _EXTRACT),
    Row("B301 B302 B506", "deserialization", MEDIUM, LIKELY),
    Row("B614", "deserialization", MEDIUM, UNSURE),
    Row("B615", "dependency", MEDIUM, LIKELY, 494, "Pin the revision of what is downloaded to a commit hash."),
    Row("B303 B324", "weak-hash", MEDIUM, SURE, 328, _HASH),
    Row("B304 B305", "weak-cipher", MEDIUM, SURE, 327),
    Row("B306", "permissions", MEDIUM, SURE, 377, _MKSTEMP),
    Row("B308 B703 B704", "xss", MEDIUM, UNSURE),
    Row("B701 B702", "xss", MEDIUM, LIKELY),
    Row("B310", "ssrf", LOW, UNSURE),
    Row("B311", "weak-random", LOW, SURE, 330),
    Row("B312 B321", "tls", MEDIUM, LIKELY, 319),
    Row("B313 B314 B315 B316 B317 B318 B319", "xxe", LOW, UNSURE),
    Row("B323 B501", "tls", HIGH, SURE),
    Row("B401 B402 B403 B404 B405 B406 B407 B408 B409 B411 B412 B413 B415", "import", INFO, SURE),
    Row("B502 B503 B504", "tls", HIGH, LIKELY, 327, _TLS_VERSION),
    Row("B505", "weak-cipher", MEDIUM, SURE, 326),
    Row("B507", "tls", HIGH, LIKELY, 322, _SSH),
    Row("B508 B509", "tls", MEDIUM, LIKELY, 319),
    Row("B601", "command-injection", MEDIUM, UNSURE),
    Row("B602 B604 B605 B609", "command-injection", HIGH, LIKELY),
    Row("B603 B606 B607", "command-injection", INFO, UNSURE),
    Row("B608", "sql-injection", HIGH, UNSURE),
    Row("B610 B611", "sql-injection", HIGH, LIKELY),
    Row("B612", "code-injection", MEDIUM, LIKELY),
    Row("B613", "security", HIGH, SURE, 1007),
)

MYPY: Final = (
    Row("syntax", "syntax", HIGH, SURE),
    Row("name-defined used-before-def possibly-undefined", "correctness", HIGH, SURE),
    Row("call-arg attr-defined return await-not-async top-level-await", "types", MEDIUM, SURE),
    Row("unused-coroutine unused-awaitable comparison-overlap truthy-function", "correctness", MEDIUM, SURE),
    Row(
        "abstract arg-type assert-type assignment call-overload dict-item exit-return func-returns-value index"
        " list-item literal-required maybe-unrecognized-str-typeform metaclass method-assign misc mutable-override"
        " name-match narrowed-type-not-subtype no-overload-impl no-redef nonetype-type operator overload-cannot-match"
        " overload-overlap override prop-decorator return-value safe-super str-bytes-safe str-format str-unpack"
        " type-abstract type-arg type-var typeddict-item typeddict-readonly-mutated typeddict-unknown-key union-attr"
        " valid-newtype valid-type empty-body exhaustive-match has-type",
        "types",
        MEDIUM,
        LIKELY,
    ),
    Row(
        "annotation-unchecked explicit-any explicit-override no-any-return no-any-unimported no-untyped-call"
        " no-untyped-def untyped-decorator var-annotated redundant-cast redundant-expr redundant-self truthy-bool"
        " truthy-iterable unreachable unused-ignore ignore-without-code deprecated unimported-reveal",
        "types",
        LOW,
        LIKELY,
    ),
    Row("import import-not-found import-untyped", "note", INFO, SURE),
)

PYLINT: Final = (
    Row("F E", "correctness", MEDIUM, LIKELY),
    Row("W", "maintainability", LOW, LIKELY),
    Row("R", "maintainability", INFO, LIKELY),
    Row("C I", "style", INFO, LIKELY),
    Row("E0001", "syntax", HIGH, SURE),
    Row("E0401", "note", INFO, UNSURE),
    Row("W0122 W0123", "code-injection", MEDIUM, UNSURE),
    Row("W1501 W1502 W1503", "correctness", MEDIUM, LIKELY),
    Row("W1509 W1510", "reliability", LOW, LIKELY),
    Row("W3101", "reliability", LOW, SURE, 400, _TIMEOUT),
    Row("R1732", "reliability", LOW, LIKELY),
    Row("R0912 R0915 R1260", "complexity", LOW, SURE),
    Row("E2502", "security", HIGH, SURE, 1007),
)
