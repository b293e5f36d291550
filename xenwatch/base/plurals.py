"""Numbers with their noun: `1 line`, `1,204 lines`."""


def count_text(number: int, singular: str, plural: str | None = None) -> str:
    """`number` with the noun in the form that fits it; `plural` where it is not the singular with an s."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
