"""Approvals and deliveries in any order, with clocks that jump: at most one start, never without an approval."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from story import Story

WORLD = {"rule": {"mode": "propose", "when": {"alert": "GuestDown"}}, "settings": {"limits.guest": {"cooldown": "1s"}}}


class Approvals(RuleBasedStateMachine):
    """What senders, persons, clocks and crashes may do to one guest that is down."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.story = Story(Path(self.folder.name), WORLD)
        self.approved: set[str] = set()

    def do(self, *script: dict[str, object]) -> None:
        self.loop.run_until_complete(self.story.play(list(script)))

    @rule(times=st.integers(1, 3))
    def deliver(self, times: int) -> None:
        self.do({"alert": {"times": times}})

    @rule()
    def resolve(self) -> None:
        self.do({"alert": {"firing": False}})

    @rule(actor=st.sampled_from(["human:ann", "agent:cron"]))
    def approve(self, actor: str) -> None:
        before = {run.id for run in self.runs() if run.state == "awaiting_approval"}
        refused = len(self.story.refusals)
        self.do({"approve": actor})
        if len(self.story.refusals) == refused:
            assert actor == "human:ann"
            self.approved |= before

    @rule()
    def tick(self) -> None:
        self.do({"tick": 1})

    @rule(seconds=st.sampled_from([60, 600, 1000]))
    def wait(self, seconds: int) -> None:
        self.do({"advance": seconds})

    @rule(seconds=st.sampled_from([-86400.0, 86400.0]))
    def step_the_wall(self, seconds: float) -> None:
        self.do({"step_wall": seconds})

    @rule(boot=st.sampled_from(["boot-1", "boot-2"]))
    def restart(self, boot: str) -> None:
        self.do({"restart": boot})

    def runs(self):
        return self.loop.run_until_complete(self.story.service.runs())

    @invariant()
    def it_was_started_at_most_once_and_only_with_a_consent(self) -> None:
        starts = self.story.world.effects.count("xl create /etc/xen/web.cfg")
        assert starts <= 1
        assert starts <= len(self.approved)
        assert self.story.world.running("web") == starts

    @invariant()
    def at_most_one_run_is_pending(self) -> None:
        assert sum(not run.is_ended for run in self.runs()) <= 1

    def teardown(self) -> None:
        self.story.service.close()
        self.loop.close()
        self.folder.cleanup()


Approvals.TestCase.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
test_i11_i20_no_order_of_deliveries_and_approvals_starts_a_guest_twice = Approvals.TestCase
