"""Whatever comes over the sockets, the answer is an answer or a refusal in words, and nothing is done."""

import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from split_story import READER, SplitStory
from story import CATALOGUE

from xenwatch.base.errors import XenwatchError
from xenwatch.effects.ledger import Ledger
from xenwatch.effects.reader import ReaderService
from xenwatch.effects.record import record_of
from xenwatch.effects.service import EffectsService
from xenwatch.effects.stored_run import StoredRuns
from xenwatch.host.exec.runner import Completed
from xenwatch.host.paths import Paths
from xenwatch.host.privileged.server import LocalPeer
from xenwatch.host.xenstore.client import Xenstore

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.just("018bcfe56800-00000000"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
EFFECTS = st.fixed_dictionaries(
    {"do": st.sampled_from(["effect", "consent", "ping", "run", "switch", "close-breaker", "announce"]) | VALUES},
    optional=dict.fromkeys(
        ("run", "order", "action", "expects", "plan_hash", "who", "token", "off", "target", "lease", "host", "more"),
        VALUES,
    ),
)
QUESTIONS = st.fixed_dictionaries(
    {"do": st.sampled_from(["run", "xenstore"]) | VALUES},
    optional=dict.fromkeys(("argv", "host", "deadline", "kind", "paths", "more"), VALUES),
)
FIELDS = ("run", "state", "token", "action", "kind", "name", "uuid", "params", "rule", "policy_hash", "plan_hash")
RECORD = st.fixed_dictionaries({}, optional=dict.fromkeys((*FIELDS, "requester", "intents", "outcomes"), VALUES))
SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


class NoProgram:
    """A runner of which every use is a failure of the test."""

    async def run(self, argv, deadline, *, limit=0) -> Completed:
        raise AssertionError(argv)


async def told(answer, message: dict[str, Any]) -> None:
    with contextlib.suppress(XenwatchError):
        await answer(LocalPeer(1, 65534), message)


async def test_the_effects_helper_takes_any_message(tmp_path):
    story = SplitStory(tmp_path, {})
    ledger = Ledger(tmp_path / "ledger.jsonl", story.clock, "boot-1")
    stored = StoredRuns(tmp_path / "store.db", NoProgram(), READER)
    service = EffectsService(story.policy, tuple, stored, ledger, CATALOGUE, lambda _: story.world, story.clock)

    @SLOW
    @given(EFFECTS.filter(lambda message: message["do"] != "effect" or message.get("run") != "018bcfe56800-00000000"))
    def any_message(message: dict[str, Any]) -> None:
        _drive(told(service.answer, message))

    any_message()
    assert story.world.effects == []
    assert (tmp_path / "ledger.jsonl").read_text() == ""
    story.service.close()
    ledger.close()


async def test_the_reader_takes_any_message_and_runs_nothing_that_is_no_question(tmp_path):
    service = ReaderService(NoProgram(), Xenstore(Paths(tmp_path)), NoProgram)

    @SLOW
    @given(QUESTIONS.filter(lambda message: not isinstance(message.get("paths"), list)))
    def any_message(message: dict[str, Any]) -> None:
        _drive(told(service.answer, message))

    any_message()


@SLOW
@given(RECORD)
def test_a_record_of_any_form_is_a_record_or_a_refusal(message):
    with contextlib.suppress(XenwatchError):
        record_of(message)


def _drive(coroutine) -> None:
    """To its end without a loop: nothing here waits for anything."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
