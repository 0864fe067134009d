"""What the package never does: run text as code, open a shell, show outside text as markup, name a network address."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

BANNED_IMPORTS = {
    "pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "requests", "httpx", "urllib3", "aiohttp",
    "IPython.display.HTML", "IPython.display.Markdown", "IPython.display.Javascript", "IPython.display.Latex",
    "IPython.core.display.HTML", "ipywidgets.HTML", "ipywidgets.HTMLMath", "pandas.io.formats.style",
}  # fmt: skip
BANNED_CALLS = {"eval", "exec", "__import__"}
BANNED_ATTRIBUTES = {
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
    "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load",
    "pandas.read_pickle", "pd.read_pickle", "widgets.HTML", "ipywidgets.HTML", "display.HTML",
}  # fmt: skip
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"}

# The one module that may run text as code: it is loaded in a sandbox's child, where proposed tests are tried.
RUNNING_MODULE = "elohim_kernel.engines._tests_evaluating"

# The one module that may write markup, with the names it may use.
MARKUP_MODULE = "elohim_kernel.surfaces.text"
MARKUP = {name for name in BANNED_IMPORTS | BANNED_ATTRIBUTES if name.endswith("HTML")}

ADDRESS = re.compile(r"""\b(?:https?|ftp|git|ssh|s3)://([^/\s"'`<>)\\,:]+)""")
HARMLESS_HOSTS = re.compile(
    r"^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[?::1\]?|[\w.-]*\.?example(\.(com|org|net))?|[\w.-]*\.(test|invalid)"
    r"|\$?\{.*|\.{3}|json-schema\.org|json\.schemastore\.org|docs\.oasis-open\.org|xml\.org)$"
)
DELIVERED = ("elohim_kernel", "playbooks", "notebooks", "Makefile", ".ci", "pyproject.toml", "constraints.txt")


def unsafe(modules: Iterable[Any]) -> list[str]:
    return sorted(
        {f"{module.path}:{line} {what}" for module in modules for what, line in (*_imports(module), *_uses(module))}
    )


def _imports(module: Any) -> Iterator[tuple[str, int]]:
    for name, line in module.imports():
        banned = {name, name.partition(".")[0]} & BANNED_IMPORTS
        if module.name == MARKUP_MODULE:
            banned -= MARKUP
        yield from ((f"import of {each}", line) for each in banned)


def _uses(module: Any) -> Iterator[tuple[str, int]]:
    reads_pandas = any(name.partition(".")[0] == "pandas" for name, _ in module.imports())
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            runs = isinstance(node.func, ast.Name) and node.func.id in BANNED_CALLS
            if runs and module.name != RUNNING_MODULE:
                yield ast.unparse(node.func), node.lineno
            if any(keyword.arg == "shell" and ast.unparse(keyword.value) != "False" for keyword in node.keywords):
                yield "shell=", node.lineno
        elif isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            if dotted in BANNED_ATTRIBUTES and not (module.name == MARKUP_MODULE and dotted in MARKUP):
                yield dotted, node.lineno
            elif node.attr == "style" and reads_pandas:
                yield "DataFrame.style (it does not escape)", node.lineno


def clock_readers(modules: Iterable[Any]) -> list[str]:
    """Places in `model` that ask for the time or open a file; `ids` makes ids of the time."""
    found = []
    for module in modules:
        if not module.name.startswith("elohim_kernel.model") or module.name == "elohim_kernel.model.ids":
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called == "open" or called in CLOCKS or any(called.endswith(f".{clock}") for clock in CLOCKS):
                    found.append(f"{module.path}:{node.lineno} {called}")
    return found


def addresses(files: Iterable[Path], root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number} {match.group(0)}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in ADDRESS.finditer(line)
        if not HARMLESS_HOSTS.match(match.group(1))
    ]


def test_the_package_does_nothing_unsafe(modules):
    assert unsafe(modules) == []


def test_the_model_never_asks_for_the_time(modules):
    assert clock_readers(modules) == []


def test_nothing_delivered_names_an_address_of_the_network(root: Path):
    kinds = {".py", ".sql", ".toml", ".txt", ".md", ".yaml", ".yml", ".ipynb", ".js", ".css", ".json", ""}
    places = [root / name for name in DELIVERED if (root / name).exists()]
    files = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*")))]

    assert addresses([path for path in files if path.is_file() and path.suffix in kinds], root) == []


def test_each_unsafe_habit_is_found(module: Callable[..., Any]):
    habits = {
        "import pickle": "import of pickle",
        "from requests.adapters import HTTPAdapter": "import of requests",
        "from IPython.display import HTML": "import of IPython.display.HTML",
        "from pandas.io.formats.style import Styler": "import of pandas.io.formats.style",
        "eval('1')": "eval",
        "exec('x = 1')": "exec",
        "import os\nos.system('ls')": "os.system",
        "import yaml\nyaml.load('a: 1')": "yaml.load",
        "import subprocess\nsubprocess.run('ls', shell=True)": "shell=",
        "import subprocess\nwanted = True\nsubprocess.run('ls', shell=wanted)": "shell=",
        "import ipywidgets as widgets\nwidgets.HTML('<b>')": "widgets.HTML",
        "import pandas as pd\npd.DataFrame().style.hide()": "DataFrame.style (it does not escape)",
    }

    for text, name in habits.items():
        found = unsafe([module(text)])

        assert [line.partition(" ")[2] for line in found] == [name], text


def test_a_look_alike_is_left_alone(module: Callable[..., Any]):
    text = "re.compile('x')\nyaml.safe_load('a')\nsubprocess.run(['ls'], shell=False)\nx.evaluate()\nwidget.style\n"

    assert unsafe([module(text)]) == []


def test_only_the_text_module_may_use_markup(module: Callable[..., Any]):
    text = "from IPython.display import HTML\n"

    assert unsafe([module(text, MARKUP_MODULE)]) == []
    assert unsafe([module(text, "elohim_kernel.surfaces.panels.item")]) != []


def test_asking_for_the_time_in_the_model_is_found(module: Callable[..., Any]):
    text = "import datetime\ndatetime.datetime.now(datetime.UTC)\nopen('x')\n"

    assert clock_readers([module(text)]) == [
        "elohim_kernel/model/example.py:2 datetime.datetime.now",
        "elohim_kernel/model/example.py:3 open",
    ]


def test_an_address_is_found_and_a_harmless_one_is_not(tmp_path: Path):
    page = tmp_path / "page.ipynb"
    page.write_text(
        '"https://cdn.jsdelivr.net/npm/vega"\n'
        '"http://127.0.0.1:8000/api"\n"https://hooks.example.com/x"\n"https://json-schema.org/draft"\nf"http://{host}/"\n'
    )

    assert addresses([page], tmp_path) == ["page.ipynb:1 https://cdn.jsdelivr.net"]
