"""Whether a host has power, by what its management board says: a fence agent of ClusterLabs is asked for the state.

An order to power off that says it was carried out proves nothing; the state that is read back afterwards does.
"""

import re
from typing import Literal

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError
from xenwatch.remediation.machine.port import Answer, Command, Machine, Order
from xenwatch.remediation.policy.inventory import ManagedHost

PowerState = Literal["on", "off", "unknown"]

LOOKS = 3
SPAN = 10.0
"""Off is off in `LOOKS` readings over `SPAN` seconds: a host that restarts is off for a moment."""
_OFF = 2
"""Exit code of `--action=status`; 0 is on, and anything else is no answer."""
_STATUS = re.compile(r"^Status: (ON|OFF)\s*$", re.MULTILINE)
_STATUS_SECONDS = 30.0
_OFF_SECONDS = 120.0
_AGENT = re.compile(r"fence_[a-z0-9_]{1,40}")
_WORD = re.compile(r"--[a-z-]{1,40}(?:=[\w.:@/,+-]{1,200})?")
_NOT_THERE = ("--password=", "--action", "--password-script-stdin")


def power_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words where they name a fence agent and how it reaches one board; else InputError."""
    if words and not _AGENT.fullmatch(words[0]):
        raise InputError(f"{words[0][:40]!r} is no fence agent: write one such as fence_ipmilan or fence_redfish")
    for word in words[1:]:
        if word.startswith(_NOT_THERE) or not _WORD.fullmatch(word):
            raise InputError(
                f"{word.partition('=')[0][:40]!r} cannot be given: write long options of the agent, the password as "
                "--password-script=FILE, and no --action"
            )
    return words


def power_off(host: ManagedHost) -> Order:
    """Take the power from it, whatever it does. One that is off already stays so."""
    return Order((*host.power, "--action=off"), deadline=_OFF_SECONDS)


async def power_state(machine: Machine, host: ManagedHost) -> PowerState:
    """One reading; unknown where the board does not answer, or its code and its words differ."""
    if not host.power:
        return "unknown"
    return _state(await machine.read(Command((*host.power, "--action=status"), deadline=_STATUS_SECONDS)))


def _state(answer: Answer) -> PowerState:
    said = _STATUS.findall(answer.out)
    if (answer.code, said) == (0, ["ON"]):
        return "on"
    return "off" if (answer.code, said) == (_OFF, ["OFF"]) else "unknown"


async def steady_state(machine: Machine, clock: Clock, host: ManagedHost) -> PowerState:
    """Off only where every reading says so; the first one that differs counts."""
    for nth in range(LOOKS):
        if nth:
            await clock.sleep(SPAN / (LOOKS - 1))
        state = await power_state(machine, host)
        if state != "off":
            return state
    return "off"
