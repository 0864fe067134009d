"""Credentials that their issuer gave a form: prefixes, lengths, check digits, as their public documents describe them.

Each has words that must stand in a text before its pattern is tried there, so that most texts cost a few searches.
Group 1 is the value where there is a group. All patterns take linear time on the windows they are given.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from elohim_kernel.model.secret_text import entropy, is_placeholder


class Form(NamedTuple):
    """One kind of credential."""

    rule: str
    issuer: str
    words: tuple[str, ...]  # one of them stands in the text, lower case, in the credential or right beside it
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None = None  # what else must hold of the value
    bits: float = 2.8  # least entropy of a character
    sure: bool = True  # the form alone is proof; otherwise it is likely


def _form(
    rule: str,
    issuer: str,
    words: str,
    pattern: str,
    check: Callable[[str], bool] | None = None,
    *,
    bits: float = 2.8,
    sure: bool = True,
    flags: int = 0,
) -> Form:
    return Form(rule, issuer, tuple(words.split()), re.compile(pattern, flags), check, bits, sure)


def plausible(form: Form, value: str) -> bool:
    """Whether a value that fits the pattern is more than the pattern's example."""
    if is_placeholder(value) or entropy(value) < form.bits:
        return False
    return form.check is None or form.check(value)


def has_right_check_digits(token: str) -> bool:
    """Whether the last six characters of a GitHub or npm token are the checksum of its body, as their issuers say.

    >>> has_right_check_digits("ghp_" + "a" * 36)
    False
    """
    body = token.rpartition("_")[2]
    number, digits = zlib.crc32(body[:-6].encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits == body[-6:]


_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _json_of(part: str) -> Mapping[str, object]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_signed_token(value: str) -> bool:
    head, body, signature = value.split(".")[:3]
    claims = _json_of(body)
    if claims.get("sub") == "1234567890" or claims.get("name") == "John Doe" or len(signature) < 20:
        return False  # the example of every manual
    return "alg" in _json_of(head) and bool(claims)


def _is_discord_token(value: str) -> bool:
    try:
        return base64.b64decode(value.partition(".")[0] + "==").isdigit()
    except binascii.Error:
        return False


def _has_digit(value: str) -> bool:
    return any(each.isdigit() for each in value)


def _is_mixed(value: str) -> bool:
    """Neither one case nor letters only: a name or a hash is, a drawn value of forty characters is not."""
    return value != value.lower() and value != value.upper() and _has_digit(value)


_START: Final = r"(?<![A-Za-z0-9_-])"
_END: Final = r"(?![A-Za-z0-9_/+=-])"
_NEAR: Final = r"[^\n]{0,40}?(?:=|:|,|=>)\s{0,5}[\"'`]?"

FORMS: Final = (
    _form(
        "aws-access-key-id",
        "AWS",
        "akia asia abia acca",
        rf"{_START}((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}})(?![A-Za-z0-9])",
        _has_digit,
    ),
    _form(
        "aws-secret-access-key",
        "AWS",
        "aws secret_access_key secretaccesskey secretkey secret_key",
        rf"(?:aws|secret_?access_?key|secret_?key){_NEAR}([A-Za-z0-9/+]{{40}}){_END}",
        _is_mixed,
        bits=4.0,
        flags=re.IGNORECASE,
    ),
    _form("aws-mws-token", "Amazon MWS", "amzn.mws.", r"(amzn\.mws\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"),
    _form("github-token", "GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_START}(gh[pousr]_[A-Za-z0-9]{{36,251}}){_END}"),
    _form("github-fine-grained-token", "GitHub", "github_pat_", rf"{_START}(github_pat_\w{{22}}_\w{{59}}){_END}"),
    _form(
        "gitlab-token",
        "GitLab",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat-",
        rf"{_START}(gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_\-.]{{20,64}}){_END}",
    ),
    _form(
        "slack-token",
        "Slack",
        "xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxe- xoxe.",
        r"(xox(?:[abprso]|e(?:\.xox[bp])?)-(?:\d{1,15}-)?[A-Za-z0-9\-]{10,250})",
        _has_digit,
    ),
    _form("slack-app-token", "Slack", "xapp-", r"(xapp-\d-[A-Z0-9]{8,14}-\d{8,15}-[0-9a-f]{32,80})"),
    _form(
        "slack-webhook",
        "Slack",
        "hooks.slack.com",
        r"(https:/{2}hooks\.slack\.com/(?:services|workflows)/T\w{6,12}/[AB]\w{6,12}/[\w/]{16,60})",
    ),
    _form(
        "stripe-key",
        "Stripe",
        "sk_live_ rk_live_ sk_test_ rk_test_ whsec_",
        rf"{_START}((?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9+/=]{{20,250}})",
    ),
    _form("google-api-key", "Google", "aiza", rf"{_START}(AIza[A-Za-z0-9_\-]{{35}}){_END}"),
    _form("google-oauth-secret", "Google", "gocspx-", rf"{_START}(GOCSPX-[A-Za-z0-9_\-]{{28}}){_END}"),
    _form("google-oauth-token", "Google", "ya29.", rf"{_START}(ya29\.[A-Za-z0-9_\-]{{40,400}})"),
    _form("firebase-server-key", "Firebase", ":apa91b", r"(AAAA[A-Za-z0-9_\-]{7}:APA91b[A-Za-z0-9_\-]{120,180})"),
    _form(
        "azure-storage-key",
        "Azure",
        "accountkey sharedaccesskey",
        r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{42,86}={1,2})",
        bits=3.5,
        flags=re.IGNORECASE,
    ),
    _form(
        "azure-sas-signature",
        "Azure",
        "sig=",
        r"[?&](?:sv|se|sp|sr|st)=[^\s\"'<>]{1,300}&sig=([A-Za-z0-9%/+=]{43,80})",
        _has_digit,
        bits=3.5,
    ),
    _form("azure-client-secret", "Azure", "q~", rf"{_START}([A-Za-z0-9_~.\-]{{3}}\dQ~[A-Za-z0-9_~.\-]{{31,34}})"),
    _form("twilio-key", "Twilio", "sk ac", rf"{_START}(SK[0-9a-f]{{32}}){_END}", _has_digit, bits=3.0),
    _form(
        "twilio-auth-token",
        "Twilio",
        "twilio",
        rf"twilio{_NEAR}([0-9a-f]{{32}}){_END}",
        _has_digit,
        bits=3.0,
        flags=re.IGNORECASE,
    ),
    _form("sendgrid-key", "SendGrid", "sg.", rf"{_START}(SG\.[A-Za-z0-9_\-]{{22}}\.[A-Za-z0-9_\-]{{43}}){_END}"),
    _form("sendinblue-key", "Brevo", "xkeysib-", r"(xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16})"),
    _form("npm-token", "npm", "npm_", rf"{_START}(npm_[A-Za-z0-9]{{36}}){_END}"),
    _form(
        "npm-registry-token",
        "npm",
        "_authtoken",
        r"_authToken\s{0,3}=\s{0,3}[\"']?([A-Za-z0-9_\-.=+/]{16,300})",
        _has_digit,
        flags=re.IGNORECASE,
    ),
    _form("pypi-token", "PyPI", "pypi-age", rf"{_START}(pypi-AgE[A-Za-z0-9_\-]{{50,400}})"),
    _form("rubygems-key", "RubyGems", "rubygems_", rf"{_START}(rubygems_[0-9a-f]{{48}}){_END}"),
    _form("cargo-token", "crates.io", "cio", rf"{_START}(cio[A-Za-z0-9]{{32}}){_END}", _is_mixed),
    _form("mailgun-key", "Mailgun", "key-", rf"{_START}(key-[0-9a-f]{{32}}){_END}", _has_digit),
    _form("mailchimp-key", "Mailchimp", "-us", rf"{_START}([0-9a-f]{{32}}-us\d{{1,2}}){_END}"),
    _form("telegram-bot-token", "Telegram", ":aa", rf"(?<![\d\w])(\d{{8,10}}:AA[A-Za-z0-9_\-]{{33}}){_END}"),
    _form(
        "discord-bot-token",
        "Discord",
        "discord token bot",
        rf"{_START}([MNO][A-Za-z0-9_\-]{{23,27}}\.[A-Za-z0-9_\-]{{6}}\.[A-Za-z0-9_\-]{{27,40}}){_END}",
        _is_discord_token,
    ),
    _form(
        "discord-webhook",
        "Discord",
        "/api/webhooks/",
        r"(https:/{2}(?:\w{1,10}\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_\-]{60,80})",
    ),
    _form(
        "heroku-key",
        "Heroku",
        "heroku",
        rf"heroku{_NEAR}([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})",
        flags=re.IGNORECASE,
    ),
    _form("heroku-token", "Heroku", "hrku-", rf"{_START}(HRKU-[A-Za-z0-9_\-]{{36,64}})"),
    _form(
        "digitalocean-token", "DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", rf"{_START}(do[opr]_v1_[0-9a-f]{{64}}){_END}"
    ),
    _form(
        "shopify-token",
        "Shopify",
        "shpat_ shpca_ shppa_ shpss_",
        rf"{_START}(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}){_END}",
    ),
    _form(
        "square-token",
        "Square",
        "sq0atp- sq0csp- eaaa",
        rf"{_START}(sq0(?:atp-[A-Za-z0-9_\-]{{22}}|csp-[A-Za-z0-9_\-]{{43}})|EAAA[A-Za-z0-9_\-]{{60}}){_END}",
    ),
    _form(
        "openai-key",
        "OpenAI",
        "t3blbkfj sk-proj- sk-svcacct- sk-admin-",
        rf"{_START}(sk-(?:[A-Za-z0-9]{{20}}T3BlbkFJ[A-Za-z0-9]{{20}}|(?:proj|svcacct|admin)-[A-Za-z0-9_\-]{{40,250}}))",
    ),
    _form(
        "openai-like-key",
        "an OpenAI-like service",
        "sk-",
        rf"{_START}(sk-(?:or-v1-)?[A-Za-z0-9]{{32,64}}){_END}",
        _has_digit,
        sure=False,
    ),
    _form(
        "anthropic-key", "Anthropic", "sk-ant-", rf"{_START}(sk-ant-(?:api|admin|sid|oat)\d\d-[A-Za-z0-9_\-]{{40,140}})"
    ),
    _form("huggingface-token", "Hugging Face", "hf_ api_org_", rf"{_START}((?:hf_|api_org_)[A-Za-z]{{34}}){_END}"),
    _form("databricks-token", "Databricks", "dapi", rf"{_START}(dapi[0-9a-f]{{32}}(?:-\d)?){_END}"),
    _form("docker-token", "Docker Hub", "dckr_pat_ dckr_oat_", rf"{_START}(dckr_[po]at_[A-Za-z0-9_\-]{{27,40}})"),
    _form("terraform-token", "Terraform Cloud", ".atlasv1.", r"([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,70})"),
    _form(
        "vault-token", "HashiCorp Vault", "hvs. hvb. hvr.", rf"{_START}(hv[sbr]\.[A-Za-z0-9_\-]{{24,300}})", _has_digit
    ),
    _form(
        "grafana-token",
        "Grafana",
        "glsa_ glc_",
        rf"{_START}(glsa_[A-Za-z0-9]{{32}}_[0-9a-fA-F]{{8}}|glc_[A-Za-z0-9+/=]{{32,400}})",
    ),
    _form("linear-key", "Linear", "lin_api_ lin_oauth_", rf"{_START}(lin_(?:api|oauth)_[A-Za-z0-9]{{40,64}}){_END}"),
    _form("postman-key", "Postman", "pmak-", r"(PMAK-[0-9a-f]{24}-[0-9a-f]{34})", flags=re.IGNORECASE),
    _form(
        "new-relic-key",
        "New Relic",
        "nrak- nrii- nrjs-",
        rf"{_START}(NR(?:AK|II|JS)-[A-Za-z0-9_\-]{{19,40}})",
        _has_digit,
    ),
    _form("sentry-token", "Sentry", "sntrys_ sntryu_", rf"{_START}(sntry[su]_[A-Za-z0-9+/=_]{{64,300}})"),
    _form("dynatrace-token", "Dynatrace", "dt0", rf"{_START}(dt0[a-z]\d\d\.[A-Z0-9]{{24}}\.[A-Z0-9]{{64}})"),
    _form("atlassian-token", "Atlassian", "atatt3", rf"{_START}(ATATT3[A-Za-z0-9_\-=]{{100,250}})"),
    _form("facebook-token", "Facebook", "eaac eaab eaad", rf"{_START}(EAA[A-Z][A-Za-z0-9]{{60,250}}){_END}", _is_mixed),
    _form("twitter-bearer", "Twitter", "aaaaaaaaa", rf"{_START}(A{{16,22}}[A-Za-z0-9%]{{60,120}})", _is_mixed),
    _form("artifactory-token", "Artifactory", "akc", rf"{_START}(AKC[pa][A-Za-z0-9]{{60,80}}){_END}", _is_mixed),
    _form("age-key", "age", "age-secret-key-1", r"(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})"),
    _form(
        "json-web-token",
        "a JSON web token issuer",
        "eyj",
        rf"{_START}(eyJ[A-Za-z0-9_\-]{{8,2000}}\.eyJ[A-Za-z0-9_\-]{{8,4000}}\.[A-Za-z0-9_\-]{{20,1000}})",
        _is_signed_token,
        sure=False,
    ),
)
"""Every form, the more telling before the less."""
