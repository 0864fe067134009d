"""What findings are about: one word per kind of problem, whatever tool saw it, with its place in the CWE list.

Tools disagree about CWE numbers, so a rule's category comes from our own tables (`model.rules`); only a rule that is
not in them falls back to the number its tool gives, by `category_of_cwe`.
"""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.model.value import Value


class Category(Value, frozen=True):
    """One kind of problem. `cwe` is the number a finding of it gets when its rule has no better one; 0 for none."""

    name: str
    label: str
    cwe: int = 0
    also: tuple[int, ...] = ()  # other CWE numbers that mean it
    security: bool = True


_SECURITY: Final = (
    Category(name="sql-injection", label="SQL injection", cwe=89, also=(564, 943)),
    Category(name="command-injection", label="Command injection", cwe=78, also=(77, 88)),
    Category(name="code-injection", label="Code injection", cwe=94, also=(95, 96, 913, 1321)),
    Category(name="path-traversal", label="Path traversal", cwe=22, also=(23, 36, 73, 59)),
    Category(name="xss", label="Cross-site scripting", cwe=79, also=(80, 116)),
    Category(name="template-injection", label="Template injection", cwe=1336),
    Category(name="xpath-injection", label="XPath injection", cwe=643, also=(91, 652)),
    Category(name="ldap-injection", label="LDAP injection", cwe=90),
    Category(name="log-injection", label="Log injection", cwe=117, also=(93, 113)),
    Category(name="open-redirect", label="Open redirect", cwe=601),
    Category(name="trust-boundary", label="Trust boundary violation", cwe=501),
    Category(name="ssrf", label="Server-side request forgery", cwe=918),
    Category(name="deserialization", label="Unsafe deserialisation", cwe=502),
    Category(name="xxe", label="XML external entities", cwe=611, also=(776, 827)),
    Category(name="weak-hash", label="Weak hash", cwe=328, also=(327, 916)),
    Category(name="weak-cipher", label="Weak encryption", cwe=326, also=(321, 329)),
    Category(name="weak-random", label="Predictable random numbers", cwe=330, also=(331, 335, 338)),
    Category(name="insecure-cookie", label="Insecure cookie", cwe=614, also=(1004, 1275)),
    Category(name="tls", label="Unchecked or weak TLS", cwe=295, also=(297, 319, 322, 757)),
    Category(name="secret", label="Secret in the source", cwe=798, also=(259, 312, 532, 540)),
    Category(name="dependency", label="Vulnerable dependency", cwe=1395, also=(937, 1035, 1104)),
    Category(name="permissions", label="Loose permissions", cwe=732, also=(276, 377, 378, 379)),
    Category(name="exposure", label="Exposed service or debug mode", cwe=489, also=(200, 209, 605, 668, 1327)),
    Category(name="access-control", label="Missing access control", cwe=284, also=(285, 287, 306, 352, 862, 863)),
    Category(name="denial-of-service", label="Denial of service", cwe=400, also=(770, 1333)),
    Category(name="policy", label="Change to its own judge", cwe=0),
    Category(name="security", label="Other security problem"),
)
_QUALITY: Final = (
    Category(name="correctness", label="Probable error", security=False),
    Category(name="types", label="Types", security=False),
    Category(name="reliability", label="Reliability", security=False),
    Category(name="complexity", label="Complexity", security=False),
    Category(name="maintainability", label="Maintainability", security=False),
    Category(name="style", label="Style", security=False),
    Category(name="import", label="Import of a module that needs care", security=False),
    Category(name="syntax", label="Not analysed: syntax", security=False),
    Category(name="note", label="Note", security=False),
    Category(name="quality", label="Other", security=False),
)

CATEGORIES: Final[Mapping[str, Category]] = {one.name: one for one in (*_SECURITY, *_QUALITY)}
"""Every category by name. `import`, `style` and `note` are never above information."""

DEMOTED: Final = frozenset({"import", "maintainability", "style", "note"})
"""Categories that are told, never counted as problems."""

_BY_CWE: Final = {
    **{number: one.name for one in _SECURITY for number in one.also},
    **{one.cwe: one.name for one in _SECURITY if one.cwe},
}


def category_of_cwe(cwe: int) -> str:
    """The category a CWE number belongs to; "security" for a number we do not place, "quality" for 0.

    >>> category_of_cwe(95), category_of_cwe(9999), category_of_cwe(0)
    ('code-injection', 'security', 'quality')
    """
    return _BY_CWE.get(cwe, "security") if cwe else "quality"


def is_security(category: str) -> bool:
    """Whether a finding of that category belongs to a security review; unknown names do.

    >>> is_security("xss"), is_security("style")
    (True, False)
    """
    found = CATEGORIES.get(category)
    return found.security if found else True
