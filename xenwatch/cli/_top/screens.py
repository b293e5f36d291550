"""What lies over the tables of `xenwatch top`: one incident, one guest, and the keys."""

from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from xenwatch.base.plurals import count_text
from xenwatch.cli._top.cells import DOMAIN_COLUMNS, domain_cells
from xenwatch.cli._top.frame import SORTS, TopFrame, TopRow
from xenwatch.cli._top.views import VIEWS
from xenwatch.cli.report.api_incident import incident_text
from xenwatch.cli.report.incident_text import incident_lines


class TextScreen(ModalScreen[None]):
    """Lines to scroll through; escape, q, ? or enter closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,question_mark", "dismiss", "back")]

    def __init__(self, text: Text) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="page"):
            yield Static(self._text)


class IncidentScreen(TextScreen):
    """One incident in full."""

    def __init__(self, incident: dict[str, Any], width: int) -> None:
        super().__init__(_incident(incident, width))


class GuestScreen(TextScreen):
    """One guest: its row, its vcpus, disks and interfaces, and its open incidents in full."""

    def __init__(self, row: TopRow, now: TopFrame, before: TopFrame | None, width: int) -> None:
        text = Text()
        for heading, cell in zip(DOMAIN_COLUMNS[:-1], domain_cells(row)[:-1], strict=True):
            text.append(f"{heading:<9} ", style="dim").append_text(cell).append("\n")
        for view in VIEWS.values():
            text.append_text(_table(view.title, view.columns[1:], _parts(view.rows(now, before), row.name)))
        text.append(f"\n{count_text(len(row.incidents), 'open incident')}\n", style="bold")
        for incident in row.incidents:
            text.append_text(_incident(incident, width)).append("\n\n")
        super().__init__(text)


class KeysScreen(TextScreen):
    """All keys and what they do."""

    def __init__(self) -> None:
        sorts = [(key, f"sort by {name}; again: the other way round") for key, (name, _) in SORTS.items()]
        views = [(key, f"show {view.title}; again, or escape: the domains") for key, view in VIEWS.items()]
        rest = [
            ("s", "sort by the next column"),
            ("r", "reverse the order"),
            ("enter", "open the guest or incident under the cursor"),
            ("tab", "go to the other table"),
            ("+ -", "update half as often, twice as often"),
            ("p", "pause"),
            ("space", "update now"),
            ("?", "this page"),
            ("q", "quit"),
        ]
        text = Text("Keys\n\n", style="bold")
        for key, meaning in (*sorts, *views, *rest):
            text.append(f"{key:>6}", style="bold").append(f"  {meaning}\n", style="not bold")
        super().__init__(text)


def _incident(incident: dict[str, Any], width: int) -> Text:
    return Text.from_ansi("\n".join(incident_lines(incident_text(incident), max(40, width))))


def _parts(rows: list[tuple[str, list[Text]]], domain: str) -> list[list[Text]]:
    return [cells[1:] for name, cells in rows if name == domain]


def _table(title: str, columns: tuple[str, ...], lines: list[list[Text]]) -> Text:
    """A table as text: the columns as wide as they need."""
    text = Text(f"\n{title}\n", style="bold")
    if not lines:
        return text.append("  none known\n", style="not bold dim")
    widths = [max(len(column), *(len(line[i]) for line in lines)) for i, column in enumerate(columns)]
    for line in ([Text(column, style="dim") for column in columns], *lines):
        for cell, width in zip(line, widths, strict=True):
            text.append("  ").append(cell.plain.ljust(width), style=f"not bold {cell.style}")
        text.append("\n")
    return text
