"""In a storm of incidents judging takes a tenth of the time; on every other day nothing waits."""

from collections.abc import Iterable
from typing import Any

import pytest

from xenwatch.agent.monitor import Monitor, MonitorCallbacks, prepare
from xenwatch.agent.pace import LONGEST_PAUSE, Pace
from xenwatch.base.clock import ManualClock
from xenwatch.host.paths import Paths
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Position, TimeHint
from xenwatch.state.store import SavedState

Bench = Any  # conftest's
LINE = b"[2011-05-18 20:55:04 xend 3456] WARNING (XendDomainInfo:874) Domain has crashed: name=web%d id=%d.\n"


def test_what_takes_no_time_is_due_at_once() -> None:
    pace = Pace(ManualClock())
    with pace.taking():
        pass
    assert pace.due


@pytest.mark.parametrize(("took", "pause"), [(0.01, 0.09), (0.04, 0.36), (5.0, LONGEST_PAUSE)])
def test_what_took_long_is_followed_by_a_pause_of_nine_times_that_or_half_a_second(took: float, pause: float) -> None:
    clock = ManualClock()
    pace = Pace(clock)
    with pace.taking():
        clock.advance(took)
    clock.advance(pause - 0.001)
    assert not pace.due
    clock.advance(0.002)
    assert pace.due


async def test_lines_that_came_in_a_pause_are_judged_by_the_clock_and_none_is_lost(bench: Bench) -> None:
    clock, changed = ManualClock(), list[Incident]()

    def ignore(*_given: object) -> None: ...

    def slowly(incidents: Iterable[Incident]) -> None:
        changed.extend(incidents)
        clock.advance(0.2)

    parts = prepare(bench.load().config)
    paths = Paths(bench.host.folder / "root")
    monitor = Monitor(parts, SavedState(None, {}, ()), clock, MonitorCallbacks(slowly, *[ignore] * 4), paths=paths)
    source = monitor._open_source("/var/log/xen/xend.log", LINE % (0, 0))
    assert source is not None
    for number in range(3):
        data, at = LINE % (number, number), Position("1", number * len(LINE % (0, 0)), number + 1)
        monitor._on_chunk(Chunk(source, data, at, TimeHint(clock.now())))
        monitor._on_look()
    assert [i.diagnosis.subject.name for i in changed] == ["web0"]
    assert len(monitor.capture().correlation["held"]) == 2
    clock.advance(LONGEST_PAUSE)
    monitor._judge_lines()
    assert [i.diagnosis.subject.name for i in changed] == ["web0", "web1", "web2"]
    await monitor.host.close()
    parts.compiling.shutdown(wait=False, cancel_futures=True)
