"""A hostile repository on a real machine: every engine there is looks at it, and traps say what it set off."""

import socket
import stat
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pygit2
import pytest
from pygit2.enums import FileMode, ObjectType

from elohim_kernel import registry
from elohim_kernel.model.finding import EngineReport
from elohim_kernel.ports import EngineRequest
from elohim_kernel.runtime.tools import LocalTools, MemoryJournal

PY: Final = (
    "import pathlib, socket\n"
    "try: pathlib.Path('MARK').write_text('ran')\nexcept OSError: pass\n"
    "try: socket.create_connection(('127.0.0.1', PORT), 1).close()\nexcept OSError: pass\n"
)
JS: Final = "require('fs').writeFileSync('MARK', 'ran'); require('net').connect(PORT, '127.0.0.1');\n"
ESM: Final = "import fs from 'fs'; import net from 'net'; fs.writeFileSync('MARK', 'ran'); net.connect(PORT);\n"
SH: Final = "#!/bin/sh\ntouch MARK\n"
LINE: Final = "open('MARK', 'w').close()"
HOOKS: Final = ("pre-commit", "post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc")

# Each: files of the commit ("link", "program" and "module" where they are no plain files), and files of the git folder.
POISONS: Final = {
    "mypy plugin": ({"mypy.ini": "[mypy]\nplugins = evil.py\n", "evil.py": f"{PY}\ndef plugin(version): ...\n"}, {}),
    "mypy interpreter": (
        {"setup.cfg": "[mypy]\npython_executable = ./python\nexclude = .\n", "python": ("program", SH)},
        {},
    ),
    "pylint init-hook": (
        {
            ".pylintrc": f'[MASTER]\ninit-hook="{LINE}"\n',
            "pyproject.toml": f'[tool.pylint.main]\ninit-hook = "{LINE}"\n',
        },
        {},
    ),
    "flake8 plugin": (
        {
            ".flake8": "[flake8:local-plugins]\nextension = X = evil:Plugin\npaths = .\n",
            "evil.py": f"{PY}\nPlugin = 1\n",
        },
        {},
    ),
    "conftest": (
        {"conftest.py": PY, "pytest.ini": "[pytest]\naddopts = -p evil\n", "evil.py": PY, "test_app.py": PY},
        {},
    ),
    "sitecustomize": (
        {f"{name}.py": PY for name in ("sitecustomize", "usercustomize", "app/sitecustomize")}
        | {"evil.pth": f"import os; {LINE}\n"},
        {},
    ),
    "modules shadowed": (
        {f"{name}.py": PY for name in ("yaml", "json", "ast", "typing", "re", "logging", "tokenize", "lizard", "stat")},
        {},
    ),
    "tools shadowed": (
        {
            f"{name}/{part}.py": PY
            for name in ("bandit", "mypy", "semgrep", "detect_secrets", "ruff", "elohim_kernel", "pip_audit")
            for part in ("__init__", "__main__")
        },
        {},
    ),
    "virtual environment": ({"pyvenv.cfg": "home = ./bin\n", "bin/python": ("program", SH)}, {}),
    "eslint.config": ({"eslint.config.js": JS, "eslint.config.mjs": ESM, "a.js": "eval(x)\n"}, {}),
    ".eslintrc": (
        {
            ".eslintrc.js": f"{JS}module.exports = {{root: true}};\n",
            ".eslintrc.json": '{"plugins": ["evil"], "parser": "./evil.js", "root": true}',
            ".eslintignore": "**\n",
            "evil.js": JS,
            "a.js": "eval(x)\n",
        },
        {},
    ),
    "package scripts": (
        {
            "package.json": '{"name": "x", "type": "module", "main": "evil.js", "eslintConfig": {"plugins": ["evil"]},'
            ' "scripts": {"preinstall": "touch MARK", "install": "touch MARK", "prepare": "touch MARK"}}',
            "package-lock.json": '{"name": "x", "lockfileVersion": 3, "packages": {"": {"name": "x"}}}',
            "a.js": "eval(x)\n",
        },
        {},
    ),
    "node_modules": (
        {
            "node_modules/.bin/eslint": ("program", SH),
            "node_modules/eslint/package.json": '{"name": "eslint", "main": "index.js", "bin": "index.js"}',
            "node_modules/eslint/index.js": JS,
            "node_modules/eslint-plugin-evil/index.js": JS,
            "a.js": "eval(x)\n",
        },
        {},
    ),
    "npm settings": (
        {
            ".npmrc": "registry=http://127.0.0.1:PORT/\nscript-shell=./evil.sh\nnode-options=--require ./evil.js\n",
            "evil.sh": ("program", SH),
            "evil.js": JS,
            "package.json": '{"name": "x", "dependencies": {"lodash": "1.0.0"}}',
            "package-lock.json": '{"name": "x", "lockfileVersion": 3, "packages": {"node_modules/lodash":'
            ' {"version": "1.0.0", "resolved": "http://127.0.0.1:PORT/lodash.tgz"}}}',
        },
        {},
    ),
    "semgrep settings": (
        {
            ".semgrepignore": "*\n",
            ".semgrep/settings.yml": "api_token: x\nhas_shown_metrics_notification: true\n",
            ".semgrep/rules.yml": "rules: []\n",
            ".semgrep.yml": "rules: []\n",
        },
        {},
    ),
    "bandit settings": (
        {
            ".bandit": "[bandit]\nexclude = /\nskips = B307,B324\ntargets = nowhere\n",
            "bandit.yaml": "exclude_dirs: ['.']\nskips: [B307]\nplugin_name_pattern: '*.py'\n",
            "pyproject.toml": '[tool.bandit]\nskips = ["B307"]\nexclude_dirs = ["."]\n',
        },
        {},
    ),
    "plugins of packages": (
        {
            "evil.egg-info/entry_points.txt": "[bandit.plugins]\nx = evil:check\n[flake8.extension]\nX = evil:check\n"
            "[pytest11]\nx = evil\n[elohim_kernel.engines]\nx = evil\n",
            "evil.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: evil\nVersion: 1\n",
            "evil.py": f"{PY}\ndef check(context): ...\n",
        },
        {},
    ),
    "detect-secrets baseline": (
        {
            ".secrets.baseline": '{"version": "1.5.0", "plugins_used": [{"name": "Evil", "path": "file://evil.py"}],'
            ' "filters_used": [{"path": "file://evil.py::skip"}], "results": {}}',
            "evil.py": PY,
        },
        {},
    ),
    "gitleaks settings": (
        {".gitleaks.toml": '[allowlist]\npaths = [".*"]\n', ".gitleaksignore": "app.py:*:1\n"},
        {},
    ),
    "git hooks": ({}, {f"hooks/{name}": SH for name in HOOKS}),
    "git settings": (
        {},
        {
            "config": "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tfsmonitor = touch MARK\n"
            "\tsshCommand = touch MARK\n\tpager = touch MARK\n\teditor = touch MARK\n\thooksPath = ../evil-hooks\n"
            "[alias]\n\tstatus = !touch MARK\n[diff]\n\texternal = touch MARK\n[gpg]\n\tprogram = touch MARK\n"
            '[credential]\n\thelper = "!touch MARK"\n[uploadpack]\n\tpackObjectsHook = touch MARK\n'
        },
    ),
    "git attributes": (
        {".gitattributes": "* filter=evil diff=evil merge=evil ident working-tree-encoding=UTF-16\n"},
        {
            "info/attributes": "* filter=evil diff=evil\n",
            "config": "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
            '[diff "evil"]\n\ttextconv = touch MARK;cat\n\tcommand = touch MARK\n'
            '[filter "evil"]\n\tclean = touch MARK;cat\n\tsmudge = touch MARK;cat\n\tprocess = touch MARK\n',
        },
    ),
    "submodule": (
        {
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% MARK\n\tupdate = !touch MARK\n'
            '[submodule "y"]\n\tpath = y\n\turl = http://127.0.0.1:PORT/y\n',
            "x": ("module", "1" * 40),
            "y": ("module", "2" * 40),
        },
        {},
    ),
    "links out": (
        {
            "passwd.py": ("link", "/etc/passwd"),
            "up": ("link", "../../.."),
            "home.py": ("link", "../markers/ran"),
            "loop": ("link", "loop"),
        },
        {},
    ),
    "git folder of its own": (
        {"sub/HEAD": "ref: refs/heads/main\n", "sub/config": "[core]\n\tfsmonitor = touch MARK\n", "sub/hooks/x": SH},
        {"modules/x/config": "[core]\n\tfsmonitor = touch MARK\n"},
    ),
    "case clashes": (
        {"App.py": "x = 1\n", "APP.PY": "x = 1\n", "README": "", "readme": "", ".GITATTRIBUTES": "*\n"},
        {},
    ),
    "ruff settings": (
        {
            "pyproject.toml": '[tool.ruff]\nextend = "../evil.toml"\nexclude = ["*"]\nlint.select = []\n',
            "ruff.toml": 'exclude = ["*"]\nextend = "/dev/zero"\n',
            ".ruff.toml": 'cache-dir = "MARK"\n',
            ".gitignore": "*\n",
        },
        {},
    ),
    "builds": (
        {
            "setup.py": PY,
            "noxfile.py": PY,
            "tox.ini": "[testenv]\ncommands = touch MARK\n",
            "Makefile": "all:\n\ttouch MARK\n",
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n',
            "evil.py": PY,
        },
        {},
    ),
    "package index": (
        {
            "pip.conf": "[global]\nindex-url = http://127.0.0.1:PORT/simple\n",
            "requirements.txt": "--index-url http://127.0.0.1:PORT/simple\n-e .\ndjango==3.2.0\n"
            "evil @ http://127.0.0.1:PORT/evil.zip\ngit+http://127.0.0.1:PORT/evil.git\n",
            "setup.py": PY,
        },
        {},
    ),
    "names that are options": (
        {
            "--config=evil.toml.py": "x = 1\n",
            "-c.py": PY,
            "@files.py": "x = 1\n",
            "a\nb.py": "x = 1\n",
            "$(touch MARK).py": "",
        },
        {},
    ),
}
PLANTED: Final = "import hashlib\n\n\ndef check(text):\n    hashlib.md5(text)\n    return eval(text)\n"
MODES: Final = {"link": FileMode.LINK, "program": FileMode.BLOB_EXECUTABLE, "module": FileMode.COMMIT}


class Field:
    """Traps, and the repository that is to set them off. Words in files: MARK, PORT."""

    poisons = POISONS
    python, shell = PY, SH

    def __init__(self, folder: Path, server: socket.socket) -> None:
        self.markers, self.place, self.scratch = (folder / name for name in ("markers", "repository", "scratch"))
        self.markers.mkdir()
        self.scratch.mkdir()
        self._server = server
        self._words = {"MARK": str(self.markers / "ran"), "PORT": str(server.getsockname()[1])}
        self.git = pygit2.init_repository(self.place, initial_head="main")

    def plant(self, files: Mapping[str, str | tuple[str, str]], git: Mapping[str, str]) -> str:
        """Commit `files` with something to find, have them in the working tree too, and `git` in the git folder."""
        index = pygit2.Index()
        for path, content in {**files, "app.py": PLANTED}.items():
            kind, text = content if isinstance(content, tuple) else ("file", content)
            text = self._filled(text)
            if kind == "module":
                index.add(pygit2.IndexEntry(path, pygit2.Oid(hex=text), FileMode.COMMIT))
                continue
            blob = self.git.create_blob(text.encode())
            index.add(pygit2.IndexEntry(path, blob, MODES.get(kind, FileMode.BLOB)))
            self._in_the_working_tree(self.place / path, kind, text)
        for path, text in git.items():
            self._in_the_working_tree(self.place / ".git" / path, "program", self._filled(text))
        return self.commit(index.write_tree(self.git))

    def commit(self, tree: pygit2.Oid) -> str:
        who = pygit2.Signature("Eve", "eve@example.org", 1_700_000_000, 0)
        return str(self.git.create_commit("refs/heads/main", who, who, "Change", tree, []))

    def raw_tree(self, *entries: tuple[bytes, bytes, pygit2.Oid]) -> pygit2.Oid:
        """A tree with whatever names: what a hostile client could push."""
        ordered = sorted(entries, key=lambda entry: entry[1] + b"/" * (entry[0] == b"40000"))
        return self.git.odb.write(ObjectType.TREE, b"".join(m + b" " + n + b"\0" + o.raw for m, n, o in ordered))

    def look(self, head: str, names: list[str], *, trust: bool = False) -> tuple[EngineReport, ...]:
        """Let the engines look at the whole tree."""
        tools = LocalTools(
            engines=registry.engines(),
            clock=SimpleNamespace(now=lambda: datetime.now(UTC)),
            scratch=self.scratch,
            on_progress=lambda text, done, total: None,
            cancelled=threading.Event(),
            journal=MemoryJournal(),
            known=lambda repository: (),
            key=b"k" * 32,
            trust=trust,
        )
        request = EngineRequest(repository=str(self.place), head=head, base=head, timeout_s=120.0)
        return tools.engines(names, request)

    def state(self) -> Mapping[str, tuple[int, int, int]]:
        """Everything of the repository that running something in it would change."""
        places = [place for place in self.place.rglob("*") if not stat.S_ISDIR(place.lstat().st_mode)]
        return {str(each): (each.lstat().st_mode, each.lstat().st_size, each.lstat().st_mtime_ns) for each in places}

    def sprung(self) -> list[str]:
        """The traps that were set off."""
        found = [place.name for place in self.markers.iterdir()]
        try:
            self._server.accept()[0].close()
            found.append("network")
        except BlockingIOError:
            pass
        return found

    def _filled(self, text: str) -> str:
        for word, value in self._words.items():
            text = text.replace(word, value)
        return text

    def _in_the_working_tree(self, place: Path, kind: str, text: str) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            place.symlink_to(text)
            return
        place.write_text(text)
        place.chmod(0o755 if kind == "program" else 0o644)


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Field(tmp_path, server)


@pytest.fixture(params=POISONS)
def poison(request: pytest.FixtureRequest) -> str:
    """The name of each poison, one after the other."""
    return str(request.param)
