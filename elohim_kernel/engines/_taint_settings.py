"""Calls that are wrong by what they ask for, whatever the data: weak hashes, ciphers, random numbers, open cookies."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_program import Call
from elohim_kernel.engines._taint_sources import is_web
from elohim_kernel.engines._taint_values import words

_WEAK_HASHES: Final = frozenset(("md2", "md4", "md5", "sha", "sha1", "ripemd160", "rmd160", "mdc2"))
_KNOWN_HASH: Final = re.compile(r"^(sha(224|256|384|512)|sha3_\d+|blake2[bs]|shake_\d+|sha512_\d+|sm3)$")
_SECRET_WORD: Final = re.compile(
    r"(?i)(token|passw|secret|session|cookie|otp|nonce|salt|csrf|api_?key|auth|reset|verif|captcha|remember|rand|key$)"
)
_RANDOM: Final = frozenset(
    f"random.{name}"
    for name in words(
        "random randint randrange choice choices uniform sample shuffle getrandbits randbytes triangular betavariate"
        " gauss normalvariate lognormvariate expovariate paretovariate weibullvariate vonmisesvariate gammavariate"
    )
)
_CIPHERS: Final = re.compile(
    r"(^|\.)(Crypto|Cryptodome)\.Cipher\.(DES3?|ARC2|ARC4|Blowfish|XOR|CAST)\.new$"
    r"|algorithms\.(TripleDES|ARC4|Blowfish|IDEA|CAST5|SEED|DES)$|modes\.ECB$|^pyDes\.(des|triple_des)$"
)
_NEW_CIPHER: Final = re.compile(r"(^|\.)(Crypto|Cryptodome)\.Cipher\.AES\.new$")


def look(machine: Machine, call: Call) -> bool:
    """Look at a call; whether it is one of those listed here."""
    work = _TABLE.get(call.name)
    if work is not None:
        work(machine, call)
        return True
    if call.name in _RANDOM:
        _random(machine, call)
        return True
    if call.name and _CIPHERS.search(call.name):
        machine.see_flaw("weak-cipher", call.node, f"{call.name}()", f"{call.last} is broken or too weak")
        return True
    if call.name and _NEW_CIPHER.search(call.name):
        mode = call.argument(1, "mode")
        if mode is not None and mode.name.endswith("MODE_ECB"):
            machine.see_flaw("weak-cipher", call.node, f"{call.name}()", "the mode ECB shows equal blocks as equal")
        return True
    if call.method == "set_cookie":
        _cookie(machine, call)
        return True
    if call.method == "run":
        _debug(machine, call)
    return False


def _hash(machine: Machine, call: Call) -> None:
    purpose = call.named.get("usedforsecurity")
    if purpose is not None and purpose.constants == (False,):
        machine.see_flaw("weak-hash", call.node, "usedforsecurity=False", "")
    elif purpose is not None and purpose.constants is None:
        machine.see_unsure("weak-hash", call.node, f"{call.name}()")
    else:
        machine.see_flaw("weak-hash", call.node, f"{call.name}()", f"{call.last.upper()} is broken")


def _named_hash(machine: Machine, call: Call) -> None:
    name = call.argument(0, "name") if call.name != "hmac.new" else call.argument(2, "digestmod")
    purpose = call.named.get("usedforsecurity")
    if name is None or (purpose is not None and purpose.constants == (False,)):
        return
    last = name.name.rpartition(".")[2].lower()
    options = [str(each).lower().replace("-", "") for each in name.constants or ()] or ([last] if last else [])
    weak = [each for each in options if each in _WEAK_HASHES]
    if weak:
        machine.see_flaw("weak-hash", call.node, f"{call.name}()", f"{weak[0].upper()} is broken")
    elif options and all(_KNOWN_HASH.match(each) for each in options):
        machine.see_flaw("weak-hash", call.node, f"{call.name}() with {options[0]}", "")
    else:
        machine.see_unsure("weak-hash", call.node, f"{call.name}()")


def _random(machine: Machine, call: Call) -> None:
    """Only where it is likely to matter: in a program that answers requests, or for something secret by its name."""
    function = machine.frame.function
    owner = function.name if function is not None else ""
    if any(is_web(each) for each in machine.libraries) or _SECRET_WORD.search(owner):
        machine.see_flaw("weak-random", call.node, f"{call.name}()", "these numbers can be predicted from earlier ones")


def _cookie(machine: Machine, call: Call) -> None:
    if call.rest is not None and "secure" not in call.named:
        machine.see_unsure("insecure-cookie", call.node, "set_cookie()")
        return
    secure = call.argument(6, "secure") if "secure" in call.named else None
    if secure is None:
        if any(is_web(each) for each in machine.libraries):
            machine.see_flaw("insecure-cookie", call.node, "set_cookie()", "without secure=True it goes over HTTP too")
    elif secure.constants is None or secure.is_open:
        machine.see_unsure("insecure-cookie", call.node, "set_cookie()")
    elif not all(secure.constants):
        machine.see_flaw("insecure-cookie", call.node, "set_cookie()", "secure=False: it is sent over HTTP too")
    else:
        machine.see_flaw("insecure-cookie", call.node, "set_cookie() with secure=True", "")


def _debug(machine: Machine, call: Call) -> None:
    debug = call.named.get("debug")
    if debug is not None and debug.constants == (True,):
        machine.see_flaw("exposure", call.node, f"{call.name or call.method}()", "debug=True lets visitors run code")


def _certificates(machine: Machine, call: Call) -> None:
    machine.see_flaw("tls", call.node, f"{call.name}()", "the certificate of the other side is not checked")


_TABLE: Final[Mapping[str, Callable[[Machine, Call], None]]] = {
    **{f"hashlib.{name}": _hash for name in ("md4", "md5", "sha1", "sha")},
    **{f"Crypto.Hash.{name}.new": _hash for name in ("MD2", "MD4", "MD5", "SHA", "SHA1")},
    **{f"Cryptodome.Hash.{name}.new": _hash for name in ("MD2", "MD4", "MD5", "SHA", "SHA1")},
    "cryptography.hazmat.primitives.hashes.MD5": _hash,
    "cryptography.hazmat.primitives.hashes.SHA1": _hash,
    "md5.new": _hash,
    "sha.new": _hash,
    "hashlib.new": _named_hash,
    "hmac.new": _named_hash,
    "ssl._create_unverified_context": _certificates,
}
