"""How times, places and log text are put into words; log text is hostile, so nothing of it reaches a terminal raw."""

from datetime import UTC, datetime, timedelta, timezone

from xenwatch.model.record import LogRecord

LONGEST_LINE = 400


def clock_text(at: float, utc_offset: float) -> str:
    """`2011-05-18 20:55:04`, in the zone the logs were written in."""
    return _moment(at, utc_offset).strftime("%Y-%m-%d %H:%M:%S")


def iso_text(at: float, utc_offset: float) -> str:
    """`2011-05-18T20:55:04+00:00`, for programs."""
    return _moment(at, utc_offset).isoformat(timespec="milliseconds" if at % 1 else "seconds")


def _moment(at: float, utc_offset: float) -> datetime:
    zone = timezone(timedelta(seconds=utc_offset)) if utc_offset else UTC
    return datetime.fromtimestamp(at, zone)


def place(record: LogRecord) -> str:
    """`xend.log:45`, or the path alone where the line is not known."""
    return f"{record.source.path}:{record.position.line}" if record.position.line else record.source.path


def printable(text: str) -> str:
    """`text` without control characters: an escape sequence in a guest's console must not drive a person's terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def shortened(text: str, lines: int) -> list[str]:
    """The first lines of a record, long ones cut; says how much was left out."""
    whole = printable(text).expandtabs().splitlines() or [""]
    shown = [line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in whole[:lines]]
    if len(whole) > lines:
        # the last line of a traceback is the one that says what went wrong
        shown[-1:] = [f"… {len(whole) - lines} lines …", whole[-1][:LONGEST_LINE]] if lines > 1 else shown[-1:]
    return shown


def count_text(number: int, one: str, many: str | None = None) -> str:
    """`1 line`, `1,204 lines`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
