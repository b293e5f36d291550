"""A flood of hints takes no room and no time from what is really wrong, and is counted."""

from dataclasses import replace
from pathlib import Path

import pytest
from story import Story

from xenwatch.base.clock import ManualClock
from xenwatch.model.action import Alert, Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.store import blocked, triggers
from xenwatch.remediation.store.run_store import RunStore

HOST, WEB = Subject("host", "xen1"), Subject("domain", "web", "u1")
FLOOD = Trigger("alert", "Noise", HOST, "f", "1")
CRASH = Trigger("incident", "guest-crashed", WEB, "i", "1")


@pytest.fixture
def store(tmp_path: Path):
    opened = RunStore(tmp_path / "store.db", ManualClock(), "boot-1")
    yield opened
    opened.close()


def test_a_flood_of_one_origin_leaves_room_for_the_others(store, monkeypatch):
    monkeypatch.setattr(triggers, "_MAX_OF_ONE", 20)
    with store.transaction() as transaction:
        kept = sum(triggers.record(transaction, replace(FLOOD, fingerprint=f"{n}")) for n in range(300))
        assert triggers.record(transaction, CRASH)
        assert blocked.counts(transaction)["flood"] == 280
        assert triggers.unhandled(transaction)[:2] == [replace(FLOOD, fingerprint="0"), CRASH]
    assert kept == 20


def test_where_all_room_is_taken_the_largest_origin_gives_way(store, monkeypatch):
    monkeypatch.setattr(triggers, "_MAX_ACTIVE", 30)
    with store.transaction() as transaction:
        for n in range(300):
            triggers.record(transaction, replace(FLOOD, fingerprint=f"{n}", target=Subject("domain", f"d{n % 3}")))
        assert len(triggers.active(transaction)) == 30
        assert triggers.record(transaction, CRASH)
        assert CRASH in triggers.active(transaction)
        assert len(triggers.active(transaction)) == 30


def test_a_flood_of_one_sender_leaves_another_senders_alert_of_the_same_subject_its_room(store, monkeypatch):
    monkeypatch.setattr(triggers, "_MAX_OF_ONE", 20)
    with store.transaction() as transaction:
        for n in range(300):
            triggers.record(transaction, replace(FLOOD, fingerprint=f"{n}"), "/hooks/grafana 10.0.0.7")
        real = replace(FLOOD, name="DiskFull", fingerprint="real")
        assert triggers.record(transaction, real, "/hooks/alertmanager 10.0.0.8")
        assert triggers.unhandled(transaction)[1] == real


def test_a_hint_that_is_kept_is_brought_up_to_date_also_in_a_flood(store, monkeypatch):
    monkeypatch.setattr(triggers, "_MAX_OF_ONE", 1)
    with store.transaction() as transaction:
        assert triggers.record(transaction, CRASH)
        assert not triggers.record(transaction, replace(CRASH, acknowledged_by="ann"))
        assert triggers.active(transaction) == [replace(CRASH, acknowledged_by="ann")]
        assert blocked.counts(transaction) == {}


@pytest.mark.parametrize("alerts", [3_000, pytest.param(90_000, marks=pytest.mark.slow)])
async def test_a_crash_behind_a_flood_of_alerts_is_repaired_in_the_first_round(tmp_path, alerts):
    story = Story(tmp_path, {})
    service = story.service
    for start in range(0, alerts, 1000):
        numbers = range(start, start + 1000)
        await service.take_alerts([Alert(f"f{n}", "1", firing=True, labels={"alertname": "Noise"}) for n in numbers])
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    assert [run.state for run in await service.runs()] == ["succeeded"]
    assert (await service.statistics()).blocked["flood"] == alerts - 1000
    service.close()
