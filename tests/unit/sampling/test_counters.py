"""A counter falls only when what it counts began anew."""

from xenwatch.sampling.counters import Counters


def read(counters: Counters, *readings: int, key: object = "vif") -> list[int]:
    values = []
    for reading in readings:
        values += counters.unwrapped(key, (reading,))
        counters.forget_unread()
    return values


def test_a_32_bit_counter_that_turned_over_goes_on_climbing() -> None:
    assert read(Counters(), 4_294_967_000, 704, 4_000_000_000, 100) == [
        4_294_967_000, 2**32 + 704, 2**32 + 4_000_000_000, 2 * 2**32 + 100,
    ]  # fmt: skip


def test_a_small_fall_is_a_counter_that_began_anew() -> None:
    assert read(Counters(), 1_000_000, 10, 20) == [1_000_000, 10, 20]


def test_a_64_bit_counter_that_falls_began_anew() -> None:
    assert read(Counters(), 2**40, 10) == [2**40, 10]


def test_another_life_of_the_domain_has_a_counter_of_its_own() -> None:
    counters = Counters()
    assert read(counters, 4_294_967_000, key=(3, 0)) == [4_294_967_000]
    assert read(counters, 704, key=(4, 0)) == [704]


def test_a_second_source_that_rounds_down_does_not_look_like_a_restart() -> None:
    counters = Counters()
    values = []
    for reading in (10.06, 10.0, 10.1, 3.0):
        values.append(counters.steady("cpu", reading, 0.2))
        counters.forget_unread()
    assert values == [10.06, 10.06, 10.1, 3.0]


def test_what_is_not_read_any_more_is_forgotten() -> None:
    counters = Counters()
    read(counters, 4_294_967_000)
    counters.forget_unread()
    assert read(counters, 704) == [704]
