"""What was being done when something went wrong: a verb, a guest, how far it got and how it ended."""

from dataclasses import dataclass
from typing import Literal

OperationOutcome = Literal["under way", "running", "ended"]


@dataclass(frozen=True, slots=True)
class Operation:
    """`id` is stable: where the operation was first seen. What is not known is None."""

    id: str
    verb: str
    """create, start, restore, save, migrate, shutdown, destroy, block-attach …; empty: not said."""
    target: str | None
    """Name of the guest."""
    domid: int | None = None
    uuid: str | None = None
    started: float | None = None
    """None where the logs carry no time."""
    last_seen: float | None = None
    phase: str | None = None
    """The furthest phase that was seen (diagnosis/operations/phases.py)."""
    torn_down_in: str | None = None
    """The log, or the command's part of one, that told first of its teardown; what follows there belongs to it."""
    outcome: OperationOutcome = "under way"
    host: str | None = None
    named_by_file: bool = False
    """The name is that of its configuration's file: the guest may be called otherwise."""
    from_config: str | None = None
    """The name stands in a configuration that was shown. Here is what its file is called; empty: that is not known."""

    @property
    def attaches(self) -> bool:
        """Whether a guest was to get a device: `block-attach`, `attach-device` and the like."""
        return "attach" in self.verb

    @property
    def detaches(self) -> bool:
        """Whether a guest was to lose one."""
        return "detach" in self.verb
