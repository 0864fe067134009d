"""How problems of each category are usually mended: steps a person may take, in order, with the risk and the minutes.

What a rule itself advises comes from `model.rules`; this is the way around it.
"""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.model.recommendation import Risk
from elohim_kernel.model.value import Value


class Remedy(Value, frozen=True):
    """One way to mend. `pattern` shows the code before and after, "" where code says nothing."""

    steps: tuple[str, ...]
    pattern: str = ""
    minutes: int = 20
    risk: Risk = Risk.LOW  # of the mending


_INPUT: Final = "Find where the value comes in, and check it there against what is allowed"
_TEST: Final = "Add a test that sends the hostile value and expects it refused"

_REMEDIES: Final[Mapping[str, Remedy]] = {
    "sql-injection": Remedy(
        steps=("Bind the value instead of writing it into the statement", _TEST),
        pattern='execute(f"… where id = {id}")  →  execute("… where id = ?", (id,))',
    ),
    "command-injection": Remedy(
        steps=("Give the program its arguments as a list, without a shell", _INPUT, _TEST),
        pattern='run(f"git log {name}", shell=True)  →  run(["git", "log", "--", name])',
    ),
    "code-injection": Remedy(
        steps=("Replace the evaluation by a parser or a table of what is allowed", _TEST),
        pattern="eval(text)  →  ast.literal_eval(text), json.loads(text) or ACTIONS[text]()",
        minutes=45,
        risk=Risk.MEDIUM,
    ),
    "path-traversal": Remedy(
        steps=("Resolve the path, and refuse what is not below the folder it belongs to", _TEST),
        pattern="open(root / name)  →  path = (root / name).resolve(); refuse unless path.is_relative_to(root)",
    ),
    "xss": Remedy(
        steps=("Let the template escape the value, or escape it where it is written out", _TEST),
        pattern='f"<b>{name}</b>"  →  render_template("page.html", name=name)',
    ),
    "template-injection": Remedy(
        steps=("Keep templates in files, and hand values to them as variables", _TEST),
        pattern="Template(text).render()  →  Template(FIXED).render(text=text)",
    ),
    "deserialization": Remedy(
        steps=("Read a format that holds data only, and check its shape", "Convert what is stored already", _TEST),
        pattern="pickle.loads(data)  →  json.loads(data);  yaml.load(text)  →  yaml.safe_load(text)",
        minutes=60,
        risk=Risk.MEDIUM,
    ),
    "xxe": Remedy(
        steps=("Parse with a parser that resolves no entities", _TEST),
        pattern="xml.etree.ElementTree  →  defusedxml.ElementTree",
        minutes=15,
    ),
    "xpath-injection": Remedy(
        steps=("Hand the value to the query as a variable", _TEST),
        pattern="tree.xpath(f\"//a[@id='{id}']\")  →  tree.xpath('//a[@id=$id]', id=id)",
    ),
    "ldap-injection": Remedy(steps=("Escape the value for a filter where the filter is made", _TEST)),
    "open-redirect": Remedy(steps=("Redirect to a path of your own, or to a host of a fixed list", _TEST), minutes=15),
    "ssrf": Remedy(
        steps=("Choose the host from a list, and refuse private addresses after resolving the name", _TEST), minutes=45
    ),
    "trust-boundary": Remedy(steps=(_INPUT, "Keep checked and unchecked values under different names")),
    "log-injection": Remedy(steps=("Log the value as a field, not as part of the line",), minutes=10),
    "weak-hash": Remedy(
        steps=(
            "Decide what the hash is for: passwords need a slow one, signatures a strong one",
            "Keep reading the old form until what is stored has been converted",
        ),
        pattern="hashlib.md5(data)  →  hashlib.sha256(data), or usedforsecurity=False where nothing is protected",
        risk=Risk.MEDIUM,
    ),
    "weak-cipher": Remedy(
        steps=("Use an authenticated cipher of a maintained library", "Plan how what is encrypted already is read"),
        minutes=60,
        risk=Risk.HIGH,
    ),
    "weak-random": Remedy(
        steps=("Take random values that must not be guessed from the system",),
        pattern="random.choice(letters)  →  secrets.choice(letters)",
        minutes=5,
    ),
    "insecure-cookie": Remedy(
        steps=("Set Secure, HttpOnly and SameSite where the cookie is made",),
        pattern='set_cookie("id", id)  →  set_cookie("id", id, secure=True, httponly=True, samesite="Lax")',
        minutes=10,
    ),
    "tls": Remedy(
        steps=("Check certificates, and name the authority that is trusted instead of none",),
        pattern="get(url, verify=False)  →  get(url, verify=CA_FILE)",
        risk=Risk.MEDIUM,
    ),
    "secret": Remedy(
        steps=(
            "Make the secret useless first: revoke it, or change it where it is checked",
            "Read it from the environment or a store of secrets",
            "Leave the history as it is unless everybody agrees to rewrite it: it is known by then",
        ),
        minutes=30,
        risk=Risk.MEDIUM,
    ),
    "dependency": Remedy(
        steps=("Raise the version to one that has the fix", "Read its notes for what changed", "Run the tests"),
        risk=Risk.MEDIUM,
    ),
    "permissions": Remedy(steps=("Give the narrowest rights that work, at the moment the file is made",), minutes=10),
    "exposure": Remedy(steps=("Bind to the loopback address, and switch it on by a setting that is off",), minutes=10),
    "access-control": Remedy(
        steps=("Ask for the right where the action is decided, not where it is shown", _TEST), minutes=60
    ),
    "denial-of-service": Remedy(steps=("Set a limit for size, number and time before the work begins", _TEST)),
    "policy": Remedy(steps=("Ask the owners why the change weakens what judges it, and decide that apart",)),
    "complexity": Remedy(steps=("Name the parts of the function, and let each be one",), minutes=60, risk=Risk.MEDIUM),
    "syntax": Remedy(steps=("Mend the file so that it parses: until then no tool has looked at it",)),
}
_OTHER: Final = Remedy(steps=("Read what the rule says, and mend the line or say why it is right",), minutes=10)
_OTHER_SECURITY: Final = Remedy(steps=(_INPUT, _TEST), minutes=30)


def remedy_for(category: str, *, security: bool) -> Remedy:
    """The usual way for a category; a general one where there is none of its own.

    >>> remedy_for("weak-random", security=True).minutes, len(remedy_for("style", security=False).steps)
    (5, 1)
    """
    return _REMEDIES.get(category) or (_OTHER_SECURITY if security else _OTHER)
