"""[notify.NAME]: a destination of notifications in the configuration, and the route that it becomes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from xenwatch.base.errors import InvalidValue
from xenwatch.config.settings import BOOL, DURATION, PATH, TEXT, TEXTS, one_of, optional, setting
from xenwatch.model.diagnosis import SEVERITIES, Severity
from xenwatch.notify.route import Route, Sender, parse_quiet


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Tells people of incidents without Alertmanager. Write a table for each destination, such as [notify.mail]."""

    url: str = setting(
        TEXT,
        "",
        "Send through this Apprise URL: mailtos://, ntfys://, matrixs://, slack://, mmosts:// and many more. It often "
        "holds a secret: url_file is better then.",
    )
    url_file: Path | None = setting(  # noqa: RUF009 - it is dataclasses.field
        optional(PATH), None, "Read Apprise URLs from this file, one a line. Others must not be able to read it."
    )
    webhook: str = setting(TEXT, "", "Post the incidents as JSON to this http or https URL.")
    token_file: Path | None = setting(  # noqa: RUF009 - it is dataclasses.field
        optional(PATH), None, "File with a token for the webhook, sent as Authorization: Bearer."
    )
    program: tuple[str, ...] = setting(
        TEXTS,
        (),
        "Run this program with these arguments. XENWATCH_NOTIFY_TITLE, _BODY, _SEVERITY, _REASON, _HOST and _INCIDENTS "
        "are in its environment.",
    )
    severity: Severity = setting(  # noqa: RUF009 - as above
        one_of(*SEVERITIES), "error", "Tell of incidents from this severity on."
    )
    classes: tuple[str, ...] = setting(TEXTS, (), "Only of these classes, such as storage-*. Empty: of all.")
    subjects: tuple[str, ...] = setting(
        TEXTS, (), "Only of these subjects, such as domain/web* or host/*. Empty: of all."
    )
    group_for: float = setting(
        DURATION,
        30.0,
        "Wait for this long after the first incident, and send all that opened meanwhile as one message.",
    )
    repeat_every: float = setting(
        DURATION, 4 * 3600.0, "Tell again of what is still open and acknowledged by nobody. 0s: never."
    )
    resolved: bool = setting(BOOL, True, "Also tell when an incident is over.")
    quiet: str = setting(
        TEXT, "", "Hold messages back between these times of the day, local time, such as 22:00-07:00. Empty: never."
    )
    quiet_unless: Severity = setting(  # noqa: RUF009 - as above
        one_of(*SEVERITIES), "critical", "Send incidents from this severity on in the quiet hours too."
    )


def route_of(name: str, settings: NotifySettings) -> Route:
    """The route of one table."""
    return Route(
        name=name,
        senders=tuple(_senders(settings)),
        severity=settings.severity,
        classes=settings.classes,
        subjects=settings.subjects,
        group_for=settings.group_for,
        repeat_every=settings.repeat_every,
        resolved=settings.resolved,
        quiet=parse_quiet(settings.quiet, settings.quiet_unless),
    )


def routes_of(tables: Mapping[str, NotifySettings]) -> tuple[Route, ...]:
    """All routes of a configuration."""
    return tuple(route_of(name, settings) for name, settings in tables.items())


def contradictions_of(name: str, settings: NotifySettings) -> Iterator[tuple[str, str]]:
    """`section.key`, and what is wrong with it."""
    if not any((settings.url, settings.url_file, settings.webhook, settings.program)):
        yield f"notify.{name}", "names no receiver: write url, url_file, webhook or program"
    if settings.webhook and not settings.webhook.startswith(("http://", "https://")):
        yield f"notify.{name}.webhook", "must begin with http:// or https://"
    if settings.token_file is not None and not settings.webhook:
        yield f"notify.{name}.token_file", "is for webhook, which is not given"
    try:
        parse_quiet(settings.quiet, settings.quiet_unless)
    except InvalidValue as error:
        yield f"notify.{name}.quiet", str(error)


def _senders(settings: NotifySettings) -> Iterator[Sender]:
    # An HTTP client is slow to load, and commands that only read the configuration send nothing.
    from xenwatch.notify.senders import AppriseSender, ProgramSender, WebhookSender, read_secret  # noqa: PLC0415

    if settings.url:
        yield AppriseSender(lambda: settings.url)
    if settings.url_file is not None:
        yield AppriseSender(partial(read_secret, settings.url_file))
    if settings.webhook:
        token = None if settings.token_file is None else partial(read_secret, settings.token_file)
        yield WebhookSender(settings.webhook, token)
    if settings.program:
        yield ProgramSender(settings.program)
