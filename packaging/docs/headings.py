"""The table of an incident's parts in docs/http.md, made from the one table of headings."""

import re
from pathlib import Path

from xenwatch.model.headings import HEADINGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/http.md"
_BLOCK = re.compile(r"(?<=<!-- headings, made by `make docs` -->\n).*?(?=<!-- end of headings -->)", re.DOTALL)


def page() -> str:
    """docs/http.md with the table as it is now."""
    rows = [f"| `{heading.key}` | {heading.title} | {heading.meaning} |" for heading in HEADINGS]
    table = "\n".join(["", "| Key | Heading | Meaning |", "|---|---|---|", *rows, "", ""])
    return _BLOCK.sub(lambda _: table, (ROOT / PAGE).read_text(encoding="utf-8"), count=1)
