"""A long report on a terminal goes through the pager, and nothing else does."""

import io
import sys

import click
import pytest

from xenwatch.cli._output import show

LONG = "\n".join(f"line {number}" for number in range(100))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def paged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that went to the pager; the terminal has 24 rows."""
    texts: list[str] = []
    monkeypatch.setattr(click, "echo_via_pager", texts.append)
    monkeypatch.setenv("LINES", "24")
    return texts


def test_a_long_report_on_a_terminal_is_paged(paged: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    show(LONG, pager=True)
    assert paged == [LONG]


@pytest.mark.parametrize(("text", "pager"), [("one line", True), (LONG, False)])
def test_a_short_report_is_not_paged_and_none_is_where_that_is_not_wanted(
    paged: list[str], monkeypatch: pytest.MonkeyPatch, text: str, pager: bool
):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    show(text, pager=pager)
    assert paged == []
    assert terminal.getvalue() == text + "\n"


def test_nothing_is_paged_where_the_output_is_no_terminal(paged: list[str], capsys: pytest.CaptureFixture[str]):
    show(LONG, pager=True)
    assert paged == []
    assert capsys.readouterr().out == LONG + "\n"
