"""What library calls do to data: make it harmless, for some attacks or for all, or undo that."""

import re
from collections.abc import Mapping
from typing import Final

from elohim_kernel.engines._taint_values import EVERYTHING, words

ALL: Final = frozenset((EVERYTHING,))
_XSS: Final = frozenset(("xss",))
_PATH: Final = frozenset(("path-traversal",))
_SQL: Final = frozenset(("sql-injection",))
_LDAP: Final = frozenset(("ldap-injection",))
_SHELL: Final = frozenset(("command-injection",))
_URL: Final = frozenset(
    ("xss", "log-injection", "ldap-injection", "xpath-injection", "sql-injection", "command-injection")
)

CLEANERS: Final[Mapping[str, frozenset[str]]] = {
    "ast.literal_eval": frozenset(("code-injection", "deserialization")),
    "bleach.clean": _XSS,
    "bleach.linkify": _XSS,
    "cgi.escape": _XSS,
    "django.template.defaultfilters.escape": _XSS,
    "django.template.defaultfilters.slugify": ALL,
    "django.utils.html.conditional_escape": _XSS,
    "django.utils.html.escape": _XSS,
    "django.utils.html.escapejs": _XSS,
    "django.utils.html.format_html": _XSS,
    "django.utils.html.strip_tags": _XSS,
    "django.utils.text.get_valid_filename": _PATH | _SHELL | _XSS,
    "django.utils.text.slugify": ALL,
    "django.utils._os.safe_join": _PATH,
    "flask.escape": _XSS,
    "flask.safe_join": _PATH,
    "html.escape": _XSS,
    "jinja2.escape": _XSS,
    "ldap.dn.escape_dn_chars": _LDAP,
    "ldap.filter.escape_filter_chars": _LDAP,
    "ldap.filter.filter_format": _LDAP,
    "ldap3.utils.conv.escape_filter_chars": _LDAP,
    "ldap3.utils.dn.escape_rdn": _LDAP,
    "ldap3.utils.dn.safe_dn": _LDAP,
    "markupsafe.escape": _XSS,
    "nh3.clean": _XSS,
    "os.path.abspath": frozenset(("resolved",)),
    "os.path.basename": _PATH,
    "os.path.normpath": frozenset(("resolved",)),
    "os.path.realpath": frozenset(("resolved",)),
    "psycopg2.extensions.quote_ident": _SQL,
    "psycopg2.sql.Identifier": _SQL,
    "psycopg2.sql.Literal": _SQL,
    "psycopg.sql.Identifier": _SQL,
    "psycopg.sql.Literal": _SQL,
    "pymysql.converters.escape_string": _SQL,
    "MySQLdb.escape_string": _SQL,
    "shlex.quote": _SHELL,
    "urllib.parse.quote": _URL,
    "urllib.parse.quote_plus": _URL,
    "urllib.parse.urlencode": _URL,
    "werkzeug.security.safe_join": _PATH,
    "werkzeug.utils.escape": _XSS,
    "werkzeug.utils.safe_join": _PATH,
    "werkzeug.utils.secure_filename": _PATH | _SHELL | _XSS | _SQL,
    "xml.sax.saxutils.escape": _XSS,
    "xml.sax.saxutils.quoteattr": _XSS,
}
"""By dotted name: the categories the result is harmless for."""

UNDOES: Final = words(
    "html.unescape urllib.parse.unquote urllib.parse.unquote_plus base64.b64decode base64.urlsafe_b64decode"
    " xml.sax.saxutils.unescape markupsafe.Markup.unescape codecs.decode binascii.unhexlify"
)
"""Decoding gives back what escaping took away."""

NEUTRAL: Final = words(
    # builtins and the standard library
    "bool float int len hash id ord isinstance issubclass callable hasattr type complex bin hex oct round abs print"
    " uuid.UUID ipaddress.ip_address ipaddress.ip_network ipaddress.IPv4Address ipaddress.IPv6Address decimal.Decimal"
    " fractions.Fraction datetime.datetime.strptime datetime.datetime.fromisoformat datetime.date.fromisoformat"
    " datetime.datetime datetime.date datetime.timedelta time.strptime math.floor math.ceil any all"
    " hashlib.md5 hashlib.sha1 hashlib.sha224 hashlib.sha256 hashlib.sha384 hashlib.sha512 hashlib.new hashlib.blake2b"
    " hashlib.blake2s hashlib.sha3_256 hashlib.pbkdf2_hmac hashlib.scrypt hmac.new hmac.digest hmac.compare_digest"
    " zlib.crc32 zlib.adler32 random.random random.randint random.choice secrets.token_hex secrets.token_urlsafe"
    " os.path.exists os.path.isfile os.path.isdir os.path.getsize os.path.getmtime"
)
"""Calls that give a number, a test, a digest or a date, whatever they are given."""

OPAQUE: Final = words(
    "logging.info logging.debug logging.warning logging.error logging.exception logging.critical logging.log"
    " time.sleep sqlite3.connect open"
    " flask.render_template flask.jsonify flask.url_for flask.abort flask.flash flask.send_from_directory"
    " flask.redirect quart.render_template django.shortcuts.render django.shortcuts.redirect django.urls.reverse"
    " django.shortcuts.get_object_or_404 django.shortcuts.get_list_or_404 django.contrib.messages.success"
    " django.contrib.messages.error django.contrib.messages.info django.contrib.messages.warning"
    " django.contrib.auth.authenticate django.contrib.auth.login django.template.loader.render_to_string"
    " django.http.JsonResponse werkzeug.security.generate_password_hash werkzeug.security.check_password_hash"
    " starlette.responses.JSONResponse fastapi.responses.JSONResponse subprocess.run subprocess.Popen"
    " subprocess.check_output subprocess.call subprocess.check_call subprocess.getoutput os.system os.popen os.stat"
    " os.listdir eval exec lxml.etree.parse xml.etree.ElementTree.parse lxml.etree.fromstring"
    " xml.etree.ElementTree.fromstring requests.get requests.post urllib.request.urlopen httpx.get"
)
"""Calls that give something of their own: a page, a row, the output of a program."""

NEUTRAL_METHODS: Final = words(
    "count index rfind rindex isdigit isalnum isalpha isdecimal isnumeric isspace startswith endswith islower isupper"
    " hexdigest digest total_seconds timestamp isoformat is_valid is_file is_dir exists"
)
"""Methods of anything that give a number or a test."""

OPAQUE_METHODS: Final = words(
    "execute executemany executescript fetchone fetchall fetchmany commit rollback close first first_or_404 get_or_404"
    " one one_or_none scalar scalars all info debug warning error exception critical set_cookie delete_cookie"
    " add_header search_s xpath findall iterfind render_to_response"
)
"""Methods of anything that give what a data base, a document or the framework holds."""

_BY_NAME: Final = (
    (re.compile(r"(html|xss|markup|tags?)_?(escape|encode|quote|clean|strip|saniti[sz]e)"), _XSS),
    (re.compile(r"(escape|encode|quote|clean|strip|saniti[sz]e)_?(for_?)?(html|xss|markup|tags?)"), _XSS),
    (re.compile(r"(escape|encode|quote)\w*ldap|ldap\w*(escape|encode|quote)|escape_(filter_chars|rdn|dn)"), _LDAP),
    (re.compile(r"(escape|encode|quote)\w*xpath|xpath\w*(escape|encode|quote)"), frozenset(("xpath-injection",))),
    (re.compile(r"(escape|encode|quote)\w*(sql|ident)|sql\w*(escape|encode|quote)|escape_string"), _SQL),
    (re.compile(r"(escape|quote)\w*(shell|cmd|command|arg)|shell\w*(escape|quote)"), _SHELL),
    (re.compile(r"(secure|safe|clean|saniti[sz]e|valid)_?\w*(file|path|filename)|safe_join"), _PATH | _SHELL | _XSS),
    (re.compile(r"saniti[sz]e|slugify|purify"), ALL),
    (re.compile(r"^escape$"), _XSS),
)


def cleaned_by(name: str) -> frozenset[str] | None:
    """What a function makes harmless, by its dotted name or by what its last part says; None when nothing.

    >>> sorted(cleaned_by("helpers.escape_for_html"))
    ['xss']
    """
    known = CLEANERS.get(name)
    if known is not None:
        return known
    last = name.rpartition(".")[2].lower()
    for pattern, categories in _BY_NAME:
        if "unescape" not in last and pattern.search(last):
            return categories
    return None
