"""The screen of `xenwatch top`: a host line, the domains or their parts, and the open incidents."""

from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import DataTable, Footer, Static

from xenwatch.base.errors import XenwatchError
from xenwatch.cli._top.cells import columns, domain_cells, host_line, incident_cells, incident_columns
from xenwatch.cli._top.frame import SORTS, TopFrame, TopRow, ordered, rows
from xenwatch.cli._top.screens import GuestScreen, IncidentScreen, KeysScreen
from xenwatch.cli._top.sources import TopSource
from xenwatch.cli._top.views import VIEWS

FASTEST, SLOWEST = 0.5, 120.0
"""Seconds between two updates."""


class TopApp(App[None]):
    """Reads from `source` every `every` seconds and whenever space is pressed."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "xenwatch top"
    CSS = """
    #host { height: auto; padding: 0 1; background: $panel; }
    #domains { height: 2fr; } #incidents { height: 1fr; border-top: solid $panel; }
    DataTable > .datatable--cursor { background: $primary-background; color: $text; }
    TextScreen { align: center middle; }
    .page { width: 95%; height: 90%; border: thick $panel; background: $surface; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("question_mark", "keys", "keys", key_display="?"),
        Binding("s", "next_sort", "sort"),
        *(Binding(key, f"sort('{key}')", name, show=False) for key, (name, _) in SORTS.items()),
        *(Binding(key, f"view('{key}')", view.title) for key, view in VIEWS.items()),
        Binding("escape", "view('')", "domains", show=False),
        *(Binding(key.lower(), f"view('{key}')", view.title, show=False) for key, view in VIEWS.items() if key != "N"),
        Binding("S", "next_sort", "sort", show=False),
        Binding("Q", "quit", "quit", show=False),
        Binding("r", "reverse", "reverse"),
        Binding("p", "pause", "pause"),
        Binding("plus", "pace(0.5)", "faster", show=False),
        Binding("minus", "pace(2)", "slower", show=False),
        Binding("space", "look", "update", show=False),
        Binding("tab", "app.focus_next", "other table", show=False),
    ]

    def __init__(self, source: TopSource, every: float) -> None:
        super().__init__()
        self._source, self._every = source, every
        self._now: TopFrame | None = None
        self._before: TopFrame | None = None
        self._rows: list[TopRow] = []
        self._key, self._backwards, self._paused = "c", False, False
        self._view, self._error = "", ""
        self._headings: dict[str, tuple[str, ...]] = {}
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static(Text("reading …"), id="host")
        yield DataTable[Text](id="domains", cursor_type="row", zebra_stripes=True)
        yield DataTable[Text](id="incidents", cursor_type="row")
        yield Footer()

    async def on_mount(self) -> None:
        self._table("domains").focus()
        self._timer = self.set_interval(self._every, self._tick)
        self.action_look()

    def on_resize(self) -> None:
        """A narrower terminal shows fewer columns."""
        self.call_after_refresh(self._show)

    def action_sort(self, key: str) -> None:
        """Sort by that column; pressed again, reverse the order."""
        self._backwards = not self._backwards if key == self._key else False
        self._key = key
        self._show()

    def action_next_sort(self) -> None:
        keys = list(SORTS)
        self._key, self._backwards = keys[(keys.index(self._key) + 1) % len(keys)], False
        self._show()

    def action_view(self, key: str) -> None:
        """Show vcpus, disks or interfaces instead of the domains; the same key again goes back."""
        self._view = "" if key == self._view else key
        self._show()

    def action_reverse(self) -> None:
        self._backwards = not self._backwards
        self._show()

    def action_pause(self) -> None:
        self._paused = not self._paused
        self._show()

    def action_pace(self, factor: float) -> None:
        """Update more or less often."""
        self._every = min(SLOWEST, max(FASTEST, self._every * factor))
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(self._every, self._tick)
        self._show()

    def action_keys(self) -> None:
        self.push_screen(KeysScreen())

    def action_look(self) -> None:
        """Read again; a read that is still in progress is waited for."""
        self.run_worker(self._look(), group="look", exclusive=True, exit_on_error=False)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter opens the guest or the incident."""
        if self._now is None or event.row_key.value is None:
            return
        name = event.row_key.value.rpartition("\0")[2]
        if event.data_table.id == "domains":
            row = next((row for row in self._rows if row.name == name), None)
            if row is not None:
                self.push_screen(GuestScreen(row, self._now, self._before, self._page_width))
            return
        incident = next((i for i in self._now.incidents if i["id"] == name), None)
        if incident is not None:
            self.push_screen(IncidentScreen(incident, self._page_width))

    @property
    def _page_width(self) -> int:
        return self.size.width * 95 // 100 - 6

    def _tick(self) -> None:
        if not self._paused:
            self.action_look()

    async def _look(self) -> None:
        try:
            frame = await self._source.read()
        except XenwatchError as error:
            self._error = str(error)
            self._show()
            return
        self._error = ""
        if self._now is None or frame.taken("domain") != self._now.taken("domain"):
            self._before = self._now
        self._now = frame
        self._rows = rows(frame, self._before)
        self._show()

    def _show(self) -> None:
        if self._error:
            self.query_one("#host", Static).update(Text(self._error, style="bold red"))
        if self._now is None:
            return
        order = f"{SORTS[self._key][0]}{' reversed' if self._backwards else ''}{', paused' if self._paused else ''}"
        if not self._error:
            line = host_line(self._now, self._rows, f"{order}, every {self._every:g} s")
            self.query_one("#host", Static).update(line)
        width = self.size.width
        if self._view:
            view = VIEWS[self._view]
            lines = [(f"{i}\0{name}", cells) for i, (name, cells) in enumerate(view.rows(self._now, self._before))]
            self._fill("domains", view.columns, lines)
        else:
            in_order = ordered(self._rows, self._key, backwards=self._backwards)
            self._fill("domains", columns(width), [(row.name, domain_cells(row, width)) for row in in_order])
        incidents = [(incident["id"], incident_cells(incident, width)) for incident in self._now.incidents]
        self._fill("incidents", incident_columns(width), incidents)

    def _fill(self, name: str, headings: tuple[str, ...], lines: list[tuple[str, list[Text]]]) -> None:
        """The cursor stays on the row it was on, wherever that moves."""
        table = self._table(name)
        keys = list(table.rows)
        here = keys[table.cursor_row].value if keys and table.cursor_row < len(keys) else None
        table.clear(columns=headings != self._headings.get(name))
        if headings != self._headings.get(name):
            table.add_columns(*headings)
            self._headings[name] = headings
        for key, cells in lines:
            table.add_row(*cells, key=key)
        if here is not None and any(key == here for key, _ in lines):
            table.move_cursor(row=table.get_row_index(here), animate=False)

    def _table(self, name: str) -> "DataTable[Text]":
        return self.query_one(f"#{name}", DataTable)
