"""A monitor is complete when it is made: it goes on from the state of the one before, without a second call."""

from collections.abc import Iterable
from typing import Any

from xenwatch.agent.monitor import Monitor, MonitorCallbacks, prepare
from xenwatch.base.clock import ManualClock
from xenwatch.host.paths import Paths
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.state.store import SavedState

Bench = Any  # conftest's


def callbacks() -> MonitorCallbacks:
    def ignore(*_given: object) -> None: ...

    def changed(_incidents: Iterable[Incident]) -> None: ...

    return MonitorCallbacks(changed, ignore, ignore, ignore, ignore)


async def test_a_new_monitor_holds_the_incidents_cursors_and_device_models_that_were_saved(bench: Bench):
    diagnosis = Diagnosis(
        "vif-bridge-missing", "vif-bridge-missing", Subject("domain", "web"), "error", "t", "s", "c", 1.0
    )
    incident = Incident("i1", diagnosis, "open", 1.0, 1.0)
    cursors = {str(bench.host.logs / "xl-web.log"): [{"damaged": True}]}
    saved = SavedState(cursors, {"device_models": [[4711, 5, "web"]]}, (incident,))
    parts = prepare(bench.load().config)
    monitor = Monitor(parts, saved, ManualClock(), callbacks(), paths=Paths(bench.host.folder / "root"))
    captured = monitor.capture()
    assert [i.id for i in captured.incidents] == ["i1"]
    assert captured.correlation["device_models"] == [[4711, 5, "web"]]
    assert monitor.follower.counters.bad_cursors == 1
    await monitor.host.close()
    parts.compiling.shutdown(wait=False, cancel_futures=True)
