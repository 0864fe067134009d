"""What a value looks like: made by a machine, chosen by a person, or no secret at all.

`oddness` compares two explanations of a text: words as people write them in code, and characters drawn at random. Its
table holds, for each pair of letters, how much more likely the second is; counted in words of Python's library
and of packages, and rounded to half steps. All patterns here take linear time.
"""

import base64
import binascii
import hashlib
import math
import re
from collections import Counter
from enum import IntEnum
from typing import Final


class Look(IntEnum):
    """How much a value looks like a secret."""

    NONE = 0  # a placeholder, a reference, a name, a path, a hash
    WEAK = 1  # words a person may have chosen as a password, or only an example
    LIKELY = 2  # not words
    STRONG = 3  # long and without any pattern


SHORTEST: Final = 4
LONGEST: Final = 1024

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0^"  # 0: any digit; ^: a border
_ODDNESS: Final = (  # noqa: SIM905 - a row for each letter, three on a line
    "njhiomjojrlgihsjrghgklmlkqqj gkklhmnnhjnglmhkriilhonqjonj hokmhmohjshilnflpikhjnormsoj "
    "hlljekmofopjnlhlqjijjnommqoj imihkkkomrnijhmklgghoklimppj iollhhmpfsqimlglphjjipnpksnj "
    "imlmfmjihrpikiimshhkimnppnpj fonlfnpogrnkllgnsjkijpoplrsj jkiijkjrosniifhjpjhhpkslsksj "
    "gsknfosnhskmnngjmlimfsssmsoj illkeljkgqoimjklnlgkknjslpoj hnljfmnpgrmhnmglsnjjjmprirqj "
    "fjnkfnoqhsnljmhgsojljqqslrrj hnihhjgnipllmlilpnhgkkoqnrqj lkiinkkplqkiifjisgiiikjmpqsj "
    "gnlkgmnkismhnmhipgjijnnpjsoj kmmllpsoopsjsklmsjjidsosnsoj gmjjflkphslkjkhlrjhiklmqksqj "
    "jnimgmmihqkklliinmhfinmpkspj hnklflqigsoklmilrhijjnmojnoj jijlikksjsphiglishhgopspsrsj "
    "fnloemnpgsrnlmjmsmlnoonpqsnj gmkkhloifqnklihmohiknolmssqj ijhjgjolhsqjkmlgrkkfnnnkknnj "
    "jkjkiklnispiihjfmkghmlknmmnj hsnmdlslhssmlmilsnklnsnslmoj ssssssssssssssssssssssssssfj "
    "ijhiiijkinljijjhmihijlklnnsj "
).split()
_STEPS: Final = "abcdefghijklmnopqrs"
_PAIRS: Final = {
    (before, now): (_STEPS.index(_ODDNESS[row][column]) - 9) / 2
    for row, before in enumerate(_LETTERS)
    for column, now in enumerate(_LETTERS)
}
_ODD: Final = 3.0
_LEET: Final = str.maketrans("013457@$!", "oieastasi")

_PLACEHOLDER: Final = re.compile(
    r"example|sample|dummy|placeholder|change[-_. ]?(?:me|this|it)|replace|redacted|removed|masked|hidden|obfuscated"
    r"|your[-_. ]|yourpass|yourkey|yoursecret|yourtoken|insert|lorem|ipsum|default|goes[-_]?here|xxxxx|foobar|fixme"
    r"|secret[-_]?(?:here|key|value)|api[-_]?key|access[-_]?key|not[-_ ]?(?:real|set|used)|invalid|do[-_]?not"
    r"|undefined|unknown|optional|required|test[-_]?(?:ing|key|token|secret|pass)|12345|abcde|qwert|deadbeef|cafebabe"
    r"|\*\*\*|\.\.\.",
    re.IGNORECASE,
)
# A drawn value of forty characters may hold one of these by chance.
_SHORT_PLACEHOLDER: Final = re.compile(
    r"your|\bmy[-_.]|todo|tbd|xxx|foo|bar(?![a-z0-9])|fake|mock|some[-_]|any[-_]|not[-_ ]?a|n/a|none|null|donot|asdf"
    r"|00000|aaaaa|a1b2c3|1a2b3c|abc123|123abc",
    re.IGNORECASE,
)
_SHORT: Final = 20
_WEAK_WORD: Final = re.compile(
    r"test|demo|pass|secret|admin|root|user|guest|temp|hello|world|token|login|welcome", re.IGNORECASE
)
_REFERENCE: Final = re.compile(
    r"\$\{[^}:-]{0,80}\}|\$\(|^\$[A-Za-z_]|\$[A-Z_]{4}|\{\{|\}\}|\{%|<%|%>|%\(|%[sdrvqx@]\b|\{[A-Za-z_0-9.:!\[\]]{0,60}\}"
    r"|<[A-Za-z/_ !][^>]{0,80}>|\[[A-Za-z_ -]{2,60}\]|\[-?\d{1,3}\]|@[A-Za-z]{1,40}@|#\{|__[A-Za-z]{2,40}__"
    r"|%[A-Z_]{3,40}%"
    r"|^[@&*]|^!(?:[A-Z]|vault)|^\$|\\[dwsbSDW]|\(\?[:=!P<]|\[\^|\]\+|\]\*|\)\*|\.\*|\.\+",
)
_PATH: Final = re.compile(
    r"^(?:\.{0,2}/|~|[A-Za-z]:\\)|://|\.(?:pem|key|crt|cer|pub|json|ya?ml|txt|py|js|ts|html?|xml|cfg|ini|conf|env|sh|md"
    r"|properties|log|jks|p12|pfx|db|sqlite3?|png|jpe?g|gif|svg|css|php|rb|go|java|class|so|dll|exe|com|org|net|io|local)$"
    r"|^arn:|^urn:|^data:|^vault:|^env:|^ref\+|^secretsmanager:|^ssm:|^file:|^keyring:|^ENC\[|^op:",
    re.IGNORECASE,
)
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER: Final = re.compile(
    r"0[xX][0-9a-fA-F]{40}|[-+]?[\d.,_:/ -]{1,40}|0[xX][0-9a-fA-F]{1,16}|\d{4}-\d\d-\d\d(?:[T ][\d:.]+Z?)?"
)
_VERSION: Final = re.compile(r"[~^<>=v]{0,2}\d{1,4}(?:\.\d{1,5}){1,3}(?:[-+.a-z]\w{0,20})*", re.IGNORECASE)
_MAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_HASHED: Final = re.compile(
    r"\$(?:2[abxy]?|5|6|1|apr1|argon2\w{1,2}|pbkdf2\S{0,12}|scrypt)\$|\{(?:SSHA|SHA|MD5|CRYPT|bcrypt)|pbkdf2_sha|bcrypt"
    r"|^(?:sha(?:1|256|384|512)|md5)[-:$=]|^(?:argon2|scrypt|sha1|sha256)\$"
)
_PUBLIC: Final = re.compile(
    r"^(?:ssh-(?:rsa|ed25519|dss)|ecdsa-|pk_(?:test|live)_|AAAA[BCE]3Nza|MIIBIjAN|MIGfMA0"
    r"|MII[CDEFG][A-Za-z0-9+/]{4}CC|LS0tLS1CRUdJTiBD|BEGIN CERT)"
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::|->|\?\.)[A-Za-z_$][\w$]*)+")
_ESCAPED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_KEYBOARD: Final = (
    "0123456789012",
    "9876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc",
)

# The claims of the token in every manual, which is signed with many keys.
_MANUAL: Final = base64.b64encode(b'{"sub":"1234567890","name":"John Doe"').decode()[:44]

# Examples in standards and manuals, as the first half of their SHA-256: a scanner must not find them here.
_FAMOUS: Final = frozenset(
    {
        "6c96130f130ab0d6d158397e24d2bcc1",
        "00cf4c781dc37003f7c7dd7d4c9a6ef1",
        "a35b81a7d7927b70ec99270dd2362b88",
        "ca7459e2b26776de081b9a07e40227fd",
        "53f5da0aaa93d64cd5772c554cbf940f",
        "e9974c507d2a802143f614c878fcbb62",
        "15cef4b629cc2d07a4563df9516739d4",
        "cf4d418ed3de92d71f767db5391d5a2d",
        "73f71af093fdf1541b2c376f03436d71",
        "0e9d220616f08345a714ee57d8516310",
        "bdfeaef44475711c3abaf41d3ddd3532",
        "e4da07ad200089ce7f40110f02910677",
        "b8e148545b13c78bc74da2f1a7275dd7",
        "0011cc25eb4320717494d2703e8cba85",
        "aa6547439583c3a275d4542a0df6c1ad",
        "ac9265e56c79b234607ec72c53753cfe",
        "cb87c87e4a138d9a72259d2a01bab156",
        "649e1f5c769e718ba10d1a702a36499a",
        "bb9b1163338b2a51495834ad5c654204",
        "4c20e6f5cc11b93731e74cbe20739821",
        "2cafc0970149a84f3b9e62eaf169f36f",
        "f2d6ca16515033e5dce14eba840b979d",
        "570dad43de1af4c925f92c16a68a5093",
        "051d093c4bdedbf23f905ad01d9c6111",
    }
)


def oddness(text: str) -> float:
    """How much likelier the text is as random characters than as words, as a logarithm; above 3 it is no word.

    >>> oddness("kubernetes") < 0 < 3 < oddness("qzxbvkpw")
    True
    """
    before, total = "^", 0.0
    for each in text.lower():
        now = "0" if each.isdigit() else each if "a" <= each <= "z" else "^"
        total += _PAIRS[before, now]
        before = now
    return total


def entropy(text: str) -> float:
    """Bits for each character, by how often each occurs in the text itself."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def is_placeholder(value: str) -> bool:
    """Whether the value stands for one: a template, a reference to where it is kept, "changeme", a known example."""
    if _PLACEHOLDER.search(value) or _REFERENCE.search(value):
        return True
    if len(value) < _SHORT and _SHORT_PLACEHOLDER.search(value):
        return True
    if (
        _MANUAL in value
        or len(set(value.lower())) < 4
        or Counter(value).most_common(1)[0][1] * 2 > len(value)
        or _is_sequence(value.lower())
    ):
        return True
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()[:32] in _FAMOUS


def look(value: str, *, name: str = "") -> Look:
    """What the value looks like when something called `name` is set to it."""
    value = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    if not SHORTEST <= len(value) <= LONGEST or is_placeholder(value) or _is_other(value, name):
        return Look.NONE
    if any(each.isspace() or not each.isprintable() for each in value) or not value.isascii():
        return Look.NONE
    if _UUID.fullmatch(value):
        return Look.WEAK
    decoded = _decoded(value)
    if decoded:
        return Look.NONE if is_placeholder(decoded) or _is_other(decoded, name) else _shape(decoded)
    return _shape(value)


def _shape(value: str) -> Look:
    if len(value) >= 12 and _HEX.fullmatch(value):
        return _hexadecimal(value)
    odd = oddness(value)
    if odd < _ODD or _leet(value):
        return Look.WEAK
    if (
        value.isalpha()
        and (value.islower() or value.isupper() or value.istitle())
        and (odd < 2 * _ODD or len(value) < 7)
    ):
        return Look.WEAK
    if len(value) < 6 or (_WEAK_WORD.search(value) and len(value) < 16):
        return Look.WEAK
    if len(value) >= 16 and odd >= 3 * _ODD and entropy(value) >= 3.2:
        return Look.STRONG
    return Look.LIKELY


def _hexadecimal(value: str) -> Look:
    if len(set(value)) < 6 or entropy(value) < 2.6:
        return Look.NONE
    # Digits alone are a number; half the letters of the alphabet make words such as "deadbeef".
    if value.isdigit() or value.isalpha():
        return Look.WEAK
    return Look.STRONG if len(value) >= 20 else Look.LIKELY


def _leet(value: str) -> bool:
    """Whether it is a word again when its digits are read as letters."""
    core = value.rstrip("0123456789!.?#*")
    read = core.translate(_LEET)
    return 4 <= len(core) <= 16 and read.isalpha() and oddness(read) < -len(read) / 2


def _is_other(value: str, name: str) -> bool:
    if _PATH.search(value) or _NUMBER.fullmatch(value) or _VERSION.fullmatch(value) or _MAIL.fullmatch(value):
        return True
    if _HASHED.search(value) or _PUBLIC.search(value) or _is_names(value):
        return True
    flat, called = _flat(value), _flat(name)
    return bool(called) and (
        flat == called or (len(called) >= 4 and called in flat) or (len(flat) >= 5 and flat in called)
    )


def _is_names(value: str) -> bool:
    """`settings.SECRET`, `user::token`, `secret/data/db`: names joined, each of them words."""
    if _IDENTIFIER.fullmatch(value):
        return all(oddness(part) < 2 * _ODD for part in re.split(r"\.|::|->|\?\.", value))
    return value.count("/") >= 2 and oddness(value) < _ODD


def _flat(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def _is_sequence(value: str) -> bool:
    """Whether most of it is runs along the keyboard or the alphabet, or one piece repeated."""
    if len(value) >= 6 and any(
        value == (value[:size] * len(value))[: len(value)] for size in range(1, len(value) // 2)
    ):
        return True
    covered = place = 0
    while place < len(value) - 3:
        run = next((size for size in range(10, 3, -1) if _is_run(value[place : place + size], size)), 0)
        covered += run
        place += run or 1
    return covered * 2 >= len(value)


def _is_run(piece: str, size: int) -> bool:
    return len(piece) == size and any(piece in row for row in _KEYBOARD)


def _decoded(value: str) -> str:
    """The readable text a base64 value holds; "" when it holds none. Configuration of clusters wraps values so."""
    if len(value) < 8 or len(value) % 4 or not _BASE64.fullmatch(value):
        return ""
    try:
        text = base64.b64decode(value, validate=True).decode("ascii").rstrip("\n")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if text.isprintable() and len(text) >= SHORTEST else ""
