"""What happens in the demo's pool: scenes read from a file, each a few words that do something to it."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from xenwatch.base.clock import Clock
from xenwatch.base.durations import parse_duration
from xenwatch.demo.pool.pools import guest
from xenwatch.demo.pool.server import StandInPool

STORY = Path(__file__).with_name("story.yaml")
_WARNING = 3


@dataclass(frozen=True, slots=True)
class Scene:
    """`does` happens `at` seconds after the beginning of a round."""

    title: str
    at: float
    does: tuple[tuple[str, ...], ...]
    expected_class: str | None = None
    """Class of the cause that xenwatch should report; None where something is over, or is mended."""


def read_scenes(path: Path = STORY) -> tuple[Scene, ...]:
    """In the order of time; the last one is the end of the round."""
    return tuple(
        Scene(
            scene["title"],
            parse_duration(scene["at"]),
            tuple(tuple(words.split()) for words in scene.get("does", ())),
            scene.get("expected_class"),
        )
        for scene in yaml.safe_load(path.read_text())["scenes"]
    )


async def play(scenes: Sequence[Scene], pool: StandInPool, clock: Clock) -> None:
    """Round after round, until cancelled. It begins when somebody watches: what was before that is told to nobody."""
    while not pool.sessions.opened:
        await clock.sleep(1.0)
    began = clock.monotonic()
    while scenes:
        for scene in scenes:
            await clock.sleep(max(0.0, began + scene.at - clock.monotonic()))
            take(scene, pool)
        began += scenes[-1].at


def take(scene: Scene, pool: StandInPool) -> None:
    """One scene now. What a repair, or a person, has made needless does nothing."""
    for word, *rest in scene.does:
        _WORDS[word](pool, *rest)


def _crash(pool: StandInPool, name: str) -> None:
    vm = guest(pool, name)
    pool.operations.set_state(vm, "Halted")
    _message(pool, "VM_CRASHED", "VM", pool.database.record("VM", vm)["uuid"])


def _start(pool: StandInPool, name: str, host: str) -> None:
    vm = guest(pool, name)
    if pool.database.record("VM", vm)["power_state"] == "Halted":
        pool.operations.set_state(vm, "Running", _host(pool, host))


def _plug(pool: StandInPool, name: str, host: str, state: str) -> None:
    pool.database.change("PBD", _pbd(pool, name, host), currently_attached=state == "on")


def _paths(pool: StandInPool, name: str, host: str, counts: str) -> None:
    pool.database.change("PBD", _pbd(pool, name, host), other_config={"mpath-3600a098038303053": f"[{counts}]"})


def _fill(pool: StandInPool, name: str, percent: str) -> None:
    ref = _called(pool, "SR", name)
    size = pool.database.record("SR", ref)["physical_size"]
    pool.database.change("SR", ref, physical_utilisation=size * int(percent) // 100)


def _live(pool: StandInPool, host: str, state: str) -> None:
    metrics = pool.database.record("host", _host(pool, host))["metrics"]
    pool.database.change("host_metrics", metrics, live=state == "on")


def _task_fails(pool: StandInPool, label: str, *error: str) -> None:
    pool.database.add(
        "task", name_label=label, status="failure", error_info=error, finished=_now(),
        resident_on=pool.operations.master,
    )  # fmt: skip


def _host(pool: StandInPool, name: str) -> str:
    return _called(pool, "host", name)


def _called(pool: StandInPool, class_: str, name: str) -> str:
    return next(ref for ref, one in pool.database.records(class_).items() if one["name_label"] == name)


def _pbd(pool: StandInPool, repository: str, host: str) -> str:
    wanted = (_called(pool, "SR", repository), _host(pool, host))
    return next(ref for ref, one in pool.database.records("PBD").items() if (one["SR"], one["host"]) == wanted)


def _message(pool: StandInPool, name: str, class_: str, uuid: str) -> None:
    pool.database.add("message", name=name, priority=_WARNING, cls=class_, obj_uuid=uuid, timestamp=_now())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


_WORDS: dict[str, Callable[..., Any]] = {
    "crash": _crash, "start": _start, "repository": _plug, "paths": _paths, "fill": _fill, "host": _live,
    "task-fails": _task_fails,
}  # fmt: skip
"""What a line of `does` begins with; `repository iscsi1 xcp2 off` detaches it there."""
