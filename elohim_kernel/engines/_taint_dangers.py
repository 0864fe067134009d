"""The dangerous arguments of known calls, as tables: by full name, by method, by the last part of an imported name."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from elohim_kernel.engines._taint_values import words


class Sink(NamedTuple):
    """One argument that must not come from outside."""

    category: str
    position: int | None
    names: tuple[str, ...] = ()
    severity: str = ""  # "" as usual for the category
    needs_text: bool = False  # objects made of the data by calls we do not know are not meant
    is_address: bool = False  # harmless when the host is fixed by a constant start


SQL: Final = Sink("sql-injection", 0, ("sql", "query", "statement", "operation"), needs_text=True)

CODE: Final = Sink("code-injection", 0, ("source", "object", "name"))

_FILE_NAMES: Final = ("file", "path", "filename", "name", "filename_or_fp", "path_or_file")
COMMAND: Final = Sink("command-injection", 0, ("command", "cmd"))

PATH: Final = Sink(
    "path-traversal", 0, ("file", "path", "filename", "name", "filename_or_fp", "path_or_file"), needs_text=True
)

SECOND_PATH: Final = Sink("path-traversal", 1, ("dst", "target", "path"), needs_text=True)


TEMPLATE: Final = Sink("template-injection", 0, ("source", "text", "template_string", "string"), needs_text=True)

MARKUP: Final = Sink("xss", 0, ("content", "response", "text", "body", "s", "base", "object"), needs_text=True)

UNPICKLE: Final = Sink("deserialization", 0, ("file", "data", "filename", "f", "string", "filepath_or_buffer"))

XPATH: Final = Sink("xpath-injection", 0, ("path", "_path", "query", "match"), needs_text=True)

REDIRECT: Final = Sink("open-redirect", 0, ("location", "to", "url", "redirect_to"), needs_text=True, is_address=True)

ADDRESS: Final = Sink("ssrf", 0, ("url", "fullurl", "host", "address"), needs_text=True, is_address=True)

SECOND_ADDRESS: Final = ADDRESS._replace(position=1)

TABLE: Final[tuple[tuple[Sink, str], ...]] = (
    (CODE, "eval exec compile __import__ builtins.eval builtins.exec builtins.compile importlib.import_module"),
    (COMMAND, "os.system os.popen commands.getoutput commands.getstatusoutput subprocess.getoutput"),
    (COMMAND, "subprocess.getstatusoutput popen2.popen2 pty.spawn asyncio.create_subprocess_shell"),
    (COMMAND, "os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp os.execvpe os.startfile"),
    (COMMAND._replace(position=1), "os.spawnl os.spawnle os.spawnlp os.spawnv os.spawnve os.spawnvp os.posix_spawn"),
    (
        PATH,
        "open io.open codecs.open os.open os.fdopen os.remove os.unlink os.rmdir os.mkdir os.makedirs",
    ),
    (PATH, "os.rename os.replace os.listdir os.scandir os.walk os.chmod os.chown os.truncate os.symlink os.link"),
    (PATH, "shutil.rmtree shutil.copy shutil.copy2 shutil.copyfile shutil.copytree shutil.move shutil.unpack_archive"),
    (PATH, "flask.send_file quart.send_file werkzeug.utils.send_file aiofiles.open gzip.open bz2.open lzma.open"),
    (PATH, "zipfile.ZipFile tarfile.open fileinput.input linecache.getline starlette.responses.FileResponse"),
    (PATH, "fastapi.responses.FileResponse aiohttp.web.FileResponse django.http.FileResponse bottle.static_file"),
    (PATH, "numpy.load numpy.loadtxt pandas.read_csv pandas.read_json pandas.read_excel PIL.Image.open"),
    (SECOND_PATH, "os.rename os.replace os.symlink os.link shutil.copy shutil.copy2 shutil.copyfile shutil.move"),
    (PATH, "glob.glob glob.iglob"),
    (TEMPLATE, "jinja2.Template flask.render_template_string mako.template.Template django.template.Template"),
    (TEMPLATE, "tornado.template.Template bottle.template bottle.SimpleTemplate quart.render_template_string"),
    (TEMPLATE, "jinja2.Environment().from_string jinja2.environment.Template chameleon.PageTemplate"),
    (MARKUP, "markupsafe.Markup flask.Markup jinja2.Markup django.utils.safestring.mark_safe"),
    (MARKUP, "django.utils.safestring.SafeString django.utils.safestring.SafeText django.utils.html.format_html"),
    (UNPICKLE, "pickle.load pickle.loads pickle.Unpickler dill.load dill.loads cloudpickle.load cloudpickle.loads"),
    (UNPICKLE, "marshal.load marshal.loads jsonpickle.decode jsonpickle.unpickler.decode joblib.load torch.load"),
    (UNPICKLE, "shelve.open pandas.read_pickle yaml.unsafe_load yaml.unsafe_load_all"),
    (XPATH, "lxml.etree.XPath lxml.etree.ETXPath elementpath.Selector elementpath.XPath1Parser().parse"),
    (XPATH, "elementpath.XPath2Parser().parse elementpath.XPath3Parser().parse lxml.etree.XPathEvaluator()"),
    (XPATH._replace(position=1), "elementpath.select elementpath.iter_select"),
    (REDIRECT, "flask.redirect quart.redirect django.shortcuts.redirect bottle.redirect werkzeug.utils.redirect"),
    (REDIRECT, "sanic.response.redirect web.seeother web.redirect cherrypy.HTTPRedirect aiohttp.web.HTTPFound"),
    (REDIRECT, "aiohttp.web.HTTPSeeOther aiohttp.web.HTTPMovedPermanently pyramid.httpexceptions.HTTPFound"),
    (REDIRECT, "tornado.web.RequestHandler.redirect falcon.HTTPFound falcon.HTTPSeeOther"),
    (ADDRESS, "requests.get requests.post requests.put requests.delete requests.head requests.patch requests.options"),
    (ADDRESS, "httpx.get httpx.post httpx.put httpx.delete httpx.head httpx.patch httpx.stream urllib2.urlopen"),
    (ADDRESS, "urllib.request.urlopen urllib.request.Request urllib.request.urlretrieve urllib.urlopen"),
    (ADDRESS, "http.client.HTTPConnection http.client.HTTPSConnection socket.create_connection wget.download"),
    (SECOND_ADDRESS, "requests.request httpx.request urllib3.request"),
    (SQL, "sqlalchemy.text sqlalchemy.sql.text sqlalchemy.sql.expression.text django.db.models.expressions.RawSQL"),
    (SQL, "pandas.read_sql pandas.read_sql_query duckdb.sql duckdb.query duckdb.execute peewee.SQL"),
)

FUNCTIONS: Final[Mapping[str, list[Sink]]] = {}

for _sink, _names in TABLE:
    for _name in _names.split():
        FUNCTIONS.setdefault(_name, []).append(_sink)  # type: ignore[attr-defined]

METHODS: Final[Mapping[str, Sink]] = {
    "execute": SQL,
    "executemany": SQL,
    "executescript": SQL,
    "exec_driver_sql": SQL,
    "mogrify": SQL,
    "raw": SQL,
    "from_string": TEMPLATE,
    "xpath": XPATH,
    "save": PATH,
}

LAST: Final[Mapping[str, Sink]] = {
    "HttpResponseRedirect": REDIRECT,
    "HttpResponsePermanentRedirect": REDIRECT,
    "RedirectResponse": REDIRECT,
    "HTMLResponse": MARKUP,
    "mark_safe": MARKUP,
    "Markup": MARKUP,
    "RawSQL": SQL,
}

PAGES: Final = frozenset(("HttpResponse", "Response", "make_response", "StreamingHttpResponse", "HttpResponseNotFound"))

PATH_METHODS: Final = words(
    "open read_text read_bytes write_text write_bytes unlink rmdir mkdir rename replace iterdir glob rglob touch"
    " symlink_to chmod"
)

FIND: Final = frozenset(("find", "findall", "findtext", "iterfind"))

TREES: Final = frozenset(("lxml", "xml.etree", "xml", "elementpath", "defusedxml"))

LDAP: Final = words("search search_s search_st search_ext search_ext_s search_subtree_s")

WRITES: Final = frozenset(("write", "finish"))

SHELLS: Final = frozenset(("sh", "bash", "zsh", "dash", "ksh", "cmd", "cmd.exe", "powershell", "/bin/sh", "/bin/bash"))

SUBPROCESS: Final = frozenset(
    f"subprocess.{name}" for name in ("run", "call", "Popen", "check_call", "check_output")
) | {"asyncio.create_subprocess_exec"}

HOST: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#\\@]+[/?#]")

LOGS: Final = words("debug info warning error critical exception log warn")

PLAIN: Final = re.compile(r"(?i)(text/plain|application/|image/|text/csv|audio/|video/)(?!xhtml)")
