"""One tree of errors. A message says what was tried, on what, and what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class XenwatchError(Exception):
    """Anything xenwatch itself reports; the CLI prints it as one line and never as a traceback."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file a person wrote: where, and what to write instead."""

    file: Path
    line: int
    """1-based; 0 when the whole file is meant."""
    key: str
    """Dotted path of the key, such as `signatures[0].regex`; empty when the whole file is meant."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class FileProblems(XenwatchError):
    """All that is wrong in a person's files, gathered and shown together."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ConfigError(FileProblems):
    """The configuration or a policy cannot be used as written."""


class RuleError(FileProblems):
    """Rule files cannot be used as written."""


class InputError(XenwatchError):
    """What was asked to be read cannot be: missing, not readable, or nothing in it."""


class ArchiveBomb(InputError):
    """An archive unfolds to more than its limits allow."""


class InvalidValue(XenwatchError, ValueError):
    """A value as somebody wrote it cannot be taken; says what can. Whoever knows its place makes a Problem of it."""


class NotJson(InvalidValue):
    """A text is not JSON, or not JSON that two readers would understand alike."""


class YamlError(InvalidValue):
    """Not YAML; `line` says where the parser gave up."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class RewoundError(XenwatchError):
    """What was read of a log no longer stands before the place where reading goes on: the content was replaced."""


class HostError(XenwatchError):
    """The machine did not answer as asked."""


class Unavailable(HostError):
    """Not reachable just now: no socket, no daemon, connection lost. Trying later may help."""


class Unsupported(HostError):
    """This host, driver or version will never answer this call; do not ask again."""


class TimedOut(HostError):
    """No answer within the deadline."""


class CommandFailed(HostError):
    """A program ran and returned non-zero, or could not be run at all (returncode None)."""

    def __init__(self, argv: Sequence[str], returncode: int | None, stderr: str) -> None:
        self.argv, self.returncode, self.stderr = tuple(argv), returncode, stderr
        last_line = stderr.strip().splitlines()[-1] if stderr.strip() else "nothing on stderr"
        how = "could not be run" if returncode is None else f"exited with {returncode}"
        super().__init__(f"{' '.join(argv)}: {how}: {last_line}")


class StoreError(XenwatchError):
    """The state database cannot be read or written."""
