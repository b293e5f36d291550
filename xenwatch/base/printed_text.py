"""Text from a log or a rule as people see it, on a terminal and in a page."""


def printable(text: str) -> str:
    """`text` without control characters: an escape sequence in a guest's console must not drive a person's terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def one_line(text: str) -> str:
    """Printable and without line breaks: a name may hold one, to look like two, or like a log line of ours."""
    return printable(text).replace("\n", "\\n").replace("\t", " ")


def as_unicode(text: str) -> str:
    """`text` with what is no Unicode replaced: a guest's name or a path can hold it, and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def is_sentence(step: str) -> bool:
    """Whether a step is a sentence, to be wrapped; a command stays on its line, to be pasted."""
    return step[:1].isupper() and " " in step
