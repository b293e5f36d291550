"""Output of ps(1), in any form with a heading that has PID."""

from collections.abc import Iterator


def parse_ps(text: str) -> Iterator[str]:
    """Process ids, in the order printed; one that is dead and not yet buried is none."""
    column, state = None, None
    for line in text.splitlines():
        words = line.split()
        if "PID" in words:
            column = words.index("PID")
            state = next((words.index(name) for name in ("STAT", "S") if name in words), None)
        elif column is not None and len(words) > column and words[column].isdigit():
            is_dead = state is not None and len(words) > state and words[state].startswith("Z")
            if not is_dead:
                yield words[column]
