"""The result of one test of `xenwatch check`."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """An error keeps the agent from starting or working, a warning does not."""

    about: str
    verdict: Verdict
    words: str
