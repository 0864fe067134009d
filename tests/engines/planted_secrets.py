"""Labelled lines, made anew from alphabets on every run, so that no value that looks like a secret lies in the tree.

`positives(seed)` gives values by kind inside ordinary lines, `negatives(seed)` lines that look like it and are not.
"""

import base64
import json
import string
from collections.abc import Callable, Iterator
from random import Random

BASE62 = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
URLSAFE = BASE62 + "-_"
BASE64 = BASE62 + "+/"
STRONG = BASE62 + "!#%*+=-_?"


def _of(alphabet: str, size: int) -> Callable[[Random], str]:
    return lambda random: "".join(random.choice(alphabet) for _ in range(size))


def _after(prefix: str, alphabet: str, size: int) -> Callable[[Random], str]:
    return lambda random: prefix + "".join(random.choice(alphabet) for _ in range(size))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _signed(random: Random) -> str:
    claims = {"sub": str(random.randrange(10**9)), "iat": random.randrange(10**9), "org": _of(LOWER, 9)(random)}
    head = _b64(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    return f"{head}.{_b64(json.dumps(claims).encode())}.{_of(URLSAFE, 43)(random)}"


def _discord(random: Random) -> str:
    identity = base64.b64encode(str(random.randrange(10**17, 10**18)).encode()).decode()
    return f"{identity}.{_of(URLSAFE, 6)(random)}.{_of(URLSAFE, 27)(random)}"


def _pem(random: Random) -> str:
    body = "\n".join(_of(BASE64, 64)(random) for _ in range(6))
    word = random.choice(("RSA ", "EC ", "", "OPENSSH "))
    return f"-----BEGIN {word}PRIVATE KEY-----\n{body}\n-----END {word}PRIVATE KEY-----"


CODE = (
    '{name} = "{value}"',
    "    '{name}': '{value}',",
    'const {name} = "{value}";',
    'client.set("{name}", "{value}")',
)
CONFIG = ("{upper}={value}", "{name}: {value}", '{name}: "{value}"', "{name} = {value}", "export {upper}={value}")
ANY = (*CODE, *CONFIG)
MARKUP = ("<{name}>{value}</{name}>", '<add key="{name}" value="{value}"/>')

# kind: (how a value is made, names it is set to, lines it stands in)
KINDS: dict[str, tuple[Callable[[Random], str], tuple[str, ...], tuple[str, ...]]] = {
    "aws id": (_after("AKIA", UPPER, 16), ("aws_access_key_id",), ANY),
    "aws key": (_of(BASE64, 40), ("aws_secret_access_key", "secretAccessKey"), CODE),
    "github": (_after("ghp_", BASE62, 36), ("token", "x"), ANY),
    "github app": (_after("ghs_", BASE62, 36), ("a", "github"), ANY),
    "gitlab": (_after("glpat-", URLSAFE, 20), ("value", "pat"), ANY),
    "slack": (lambda r: f"xoxb-{r.randrange(10**11, 10**12)}-{_of(BASE62, 24)(r)}", ("slack", "bot"), ANY),
    "slack hook": (
        lambda r: f"https://hooks.slack.com/services/T{_of(UPPER, 8)(r)}/B{_of(UPPER, 8)(r)}/{_of(BASE62, 24)(r)}",
        ("url",),
        ANY,
    ),
    "stripe": (_after("sk_live_", BASE62, 24), ("stripe", "key"), ANY),
    "google": (_after("AIza", URLSAFE, 35), ("maps", "key"), ANY),
    "azure": (lambda r: f"AccountName=shop;AccountKey={_of(BASE64, 86)(r)}==", ("storage",), CODE),
    "sendgrid": (lambda r: f"SG.{_of(URLSAFE, 22)(r)}.{_of(URLSAFE, 43)(r)}", ("mail",), ANY),
    "npm": (_after("npm_", BASE62, 36), ("registry",), ANY),
    "pypi": (_after("pypi-AgEIcHlwaS5vcmc", URLSAFE, 80), ("upload",), ANY),
    "mailgun": (_after("key-", HEX, 32), ("mail",), ANY),
    "telegram": (lambda r: f"{r.randrange(10**8, 10**9)}:AA{_of(URLSAFE, 33)(r)}", ("bot",), ANY),
    "discord": (_discord, ("bot",), ANY),
    "digitalocean": (_after("dop_v1_", HEX, 64), ("cloud",), ANY),
    "shopify": (_after("shpat_", HEX, 32), ("shop",), ANY),
    "openai": (_after("sk-proj-", BASE62, 48), ("model",), ANY),
    "anthropic": (_after("sk-ant-api03-", URLSAFE, 95), ("model",), ANY),
    "huggingface": (_after("hf_", string.ascii_letters, 34), ("hub",), ANY),
    "twilio": (_of(HEX, 32), ("twilio_auth_token",), ANY),
    "json web token": (_signed, ("jwt", "x"), CODE),
    "private key": (_pem, ("key",), ("{value}",)),
    "password": (_of(STRONG, 14), ("password", "db_password", "smtpPassword"), (*CODE, *MARKUP)),
    "short password": (_of(BASE62, 9), ("password", "passwd", "DB_PASS"), ANY),
    "secret": (_of(URLSAFE, 32), ("client_secret", "SECRET_KEY", "appSecret"), ANY),
    "hex secret": (_of(HEX, 40), ("api_secret", "auth_token", "access_token"), ANY),
    "api key": (_of(BASE62, 28), ("api_key", "apiKey", "X-Api-Key"), (*ANY, *MARKUP)),
    "database": (
        lambda r: f"postgresql://app:{_of(BASE62, 12)(r)}@db.internal.corp:5432/shop",
        ("url",),
        ANY,
    ),
    "basic url": (lambda r: f"https://deploy:{_of(BASE62, 16)(r)}@git.internal.corp/app.git", ("remote",), ANY),
    "header": (_of(BASE62, 36), ("Authorization",), ('headers["{name}"] = "Bearer {value}"', "{name}: Bearer {value}")),
    "wrapped": (
        lambda r: base64.b64encode(_of(BASE62, 14)(r).encode()).decode(),
        ("password",),
        ("  {name}: {value}",),
    ),
}

WORDS = ("garden", "stable", "window", "castle", "packet", "throttle", "manager", "gateway", "printer", "channel")
NAMES = ("password", "secret", "api_key", "auth_token", "access_token", "client_secret", "db_password", "secretKey")
STAND_INS = (
    "changeme", "your-api-key", "xxxxxxxxxxxxxxxx", "********", "<password>", "${DB_PASSWORD}", "${{ secrets.TOKEN }}",
    "{{ vault_password }}", "%(password)s", "%s", "$PASSWORD", "REPLACE_ME", "example-token-value", "dummy", "...",
    "YOUR_SECRET_HERE", "test-password", "not-a-real-secret", "os.environ['TOKEN']", "null", "None", "TODO", "",
    "abcdefghijklmnopqrstuvwxyz", "1234567890123456", "{password}", "<%= ENV['SECRET'] %>", "@@TOKEN@@", "__TOKEN__",
    "/run/secrets/db", "vault:secret/data/app#token", "arn:aws:secretsmanager:eu-west-1:1:secret:db", "file:///etc/pw",
)  # fmt: skip


def positives(seed: int = 7, *, each: int = 6) -> Iterator[tuple[str, str, str]]:
    """(kind, value, line): `each` lines of every kind."""
    random = Random(seed)
    for kind, (make, names, lines) in KINDS.items():
        for number in range(each):
            value, name = make(random), names[number % len(names)]
            line = lines[number % len(lines)].format(name=name, upper=name.upper(), value=value)
            yield kind, value, line


def negatives(seed: int = 7) -> Iterator[str]:
    """Lines that hold no secret, though most of them name one."""
    random = Random(seed)
    for name in NAMES:
        for number, stand_in in enumerate(STAND_INS):
            line = ANY[number % len(ANY)]
            yield line.format(name=name, upper=name.upper(), value=stand_in)
    yield from _looking_alike(random)
    for name in NAMES:
        yield f"def check({name}: str, tries: int = 3) -> bool:"
        yield f"{name} = settings.get('{name}')"
        yield f"{name} = request.form['{name}']"
        yield f"this.{name} = {name};"
        yield f'"{name}": "{name.replace("_", " ").title()}",'
        yield f'<label for="{name}">{name.title()}</label> <input type="password" name="{name}" placeholder="{name}">'
        yield f"{name}_url = 'https://login.internal.corp/oauth/{name}'"
        yield f"{name}_file = '/etc/app/{name}.pem'"
        yield f"{name}_pattern = r'^[A-Za-z0-9]{{8,64}}$'"
        yield f"raise ValueError('{name}: must have at least eight characters')"


def _looking_alike(random: Random) -> Iterator[str]:
    for _ in range(8):
        number = _of(HEX, 40)(random)
        yield f"commit {number}"
        yield f'"integrity": "sha512-{_of(BASE64, 86)(random)}==",'
        yield f'sha256 = "{_of(HEX, 64)(random)}"'
        yield f"    --hash=sha256:{_of(HEX, 64)(random)} \\"
        yield f'checksum: "{_of(HEX, 32)(random)}"'
        yield f"id: {number[:8]}-{number[8:12]}-4{number[13:16]}-a{number[17:20]}-{number[20:32]}"
        yield f"background: url(data:image/png;base64,{_of(BASE64, 120)(random)})"
        yield f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_of(BASE64, 43)(random)} ann@host"
        yield f'public_key = "{_of(BASE64, 64)(random)}"'
        yield f'etag: W/"{_of(HEX, 32)(random)}"'
        yield f"    uses: actions/checkout@{_of(HEX, 40)(random)}"
        yield f'primary_key="{random.choice(WORDS)}_{random.choice(WORDS)}_id"'
        yield f"{random.choice(WORDS)}Token = new {random.choice(WORDS).title()}TokenProvider({random.choice(WORDS)})"
        yield f'token_type = "{random.choice(WORDS)}"'
        yield f"if (token === '{random.choice(WORDS)}') {{"
        yield f'cache_key = "{random.choice(WORDS)}:{random.choice(WORDS)}:{random.choice(WORDS)}"'
        yield f"password_hash = '$2b$12${_of(BASE62, 53)(random)}'"
        yield f"max_tokens: {random.randrange(100, 9000)}"
        yield f"https://example.org/{random.choice(WORDS)}?page={random.randrange(99)}&sort={random.choice(WORDS)}"
        yield f"csrf_token: {random.choice(WORDS)}"
