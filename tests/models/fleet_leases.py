"""An explicit-state model of leases with fencing tokens and of slots: two agents, one target, any order of events.

Any agent may pause or die between any two steps, a lease may end at any time, an order may arrive at any later time.
The parts that decide are the real ones: which states of a run hold a slot, and which token a receiver takes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from xenwatch.model.action import HOLDING, RunState
from xenwatch.remediation.machine.fence import is_current


class Agent(NamedTuple):
    """`claimed`: etcd has its claim, the run store does not; a run's id is its token."""

    state: RunState = "new"
    token: int = 0
    at: str = "idle"


class Fleet(NamedTuple):
    """What etcd, the receiver and the agents know, and what is true."""

    agents: tuple[Agent, ...] = (Agent(), Agent())
    lease: int = 0
    """Token of the lease that etcd knows now."""
    given: int = 0
    slots: frozenset[int] = frozenset()
    owed: frozenset[int] = frozenset()
    """Runs that failed, or of which nobody knows."""
    flying: frozenset[int] = frozenset()
    highest: int = 0
    done: int = 0
    """The highest token of an order that was carried out."""
    is_overtaken: bool = False
    """An order was carried out after one of a newer lease."""


class Design(NamedTuple):
    """The design as it is; the tests leave out one part at a time."""

    has_fence: bool = True
    keeps_slot_of_failure: bool = True
    spares_busy: bool = True
    slots: int = 1
    most_runs: int = 3


def steps(s: Fleet, design: Design) -> Iterator[Fleet]:
    yield from _etcd(s)
    yield from _receiver(s, design)
    for number, agent in enumerate(s.agents):
        yield from _agent(s, number, agent, design)


def _etcd(s: Fleet) -> Iterator[Fleet]:
    if s.lease:
        yield s._replace(lease=0)


def _receiver(s: Fleet, design: Design) -> Iterator[Fleet]:
    for token in s.flying:
        rest = s._replace(flying=s.flying - {token})
        if is_current(s.highest, token) or not design.has_fence:
            late = s.is_overtaken or token < s.done
            yield rest._replace(highest=max(s.highest, token), done=max(s.done, token), is_overtaken=late)
        else:
            yield rest


def _agent(s: Fleet, number: int, agent: Agent, design: Design) -> Iterator[Fleet]:
    def to(fleet: Fleet, state: RunState, at: str, token: int = agent.token) -> Fleet:
        agents = tuple(Agent(state, token, at) if n == number else a for n, a in enumerate(fleet.agents))
        return fleet._replace(agents=agents)

    if agent.at == "idle" and not s.lease and len(s.slots) < design.slots and s.given < design.most_runs:
        token = s.given + 1
        yield to(s._replace(lease=token, given=token, slots=s.slots | {token}), "proposed", "claimed", token)
    if agent.at == "claimed":
        yield to(s, "admitted", "admitted")
        yield to(s, "proposed", "ended")  # it died, or its own store refused
    if agent.at == "admitted":
        if s.lease == agent.token:
            yield to(s, "executing", "holds")
        yield to(s, "aborted", "ended")
    if agent.at == "holds":
        yield to(s._replace(flying=s.flying | {agent.token}), "executing", "ordered")
        yield from _ends(s, agent, to)  # it died right before the order, which its start cannot tell from after it
    if agent.at == "ordered":
        yield from _ends(s, agent, to)
    if agent.at == "ended":
        yield to(s._replace(lease=0 if s.lease == agent.token else s.lease), agent.state, "idle")
    yield from _settle(s, agent, design)


def _ends(s: Fleet, agent: Agent, to) -> Iterator[Fleet]:  # type: ignore[no-untyped-def]
    yield to(s, "succeeded", "ended")
    for state in ("failed", "unknown"):
        yield to(s._replace(owed=s.owed | {agent.token}), state, "ended")


def _settle(s: Fleet, agent: Agent, design: Design) -> Iterator[Fleet]:
    """Each agent frees what is its own; runs that ended earlier are in `owed`, or need no slot."""
    if agent.token not in s.slots or (design.spares_busy and agent.at == "claimed"):
        return
    keeps = agent.state in HOLDING and (design.keeps_slot_of_failure or agent.at != "idle")
    if not keeps and agent.token not in (s.owed if design.keeps_slot_of_failure else ()):
        yield s._replace(slots=s.slots - {agent.token})


def in_effect(s: Fleet) -> set[int]:
    """Runs that may be doing something."""
    return {agent.token for agent in s.agents if agent.at in ("holds", "ordered")}
