"""What was made of a library is kept for the next bundle that is read with it."""

from xenwatch.base.last_made import LastMade


def test_the_same_tuple_gives_the_same_thing_and_an_equal_one_another():
    kept = LastMade(list)
    library, equal = tuple(iter("ab")), tuple(iter("ab"))
    first = kept.of(library)
    assert kept.of(library) is first
    assert kept.of(equal) == first
    assert kept.of(library) is not first, "another one was made in between"


def test_a_list_is_looked_at_each_time_for_it_may_have_changed():
    kept, rules = LastMade(tuple), ["a"]
    assert kept.of(rules) == ("a",)
    rules.append("b")
    assert kept.of(rules) == ("a", "b")
