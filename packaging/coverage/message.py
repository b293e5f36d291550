"""What a component can say, as its source has it: the format, its arguments, and where it is said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One call that tells of an error or a warning."""

    file: str
    """The file's own name, as messages print it."""
    line: int
    function: str
    call: str
    """What is called to say it: `LOGED`, `panic`, `VmError`."""
    severity: str
    format: str
    args: tuple[str, ...] = ()
    """The expressions that fill the format, as the source writes them."""
    before: tuple[str, ...] = ()
    """The arguments before the format, such as `XC_INVALID_KERNEL`."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same message in another release: files move, lines shift, functions are renamed."""
        return (self.severity, " ".join(self.format.split()))


@dataclass(frozen=True, slots=True)
class Line:
    """A message as it stands in a log: which kind of log, and the text."""

    stream: str
    text: str
