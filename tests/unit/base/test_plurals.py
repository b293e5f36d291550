import pytest

from xenwatch.base.plurals import count_text


@pytest.mark.parametrize(("number", "text"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (1204, "1,204 lines")])
def test_the_noun_has_the_form_that_fits_the_number(number: int, text: str):
    assert count_text(number, "line") == text


def test_a_plural_of_its_own_may_be_given():
    assert count_text(1, "entry", "entries") == "1 entry"
    assert count_text(3, "entry", "entries") == "3 entries"
