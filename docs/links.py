"""Check that every inside link of our pages leads to a file and a heading that exist. Exit 1 when one does not."""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    """A page without its code, in which brackets mean something else."""
    return CODE.sub("", page.read_text(encoding="utf-8"))


def broken_links(docs: Path) -> list[str]:
    """Links in the pages below `docs` and beside it that lead to no file or no heading of ours."""
    found = []
    for page in sorted([*docs.rglob("*.md"), *docs.parent.glob("*.md")]):
        for link in LINK.findall(text_of(page)):
            target, _, anchor = link.partition("#")
            place = page.parent / target if target else page
            if re.match(r"[a-z]+:", link):
                continue
            if not place.exists() or (anchor and anchor not in headings(place)):
                found.append(f"{page.relative_to(docs.parent)}: {link}")
    return found


def headings(page: Path) -> set[str]:
    """The anchors a page offers, spelled as code hosts spell them."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = (line.lstrip("#").strip().lower() for line in prose.splitlines() if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


if __name__ == "__main__":
    broken = broken_links(DOCS)
    for each in broken:
        print(f"link leads nowhere: {each}")
    sys.exit(1 if broken else 0)
