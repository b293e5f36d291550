"""However agents pause, die and are overtaken, no order of an older lease follows a newer one, and slots are kept."""

from functools import cache

from fleet_leases import Design, Fleet, in_effect, steps
from xl_migrate import explore


@cache
def states_of(design: Design) -> set[Fleet]:
    return explore(Fleet(), lambda s: steps(s, design))


def without_slot(states: set[Fleet]) -> list[Fleet]:
    return [s for s in states if not (in_effect(s) | s.owed) <= s.slots]


def test_every_order_of_events_keeps_the_leases_and_the_slots():
    for slots in (1, 2):
        states = states_of(Design(slots=slots))
        assert len(states) > 300
        assert not [s for s in states if s.is_overtaken]
        assert not without_slot(states)
        assert not [s for s in states if len(in_effect(s)) > slots]


def test_two_agents_may_believe_that_they_hold_the_lease_and_only_the_token_tells_them_apart():
    assert [s for s in states_of(Design(slots=2)) if len(in_effect(s)) > 1]


def test_the_model_finds_what_a_receiver_without_tokens_would_do():
    assert [s for s in states_of(Design(has_fence=False, slots=2)) if s.is_overtaken]


def test_the_model_finds_what_freeing_the_slot_of_a_failure_would_do():
    assert without_slot(states_of(Design(keeps_slot_of_failure=False)))


def test_the_model_finds_what_freeing_a_claim_before_it_is_in_the_store_would_do():
    assert without_slot(states_of(Design(spares_busy=False)))


def test_after_a_success_the_slot_is_free_again():
    assert [s for s in states_of(Design()) if s.given == 3 and not s.slots and not s.owed]
