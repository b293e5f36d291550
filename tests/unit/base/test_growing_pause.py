"""Who does not answer is left alone for longer each time, and at once again after an answer."""

from xenwatch.base.clock import ManualClock
from xenwatch.base.growing_pause import GrowingPause


def lasted(pause: GrowingPause, clock: ManualClock) -> int:
    """Seconds until the pause is over."""
    seconds = 0
    while pause.lasts:
        clock.advance(1)
        seconds += 1
    return seconds


def test_each_failure_doubles_the_pause_up_to_the_longest():
    clock = ManualClock()
    pause = GrowingPause(clock, first=5, longest=12)
    assert not pause.lasts
    pauses = []
    for _ in range(4):
        pause.failed()
        pauses.append(lasted(pause, clock))
    assert pauses == [5, 10, 12, 12]


def test_after_a_success_the_next_pause_is_a_first_one():
    clock = ManualClock()
    pause = GrowingPause(clock, first=5, longest=60)
    pause.failed()
    lasted(pause, clock)
    pause.succeeded()
    pause.failed()
    assert lasted(pause, clock) == 5
