"""Runs the benchmarks named on the command line, or all of them, and prints one table of ratios.

Ratios are taken inside one run against a floor of the same run: absolute figures of a busy machine say little.
"""

import importlib
import json
import sys
from pathlib import Path

ALL = ("transitions", "findings", "sarif", "sql", "command_line", "review", "scan")
COLUMNS = ("measure", "value", "unit", "floor", "ratio", "bound")


def main(names: list[str]) -> int:
    """Print the table; with `--json` the rows as JSON."""
    sys.path.insert(0, str(Path(__file__).parent))
    wanted = [name for name in names if not name.startswith("-")] or list(ALL)
    unknown = [name for name in wanted if name not in ALL]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; there is {', '.join(ALL)}", file=sys.stderr)
        return 2
    rows = [row for name in wanted for row in importlib.import_module(name).run()]
    if "--json" in names:
        print(json.dumps(rows, indent=2))
        return 0
    cells = [COLUMNS, *(tuple(str(row.get(column, "")) for column in COLUMNS) for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(COLUMNS))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
