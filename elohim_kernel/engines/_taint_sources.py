"""Where data from outside comes in, by the dotted names frameworks give it.

All web requests are called "request" here, whichever framework made them; what they hold is looked up in one table.
"""

import re
from collections.abc import Mapping
from typing import Final

from elohim_kernel.engines._taint_values import HARMLESS, NO_TAINTS, UNKNOWN, Step, Taint, Value, words

REQUEST: Final = "request"

_REQUESTS: Final = frozenset(
    f"{module}.request"
    for module in ("flask", "flask.globals", "quart", "bottle", "cherrypy", "sanic", "klein", "eve", "connexion")
)
_WEB: Final = words(
    "flask quart bottle cherrypy sanic klein connexion django rest_framework fastapi starlette aiohttp tornado pyramid"
    " falcon web werkzeug flask_restful flask_restx flask_classful responder litestar webapp2 webob molten hug"
    " blacksheep robyn ninja"
)

_HELD: Final = words(
    # Flask, Quart, werkzeug
    "args form values cookies headers files json data get_json get_data query_string path full_path url base_url"
    " view_args stream user_agent authorization"
    # Django
    " GET POST COOKIES META FILES REQUEST body path_info get_full_path build_absolute_uri read readline QUERY_PARAMS"
    # Starlette, FastAPI, aiohttp, Sanic, Tornado, Falcon, Bottle, Pyramid, CherryPy
    " query_params path_params query match_info rel_url raw_path text post content arguments query_arguments"
    " body_arguments uri get_argument get_arguments get_query_argument get_body_argument media params get_param"
    " get_param_as_list get_header get_cookie_values bounded_stream get_media forms query_args get_form raw_args"
    " json_body matchdict urlvars raw_uri environ url_vars multipart"
)
_OWN_ADDRESS: Final = words(
    "path full_path url base_url path_info get_full_path build_absolute_uri uri raw_uri rel_url raw_path"
)
_WEAK: Final = frozenset(("referrer", "referer", "host", "host_url", "url_root", "remote_user", "get_host"))
_WEAK_KEYS: Final = frozenset(("referer", "referrer", "host", "http_referer", "http_host"))
_SAFE_KEYS: Final = frozenset(("REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT", "REQUEST_METHOD", "CONTENT_LENGTH"))

_NAMED: Final[Mapping[str, str]] = {
    "web.input()": "web.input()",
    "cgi.FieldStorage()": "a form of cgi.FieldStorage",
    "cgi.parse()": "a form of cgi.parse",
    "http.server.BaseHTTPRequestHandler.path": "the path of the request",
    "http.server.BaseHTTPRequestHandler.headers": "a header of the request",
    "http.server.BaseHTTPRequestHandler.rfile": "the body of the request",
    "http.server.BaseHTTPRequestHandler.requestline": "the request line",
    "http.server.SimpleHTTPRequestHandler.path": "the path of the request",
    "http.server.SimpleHTTPRequestHandler.headers": "a header of the request",
    "http.server.SimpleHTTPRequestHandler.rfile": "the body of the request",
    "socketserver.StreamRequestHandler.rfile": "the body of the request",
    "socketserver.BaseRequestHandler.request": "the connection of the request",
    "socketserver.StreamRequestHandler.request": "the connection of the request",
}
_WEAK_NAMED: Final[Mapping[str, str]] = {
    "input()": "input()",
    "raw_input()": "raw_input()",
    "sys.argv": "sys.argv",
    "sys.stdin": "standard input",
    "os.environ": "an environment variable",
    "os.getenv()": "an environment variable",
    "os.environb": "an environment variable",
    "fileinput.input()": "an input file",
    "argparse.ArgumentParser().parse_args()": "a command line argument",
    "argparse.ArgumentParser().parse_known_args()": "a command line argument",
    "optparse.OptionParser().parse_args()": "a command line argument",
}
_METHODS: Final = words(
    "get_argument get_arguments get_query_argument get_query_arguments get_body_argument get_body_arguments"
)
_TRUSTED_NAME: Final = re.compile(r"_*[A-Z][A-Z0-9_]+")


def canonical(name: str) -> str:
    """The name under which our tables know it.

    >>> canonical("flask.request.args")
    'request.args'
    """
    for known in _REQUESTS:
        if name == known or name.startswith(f"{known}."):
            return REQUEST + name[len(known) :]
    if name.startswith("six.moves."):
        return _MOVED.get(name.removeprefix("six.moves."), name.removeprefix("six.moves."))
    first, _, rest = name.partition(".")
    return f"{_RENAMED[first]}.{rest}" if rest and first in _RENAMED else _RENAMED.get(name, name)


_MOVED: Final = {"cPickle": "pickle", "input": "input", "configparser": "configparser"}
_RENAMED: Final = {
    "cPickle": "pickle",
    "_pickle": "pickle",
    "pickle5": "pickle",
    "ConfigParser": "configparser",
    "BaseHTTPServer": "http.server",
    "SocketServer": "socketserver",
    "posixpath": "os.path",
    "ntpath": "os.path",
    "urlparse": "urllib.parse",
    "pipes": "shlex",
    "ujson": "json",
    "simplejson": "json",
    "orjson": "json",
    "lxml.etree": "lxml.etree",
}


def is_web(library: str) -> bool:
    """Whether a file that imports it is likely to answer web requests."""
    return library.partition(".")[0] in _WEB


def source(name: str, line: int) -> Value | None:
    """The value of a name that stands for data from outside; None when it does not.

    >>> found = source("request.args", 3)
    >>> [each.what for each in found.taints]
    ['request.args']
    """
    held = name.removeprefix("request.") if name.startswith("request.") else ""
    if held:
        if held in _OWN_ADDRESS:
            return _tainted(name, name, line).cleaned(("open-redirect", "ssrf"))
        if held in _HELD:
            return _tainted(name, name, line)
        if held in _WEAK:
            return _tainted(name, name, line, weak=True)
        return None
    if name in _NAMED:
        return _tainted(name, _NAMED[name], line)
    if name in _WEAK_NAMED:
        return _tainted(name, _WEAK_NAMED[name], line, weak=True)
    return None


def is_source_method(method: str) -> bool:
    """Whether a method of this name gives request data, whatever it is called on."""
    return method in _METHODS


def from_outside(what: str, line: int, *, hops: int = 0, weak: bool = False, is_text: bool = True) -> Value:
    """Data from a source that is described in words."""
    steps = (Step(line, f"{what} comes from outside"),)
    return Value(taints=frozenset((Taint(what, line, hops=hops, weak=weak, steps=steps),)), is_text=is_text)


def imported(name: str) -> Value:
    """What an import brings, or an attribute of it that nothing is known about.

    A name in capitals is taken for a setting of the program: not known, but nobody outside decides it.
    """
    if _TRUSTED_NAME.fullmatch(name.rpartition(".")[2]):
        return Value(name=name)
    return Value(name=name, is_open=True) if name else UNKNOWN


def entry(base: Value, key: object) -> Value:
    """An entry of request data; some the server fills, and some a page of an attacker cannot choose freely."""
    is_text = base.is_text or (base.name.startswith("request.") and base.name.lower() != "request.files")
    if base.name in ("request.META", "request.environ") and key in _SAFE_KEYS:
        return HARMLESS
    value = Value(taints=base.taints, is_text=is_text, is_open=base.is_open)
    if base.name.startswith("request.") and isinstance(key, str) and key.lower() in _WEAK_KEYS:
        return value.weakened()
    return value


def _tainted(name: str, what: str, line: int, *, weak: bool = False) -> Value:
    steps = (Step(line, f"{what} comes from outside"),)
    return Value(name=name, taints=frozenset((Taint(what, line, weak=weak, steps=steps),)))


def request_object(line: int) -> Value:
    """A web request: harmless by itself, what it holds is not."""
    return Value(name=REQUEST, is_open=True, taints=NO_TAINTS)
