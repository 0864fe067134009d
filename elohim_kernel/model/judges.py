"""The files that judge code: owners, continuous integration, ignore lists, baselines, and the tools' configuration.

They are read from the base of a change, and a change to one of them is itself a finding: who changes the judge is
looked at first.
"""

import configparser
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from wcmatch import glob

from elohim_kernel.model.value import Value


class JudgeKind(StrEnum):
    """What a file decides about other files."""

    OWNERS = "owners"
    PIPELINE = "pipeline"
    IGNORES = "ignores"
    BASELINE = "baseline"
    ATTRIBUTES = "attributes"
    REVIEW_RULES = "review-rules"
    TOOL_SETTINGS = "tool-settings"


class Judge(Value, frozen=True):
    """One kind of judging file. `sections` names the parts that judge, in a file that holds other things too."""

    kind: JudgeKind
    what: str
    globs: tuple[str, ...]
    sections: tuple[str, ...] = ()  # empty: the whole file


# fmt: off
_TOOLS: Final = (
    "bandit", "black", "coverage", "detect-secrets", "flake8", "gitleaks", "isort", "mypy", "pip-audit", "pylint",
    "pyright", "pytest", "ruff", "semgrep", "tox", "vulture",
)
JUDGES: Final = (
    Judge(kind=JudgeKind.OWNERS, what="who owns which file", globs=(
        "{,.github/,docs/,.gitlab/}CODEOWNERS", "**/OWNERS",
    )),
    Judge(kind=JudgeKind.PIPELINE, what="what runs on a change", globs=(
        ".github/{workflows,actions}/**", ".gitlab-ci.y{,a}ml", ".gitlab/ci/**", ".circleci/**", "**/Jenkinsfile*",
        "azure-pipelines*.y{,a}ml", ".buildkite/**", ".travis.y{,a}ml", "bitbucket-pipelines.yml", ".drone.y{,a}ml",
        ".woodpecker*/**", ".woodpecker.y{,a}ml", "appveyor.yml", ".ci/**", ".pre-commit-config.yaml",
    )),
    Judge(kind=JudgeKind.IGNORES, what="what tools leave out", globs=(
        "**/.semgrepignore", "**/.gitleaksignore", "**/.eslintignore", "**/.secretsignore", "**/.trivyignore*",
        "**/.snyk", "**/.betterleaksignore", "**/.kingfisherignore", "**/osv-scanner.toml", "**/.nsprc",
    )),
    Judge(kind=JudgeKind.BASELINE, what="findings that are taken for known", globs=(
        "**/.secrets.baseline", "**/*baseline*.{json,y{,a}ml,sarif,toml,txt}", "**/*.baseline", "**/.mypy-baseline*",
    )),
    Judge(kind=JudgeKind.ATTRIBUTES, what="which differences are shown", globs=("**/.gitattributes",)),
    Judge(kind=JudgeKind.REVIEW_RULES, what="what a change must pass", globs=(
        ".github/{settings,mergify,dependabot,renovate}*.{json,json5,y{,a}ml}", ".mergify.y{,a}ml", ".elohim/**",
        "codecov.y{,a}ml", ".codecov.y{,a}ml", "sonar-project.properties", "renovate.json*", "**/Dangerfile*",
        "**/dangerfile.*",
    )),
    Judge(kind=JudgeKind.TOOL_SETTINGS, what="how tools judge", globs=(
        "**/{,.}ruff.toml", "**/{,.}mypy.ini", "**/.flake8", "**/{,.}pylintrc{,.toml}", "**/.bandit*",
        "**/bandit.y{,a}ml", "**/.eslintrc*", "**/eslint.config.*", "**/.semgrep.y{,a}ml", "**/.semgrep/**",
        "**/.gitleaks.toml", "**/gitleaks.toml", "**/.coveragerc", "**/pytest.ini", "**/pyrightconfig.json",
        "**/.betterleaks.toml", "**/.secretlintrc*", "**/conftest.py",
    )),
    Judge(kind=JudgeKind.TOOL_SETTINGS, what="how tools judge", globs=("**/pyproject.toml",), sections=_TOOLS),
    Judge(kind=JudgeKind.TOOL_SETTINGS, what="how tools judge", globs=("**/{setup.cfg,tox.ini}",), sections=_TOOLS),
    Judge(kind=JudgeKind.TOOL_SETTINGS, what="how tools judge", globs=("**/package.json",), sections=(
        "eslintConfig", "eslintIgnore", "jest", "nyc", "c8", "lint-staged", "husky",
    )),
)
# fmt: on
"""Every kind there is; the first one that fits a path counts."""

_FLAGS: Final = glob.GLOBSTAR | glob.DOTGLOB | glob.BRACE | glob.FORCEUNIX


def _compiled(globs: Sequence[str]) -> re.Pattern[str]:
    patterns, _ = glob.translate(list(globs), flags=_FLAGS)
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_PATTERNS: Final = tuple((judge, _compiled(judge.globs)) for judge in JUDGES)


def judge_of(path: str) -> Judge | None:
    """What a file judges; `None` for one that does not.

    >>> judge_of(".github/workflows/ci.yml").kind.value, judge_of("app/main.py")
    ('pipeline', None)
    """
    return next((judge for judge, pattern in _PATTERNS if pattern.fullmatch(path)), None)


def judging_part(path: str, judge: Judge, content: bytes | None) -> Mapping[str, Any] | None:
    """The sections of a file that judge, to be compared with those before; JSON-like, hence `Any`.

    `None` when the whole file counts, or when it cannot be read: then any difference does.
    """
    if not judge.sections or content is None:
        return None if judge.sections == () else {}
    try:
        text = content.decode()
        if path.endswith(".toml"):
            tools = tomllib.loads(text).get("tool", {})
            return {name: part for name, part in tools.items() if name in judge.sections}
        if path.endswith(".json"):
            whole = json.loads(text)
            return {name: whole[name] for name in judge.sections if name in whole}
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
        named = [name for name in parser.sections() if _begins(name, judge.sections)]
        return {name: dict(parser.items(name)) for name in named}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, configparser.Error):
        return None


def _begins(section: str, names: Sequence[str]) -> bool:
    return re.split(r"[:\-. ]", section.removeprefix("tool:"))[0] in names
