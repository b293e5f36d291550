"""Tables that commands print: a header line, and rows with cells under it, some of them empty."""

from xenwatch.base import lazy_re as re

_WORD = re.compile(r"\S+")


def rows_under(header: str, lines: list[str]) -> list[dict[str, str]]:
    """Each line as `{column: cell}`; a word belongs to the column with the title above it, left or right aligned.

    An empty cell is absent. Words that stand under no title join the cell to their left.
    """
    columns = [(found.group(), found.start(), found.end()) for found in _WORD.finditer(header)]
    rows = []
    for line in lines:
        row: dict[str, str] = {}
        last = ""
        for word in _WORD.finditer(line):
            under = [name for name, start, end in columns if word.start() < end and word.end() > start]
            name = next((name for name in under if name not in row), None)
            if name:
                row[name], last = word.group(), name
            elif last:
                row[last] += " " + word.group()
        if row:
            rows.append(row)
    return rows
