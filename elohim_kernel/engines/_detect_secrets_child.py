"""The child process of the detect-secrets engine: the library with plugins and filters of ours, never a repository's.

A comment in a file silences nothing, nothing is verified over a network, and what is said of a value is where it is.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

FILE_TIMEOUT_S: Final = 20
MAX_BYTES: Final = 4 * 1024 * 1024
MAX_FOUND: Final = 1_000

PLUGINS: Final = (
    *("ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector"),
    *("DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector"),
    *("IbmCosHmacDetector", "JwtTokenDetector", "KeywordDetector", "MailchimpDetector", "NpmDetector"),
    *("OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector"),
    *("SoftlayerDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector"),
)
"""Those that look at the bits of a text alone are left out: on ordinary code they are mostly wrong."""

_FILTERS: Final = (
    "is_sequential_string",
    "is_templated_secret",
    "is_prefixed_with_dollar_sign",
    "is_indirect_reference",
    "is_not_alphanumeric_string",
)


class _Overdue(Exception):
    pass


def _overdue(_signal: int, _frame: FrameType | None) -> None:
    raise _Overdue


def _found(path: Path) -> Iterator[tuple[int, int, int, str]]:
    """(line, start, end, type) of each value; start and end are 0 where the line does not hold it as it is."""
    lines = path.read_bytes().decode(errors="replace").splitlines()
    for number, each in enumerate(scan_file(str(path))):
        if number >= MAX_FOUND:
            return
        line = lines[each.line_number - 1] if 0 < each.line_number <= len(lines) else ""
        start = line.find(each.secret_value or "")
        yield each.line_number, max(start, 0), start + len(each.secret_value or "") if start >= 0 else 0, each.type


def _answer(path: Path) -> dict[str, object]:
    if path.stat().st_size > MAX_BYTES:
        return {"problem": f"larger than {MAX_BYTES // 1024 // 1024} MiB"}
    return {"found": sorted(set(_found(path)))}


def main() -> None:
    """Read `[root, [path, ...]]`, write a JSON line for each file."""
    root, paths = json.loads(sys.stdin.buffer.read())
    signal.signal(signal.SIGALRM, _overdue)
    settings = {
        "plugins_used": [{"name": name} for name in PLUGINS],
        "filters_used": [{"path": f"detect_secrets.filters.heuristic.{name}"} for name in _FILTERS],
    }
    with transient_settings(settings):
        for path in paths:
            signal.alarm(FILE_TIMEOUT_S)
            try:
                answer = _answer(Path(root, path))
            except _Overdue:
                answer = {"problem": f"took more than {FILE_TIMEOUT_S} s"}
            except (OSError, ValueError, RecursionError) as wrong:
                answer = {"problem": f"could not be read: {type(wrong).__name__}"}
            finally:
                signal.alarm(0)
            sys.stdout.write(json.dumps({"path": path, **answer}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # nothing is left to tidy
