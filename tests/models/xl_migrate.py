"""An explicit-state model of the handshake of `xl migrate`, and of the recovery that may begin at any moment in it.

Source: tools/xl/xl_migrate.c. The source copies (N runs here, N--incoming is built paused there), suspends N, sends the
tail; the target says READY; the source renames N to N--migratedaway and says GO, from where there is no way back; the
target renames and unpauses, and reports; the source destroys its copy. Any end may be killed, and the link may break.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from xenwatch.remediation.migration_recovery import MigrationEnds, next_move

S = TypeVar("S")


class Xl(NamedTuple):
    """The guest at both ends, where each xl stands (`x`: dead), what is between them, whether the link is up."""

    source: str = "run"
    target: str = "none"
    sender: str = "copy"
    receiver: str = "create"
    to_target: tuple[str, ...] = ()
    to_source: tuple[str, ...] = ()
    link: bool = True

    def tell_target(self, word: str) -> tuple[str, ...]:
        return (*self.to_target, word) if self.link else self.to_target

    def tell_source(self, word: str) -> tuple[str, ...]:
        return (*self.to_source, word) if self.link else self.to_source


def without(words: tuple[str, ...], word: str) -> tuple[str, ...]:
    return tuple(one for one in words if one != word)


def steps(s: Xl) -> Iterator[Xl]:
    yield from _trouble(s)
    yield from _receiver(s)
    yield from _sender(s)


def _trouble(s: Xl) -> Iterator[Xl]:
    if s.link:
        yield s._replace(link=False)
        if s.to_target or s.to_source:
            yield s._replace(link=False, to_target=(), to_source=())
    if s.sender != "x":
        yield s._replace(sender="x", link=False)
    if s.receiver != "x":
        yield s._replace(receiver="x", link=False)


def _receiver(s: Xl) -> Iterator[Xl]:  # noqa: C901 - one branch a state of the protocol
    at = s.receiver
    if at == "create" and s.target == "none":
        yield s._replace(target="incoming", receiver="receive")
    if at == "receive" and "STREAM" in s.to_target:
        yield s._replace(
            to_target=without(s.to_target, "STREAM"), receiver="await-go", to_source=s.tell_source("READY")
        )
    if at == "receive" and not s.link and "STREAM" not in s.to_target:
        yield s._replace(target="none", receiver="x")
        yield s._replace(receiver="x")
    if at == "await-go" and "GO" in s.to_target:
        yield s._replace(to_target=without(s.to_target, "GO"), receiver="go")
    if at == "await-go" and not s.link and "GO" not in s.to_target:
        yield s._replace(receiver="x")  # its report cannot be written, so it exits and leaves N--incoming
    if at == "go":
        renamed = s.target == "incoming"
        yield s._replace(target="paused" if renamed else s.target, receiver="renamed" if renamed else "failed")
        yield s._replace(receiver="failed")
    if at == "renamed":
        woken = s.target == "paused"
        yield s._replace(target="run" if woken else s.target, receiver="up" if woken else "failed")
        yield s._replace(receiver="failed")
    if at == "up":
        yield s._replace(receiver="x", to_source=s.tell_source("OK"))
    if at == "failed":
        yield s._replace(receiver="destroy" if s.link else "x", to_source=s.tell_source("FAIL"))
    if at == "destroy":
        yield s._replace(target="none", receiver="x", to_source=s.tell_source("BACK"))
        yield s._replace(receiver="x")


def _sender(s: Xl) -> Iterator[Xl]:  # noqa: C901, PLR0912 - one branch a state of the protocol
    at, heard = s.sender, s.to_source
    if at == "copy":
        if s.link:
            yield s._replace(source="suspended", sender="await-ready", to_target=s.tell_target("STREAM"))
        else:
            yield s._replace(source="run", sender="x")
    if at == "await-ready":
        if "READY" in heard:
            yield s._replace(to_source=without(heard, "READY"), sender="rename")
        elif not s.link:
            yield s._replace(source="run", sender="x")
    if at == "rename":
        yield s._replace(source="away" if s.source == "suspended" else s.source, sender="send-go")
    if at == "send-go":
        yield s._replace(to_target=s.tell_target("GO"), sender="await-report" if s.link else "x")
    if at == "await-report":
        if "OK" in heard:
            yield s._replace(to_source=without(heard, "OK"), sender="destroy")
        elif "FAIL" in heard:
            yield s._replace(to_source=without(heard, "FAIL"), sender="await-back")
        elif not s.link:
            yield s._replace(sender="x")  # "Domain state is now undefined"
    if at == "await-back":
        if "BACK" in heard:
            yield s._replace(to_source=without(heard, "BACK"), source="run", sender="x")
        elif not s.link:
            yield s._replace(sender="x")
    if at == "destroy":
        yield s._replace(source="none", sender="x")


class Recovering(NamedTuple):
    """The handshake and, beside it, the recovery: where it stands and what it decided by what it saw."""

    xl: Xl
    at: str = "idle"
    move: str = ""


def recovery_steps(s: Recovering, fence_first: bool) -> Iterator[Recovering]:
    """The real next_move decides; between seeing and doing the handshake may go on, unless both xl are dead."""
    for xl in steps(s.xl):
        yield s._replace(xl=xl)
    if s.at == "idle":
        yield s._replace(at="fence-source" if fence_first else "look")
    if s.at == "fence-source":
        yield s._replace(xl=s.xl._replace(sender="x", link=False), at="fence-target")
    if s.at == "fence-target":
        yield s._replace(xl=s.xl._replace(receiver="x", link=False), at="look")
    if s.at == "look":
        yield s._replace(at="act", move=next_move(MigrationEnds(s.xl.source, s.xl.target)))
    if s.at == "act":
        done = s.move in ("done", "person")
        yield s._replace(xl=moved(s.xl, s.move), at="end" if done else "look")


def moved(xl: Xl, move: str) -> Xl:
    """What a move does to the guest."""
    if move == "destroy_target":
        return xl._replace(target="none")
    if move == "destroy_source":
        return xl._replace(source="none")
    if move == "resume_source" and xl.source in ("suspended", "away"):
        return xl._replace(source="run")
    if move == "unpause_target" and xl.target in ("incoming", "paused"):
        return xl._replace(target="run")
    return xl


def explore(first: S, following: Callable[[S], Iterable[S]]) -> set[S]:
    """Every state that can be reached."""
    seen, todo = {first}, deque([first])
    while todo:
        for state in following(todo.popleft()):
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return seen
