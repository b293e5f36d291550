"""Lines that no program writes by itself: somebody may have filled one with what signatures look for."""

LONG = 8192
WINDOW = 4096
"""Bytes of a long line in which one hit of each signature is enough."""
OVERLAP = 512
"""Bytes by which windows overlap, so that what lies across an edge is found."""

MOST_HITS = 256
"""Hits in one window, the same signature's included, after which the rest of it is left alone."""


def long_lines(data: bytes) -> list[tuple[int, int]]:
    """Begin and end of the lines of over LONG bytes. Where there is none, that costs next to nothing."""
    found: list[tuple[int, int]] = []
    begin = 0
    while begin + LONG < len(data):
        newline = data.rfind(b"\n", begin, begin + LONG + 1)
        if newline < 0:
            newline = data.find(b"\n", begin + LONG)
            found.append((begin, len(data) if newline < 0 else newline))
        begin = newline + 1 if newline >= 0 else len(data)
    return found


def windows(begin: int, end: int) -> list[tuple[int, int]]:
    """The parts of a long line that are looked at one after the other; the first and the last reach beyond it."""
    starts = range(begin, end, WINDOW)
    return [(max(0, start - OVERLAP), min(start + WINDOW, end) + OVERLAP) for start in starts]
