"""What a command on the simulated host gives back, and the shape of the programs that answer."""

from collections.abc import Callable
from typing import NamedTuple

from xenwatch.demo.world import Domain, SimulatedHost, World


class Said(NamedTuple):
    """Exit code and output."""

    code: int = 0
    out: str = ""
    err: str = ""


Program = Callable[[World, SimulatedHost, list[str]], Said | str]
"""Given the arguments; a text alone is the output of success."""
OnDomain = Callable[[World, SimulatedHost, Domain, list[str]], Said | None]


def on_a_domain(act: OnDomain) -> Program:
    """A word of xl after which a domain is named; `act` gets the words after that."""

    def program(world: World, host: SimulatedHost, rest: list[str]) -> Said:
        domain = host.find(rest[0]) if rest else None
        if domain is None:
            return Said(1, "", f"{rest[0] if rest else ''} is an invalid domain identifier (rc=-6)\n")
        return act(world, host, domain, rest[1:]) or Said()

    return program
