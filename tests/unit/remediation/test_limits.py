"""I14 to I19: budgets, storms, pauses and the breaker hold over restarts, clock steps and crowds."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from story import Story

from xenwatch.base.clock import ManualClock
from xenwatch.model.action import Proposal, Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.guards import breaker, budget, cooldown, storm
from xenwatch.remediation.policy.inventory import Guest, selects
from xenwatch.remediation.policy.policy import CooldownLimits, Limit, StormLimit
from xenwatch.remediation.store import outbox, runs
from xenwatch.remediation.store.run_store import RunStore

LIMITS = {"global": Limit(3, 3600.0), "guest": Limit(2, 7200.0)}


def proposal(key: str, guest: str = "web") -> Proposal:
    target = Subject("domain", guest, guest)
    trigger = Trigger("incident", "x", target, key, "1")
    return Proposal(
        "domain_start", target, {}, "r", "auto", "L2", trigger, "xen1", key, "p", "h", (), False, 1e12
    )  # fmt: skip


class Budgets(RuleBasedStateMachine):
    """Tries to act as often as it can while clocks jump and the agent and the host restart."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock, self.boot = ManualClock(), 0
        self.store = self.open()
        self.tried, self.up = 0, 0.0
        self.acted: list[tuple[float, str]] = []

    def open(self) -> RunStore:
        return RunStore(Path(self.folder.name) / "store.db", self.clock, f"boot-{self.boot}")

    @rule(guest=st.sampled_from(["web", "db"]), end=st.sampled_from(["succeeded", "failed"]))
    def act(self, guest: str, end: str) -> None:
        self.tried += 1
        with self.store.transaction() as transaction:
            run = runs.add(transaction, proposal(str(self.tried), guest))
            if budget.reserve(transaction, run, proposal(str(self.tried), guest), LIMITS) is not None:
                return
            runs.move(transaction, run, "admitted", "xenwatch")
            transaction.db.execute("UPDATE run SET token=1 WHERE id=?", (run,))
            for state in ("leased", "prechecked", "executing", "verifying", end):
                runs.move(transaction, run, state, "xenwatch")
            self.acted.append((self.up, guest))

    @rule(seconds=st.sampled_from([60.0, 1800.0, 3000.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.up += seconds

    @rule(seconds=st.sampled_from([-864000.0, -86400.0, 86400.0, 864000.0]))
    def step_the_wall(self, seconds: float) -> None:
        self.clock.set_wall(self.clock.now() + seconds)

    @rule(boots=st.booleans())
    def restart(self, boots: bool) -> None:
        self.store.close()
        if boots:
            self.boot += 1
            self.clock._monotonic = 5.0
        self.store = self.open()

    @invariant()
    def no_window_holds_more_than_its_limit(self) -> None:
        for at, _ in self.acted:
            assert sum(at <= other < at + 3600.0 for other, _ in self.acted) <= 3
        for at, guest in self.acted:
            assert sum(at <= other < at + 7200.0 for other, who in self.acted if who == guest) <= 2

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


Budgets.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
test_i14_no_window_is_overdrawn_by_clock_steps_restarts_or_reboots = Budgets.TestCase


def test_i14_a_success_gives_nothing_back_and_an_abort_does(tmp_path):
    store = RunStore(tmp_path / "store.db", ManualClock(), "b")
    with store.transaction() as transaction:
        run = runs.add(transaction, proposal("a"))
        assert budget.reserve(transaction, run, proposal("a"), LIMITS) is None
        assert budget.remaining(transaction, LIMITS, "xen1")["global"] == 2
        runs.move(transaction, run, "admitted", "xenwatch")
        runs.move(transaction, run, "aborted", "xenwatch")
        assert budget.remaining(transaction, LIMITS, "xen1")["global"] == 3
    store.close()


def test_i15_fifty_at_once_get_no_more_than_the_budget(tmp_path):
    path = tmp_path / "store.db"
    RunStore(path, ManualClock(), "b").close()

    def one(nth: int) -> bool:
        store = RunStore(path, ManualClock(), "b")
        try:
            with store.transaction() as transaction:
                run = runs.add(transaction, proposal(str(nth), f"g{nth}"))
                if budget.reserve(transaction, run, proposal(str(nth), f"g{nth}"), LIMITS) is not None:
                    return False
                runs.move(transaction, run, "admitted", "xenwatch")
                return True
        finally:
            store.close()

    with ThreadPoolExecutor(16) as crowd:
        assert sum(crowd.map(one, range(50))) == 3


def test_i15_a_run_without_a_reserved_budget_cannot_be_admitted(tmp_path):
    store = RunStore(tmp_path / "store.db", ManualClock(), "b")
    with pytest.raises(Exception, match="no budget was reserved"), store.transaction() as transaction:
        runs.move(transaction, runs.add(transaction, proposal("a")), "admitted", "xenwatch")
    store.close()


def test_i16_a_storm_begins_over_the_share_and_ends_after_health_and_cooldown(tmp_path):
    clock = ManualClock()
    store = RunStore(tmp_path / "store.db", clock, "b")
    limit = StormLimit(0.3, 3, 300.0, 900.0)

    def look(failing: list[str], watched: int = 10) -> bool:
        with store.transaction() as transaction:
            return storm.record_failing(transaction, failing, watched, limit)

    assert not look(["a", "b", "c"])
    assert look(["d"])
    clock.advance(400)
    assert look([])
    clock.advance(800)
    assert look(["a"])
    clock.advance(301)
    assert look([])
    clock.advance(901)
    assert not look([])
    store.close()


async def test_i16_an_active_run_ends_although_a_storm_begins(tmp_path):
    story = Story(tmp_path, {})
    story.clock.later(20.0, lambda: None)
    await story.play([{"incident": "guest-down"}])
    await story.service.tick()
    await story.do_failing({"targets": list("abcde"), "watched": 10})
    await story.service.idle()
    assert [run.state for run in await story.service.runs()] == ["succeeded"]
    story.service.close()


def test_i17_pauses_grow_and_one_good_sample_does_not_start_them_over(tmp_path):
    clock = ManualClock()
    store = RunStore(tmp_path / "store.db", clock, "b")
    pace = CooldownLimits(600.0, 3600.0, 86400.0)

    def pause() -> float:
        waited = 0.0
        while True:
            with store.transaction() as transaction:
                if cooldown.refusal_reason(transaction, "web", pace) is None:
                    return waited
            clock.advance(60)
            waited += 60

    pauses = []
    for _ in range(4):
        with store.transaction() as transaction:
            cooldown.record_attempt(transaction, "web")
            cooldown.record_health(transaction, "web", True, pace)
        pauses.append(pause())
    assert pauses == [600.0, 1200.0, 2400.0, 4800.0]
    for _ in range(62):
        with store.transaction() as transaction:
            cooldown.record_health(transaction, "web", True, pace)
        clock.advance(60)
    with store.transaction() as transaction:
        cooldown.record_attempt(transaction, "web")
    assert pause() == 600.0
    store.close()


def test_i17_health_with_a_break_in_it_is_not_stability(tmp_path):
    clock = ManualClock()
    store = RunStore(tmp_path / "store.db", clock, "b")
    pace = CooldownLimits(600.0, 3600.0, 86400.0)
    with store.transaction() as transaction:
        cooldown.record_attempt(transaction, "web")
    for nth in range(100):
        with store.transaction() as transaction:
            cooldown.record_health(transaction, "web", nth % 30 != 29, pace)
        clock.advance(100)
    with store.transaction() as transaction:
        assert transaction.value("SELECT level FROM backoff WHERE target='web'") == 1
    store.close()


def test_i18_the_breaker_opens_once_and_only_a_person_closes_it(tmp_path):
    store = RunStore(tmp_path / "store.db", ManualClock(), "b")
    with store.transaction() as transaction:
        ends = ["failed", "unknown", "succeeded", "failed", "unknown", "failed", "failed", "succeeded"]
        assert [breaker.record_end(transaction, end, 3) for end in ends] == [False] * 5 + [True, False, False]
        assert breaker.open_reason(transaction) is not None
        breaker.close(transaction, "human:ann", "understood")
        assert breaker.open_reason(transaction) is None
    store.close()


async def test_i18_opening_the_breaker_is_reported_once(tmp_path):
    many = {"max_actions": 99}
    limits = {"limits.guest": {**many, "cooldown": "1s"}, "limits.host": many, "limits.global": many}
    world = {
        "hosts": {"faults": {"xl create": {"how": "fails"}}}, "settings": limits,
        "rule": {"ladder": [{"action": "domain_start", "max": 9, "every": "1s"}]},
    }  # fmt: skip
    story = Story(tmp_path, world)
    await story.play([{"incident": "guest-down"}, {"tick": 9}])
    told = [event.kind for event, _ in await story.service._store.write(lambda t: outbox.due(t, 999))]
    assert told.count("breaker_opened") == 1
    assert len(story.world.effects) == 3
    story.service.close()


@pytest.mark.parametrize("scope", [{}, {"selectors": []}, {"selector": "tag:nobody"}, {"selector": "name:"}])
async def test_i19_a_scope_that_selects_nobody_does_nothing(tmp_path, scope):
    story = Story(tmp_path, {"rule": {"scope": scope}})
    await story.play([{"incident": "guest-down"}, {"tick": 2}])
    assert story.world.effects == []
    assert await story.service.runs() == []
    assert [e.reason.partition(":")[0] for e in await story.service.entries()] == ["no_rule"]
    story.service.close()


def test_i19_only_what_is_written_is_selected():
    web = Guest("web1", "u1", tags=("auto",))
    assert selects(["tag:auto"], web.subject, web)
    assert selects(["name:web*"], web.subject, web)
    assert selects(["uuid:u1"], web.subject, web)
    assert not selects([], web.subject, web)
    assert not selects(["tag:aut"], web.subject, web)
    assert not selects(["host:*"], web.subject, web)
