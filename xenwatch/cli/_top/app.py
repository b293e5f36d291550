"""The screen of `xenwatch top`: a host line, the domains, the open incidents, and one incident in full."""

from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Static

from xenwatch.base.errors import XenwatchError
from xenwatch.cli._top.cells import DOMAIN_COLUMNS, INCIDENT_COLUMNS, domain_cells, host_line, incident_cells
from xenwatch.cli._top.frame import SORTS, TopFrame, TopRow, ordered, rows
from xenwatch.cli._top.sources import TopSource
from xenwatch.cli.report.api_incident import incident_text
from xenwatch.cli.report.incident_text import incident_lines


class IncidentScreen(ModalScreen[None]):
    """One incident in full."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "back")]

    def __init__(self, incident: dict[str, Any]) -> None:
        super().__init__()
        self._incident = incident

    def compose(self) -> ComposeResult:
        lines = incident_lines(incident_text(self._incident), max(40, self.app.size.width - 22))
        text = Text.from_ansi("\n".join(lines))
        with VerticalScroll(id="incident"):
            yield Static(text)


class TopApp(App[None]):
    """Reads from `source` every `every` seconds and whenever space is pressed."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "xenwatch top"
    CSS = """
    #host { height: auto; padding: 0 1; background: $panel; }
    #domains { height: 2fr; } #incidents { height: 1fr; border-top: solid $panel; }
    DataTable > .datatable--cursor { background: $primary-background; color: $text; }
    IncidentScreen { align: center middle; }
    #incident { width: 95%; height: 85%; border: thick $panel; background: $surface; padding: 1 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        *(Binding(key, f"sort('{key}')", name) for key, (name, _) in SORTS.items()),
        Binding("r", "reverse", "reverse"),
        Binding("p", "pause", "pause"),
        Binding("space", "look", "update now"),
        Binding("tab", "app.focus_next", "other table", show=False),
    ]

    def __init__(self, source: TopSource, every: float) -> None:
        super().__init__()
        self._source, self._every = source, every
        self._now: TopFrame | None = None
        self._before: TopFrame | None = None
        self._rows: list[TopRow] = []
        self._key, self._backwards, self._paused = "c", False, False

    def compose(self) -> ComposeResult:
        yield Static(Text("reading …"), id="host")
        yield DataTable[Text](id="domains", cursor_type="row", zebra_stripes=True)
        yield DataTable[Text](id="incidents", cursor_type="row")
        yield Footer()

    async def on_mount(self) -> None:
        self._table("domains").add_columns(*DOMAIN_COLUMNS)
        self._table("incidents").add_columns(*INCIDENT_COLUMNS)
        self._table("domains").focus()
        self.set_interval(self._every, self._tick)
        self.action_look()

    def action_sort(self, key: str) -> None:
        """Sort by that column; pressed again, reverse the order."""
        self._backwards = not self._backwards if key == self._key else False
        self._key = key
        self._show()

    def action_reverse(self) -> None:
        self._backwards = not self._backwards
        self._show()

    def action_pause(self) -> None:
        self._paused = not self._paused
        self._show()

    def action_look(self) -> None:
        """Read again; a read that is still in progress is waited for."""
        self.run_worker(self._look(), group="look", exclusive=True, exit_on_error=False)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter shows the incident, or the most severe one of the domain."""
        name = event.row_key.value
        incidents = self._now.incidents if self._now else ()
        if event.data_table.id == "domains":
            incident = next((row.worst for row in self._rows if row.name == name), None)
        else:
            incident = next((i for i in incidents if i["id"] == name), None)
        if incident is not None:
            self.push_screen(IncidentScreen(incident))

    def _tick(self) -> None:
        if not self._paused:
            self.action_look()

    async def _look(self) -> None:
        try:
            frame = await self._source.read()
        except XenwatchError as error:
            self.query_one("#host", Static).update(Text(f"{error}", style="bold red"))
            return
        if self._now is None or frame.taken("domain") != self._now.taken("domain"):
            self._before = self._now
        self._now = frame
        self._rows = rows(frame, self._before)
        self._show()

    def _show(self) -> None:
        if self._now is None:
            return
        order = f"{SORTS[self._key][0]}{' reversed' if self._backwards else ''}{', paused' if self._paused else ''}"
        self.query_one("#host", Static).update(host_line(self._now, self._rows, order))
        in_order = ordered(self._rows, self._key, backwards=self._backwards)
        self._fill("domains", [(row.name, domain_cells(row)) for row in in_order])
        self._fill("incidents", [(incident["id"], incident_cells(incident)) for incident in self._now.incidents])

    def _fill(self, name: str, lines: list[tuple[str, list[Text]]]) -> None:
        """The cursor stays on the row it was on, wherever that moves."""
        table = self._table(name)
        keys = list(table.rows)
        here = keys[table.cursor_row].value if keys and table.cursor_row < len(keys) else None
        table.clear()
        for key, cells in lines:
            table.add_row(*cells, key=key)
        if here is not None and any(key == here for key, _ in lines):
            table.move_cursor(row=table.get_row_index(here), animate=False)

    def _table(self, name: str) -> "DataTable[Text]":
        return self.query_one(f"#{name}", DataTable)
