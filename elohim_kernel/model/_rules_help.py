"""What to do instead, by category: the advice a finding carries when its rule has none of its own."""

from collections.abc import Mapping
from typing import Final

HELP: Final[Mapping[str, str]] = {
    "sql-injection": "Pass values as bound parameters; choose names of tables and columns from a fixed list.",
    "command-injection": "Start the program with an argument list and without a shell; never build a command text.",
    "code-injection": "Do not run text as code: use a table of functions, or ast.literal_eval / JSON for data.",
    "path-traversal": "Resolve the path and check that it is still below the folder it belongs to, or map known names.",
    "xss": "Let the template engine escape the value, or escape it for the place it goes to.",
    "template-injection": "Keep templates in files and pass values to them; never build a template from input.",
    "xpath-injection": "Bind values as XPath variables instead of building the expression from text.",
    "ldap-injection": "Escape values with the LDAP library's own function before they go into a filter.",
    "log-injection": "Replace line breaks and control characters, or log the value as a structured field.",
    "open-redirect": "Redirect to a path of your own or to a host from a fixed list.",
    "trust-boundary": "Check the value before it goes where the rest of the program trusts it, such as the session.",
    "ssrf": "Choose the host from a fixed list, and refuse private addresses after resolving the name.",
    "deserialization": "Read data with JSON or a safe loader; sign what must be pickled and check it before loading.",
    "xxe": "Parse with defusedxml, or switch off entities and network access in the parser.",
    "weak-hash": "Use SHA-256, and scrypt, argon2 or bcrypt for passwords.",
    "weak-cipher": "Use AES-GCM or ChaCha20-Poly1305 with a fresh nonce and keys of today's length.",
    "weak-random": "Use the secrets module (or crypto.getRandomValues) where somebody gains by guessing the value.",
    "insecure-cookie": "Set Secure, HttpOnly and SameSite on the cookie.",
    "tls": "Leave certificate and host name checks on, and give the client your own authority if it needs one.",
    "secret": "Take it out, make a new one where it was issued, and read it from the environment or a secret store.",
    "dependency": "Upgrade to a version that has the fix, or pin what is fetched.",
    "permissions": "Give no more than is needed: files for the owner, containers without privileges.",
    "exposure": "Switch debugging off and listen only where it is needed, from settings of the place it runs in.",
    "access-control": "Check who asks, and whether they may, before doing the work.",
    "denial-of-service": "Bound the work that one request can cause: size, time, and patterns that backtrack.",
    "security": "",
}
