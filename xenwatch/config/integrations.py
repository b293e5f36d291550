"""Settings of what xenwatch works together with: assistants over MCP, Alertmanager, OpenTelemetry."""

from dataclasses import dataclass
from pathlib import Path

from xenwatch.config.settings import DURATION, PATH, TEXT, TEXTS, optional, setting


@dataclass(frozen=True, slots=True)
class McpSettings:
    """What `xenwatch mcp` lets an assistant read (docs/integrations.md)."""

    bundles: tuple[str, ...] = setting(
        TEXTS, (), "Folders below which an assistant may have bundles and logs diagnosed. Empty: none."
    )
    token_file: Path | None = setting(  # noqa: RUF009 - it is dataclasses.field
        optional(PATH),
        None,
        "File with the token that clients must send over HTTP, as Authorization: Bearer. Empty: none, "
        "and `xenwatch mcp` listens on the loopback only.",
    )


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings:
    """Silences while an incident is acknowledged (docs/integrations.md). Read at the start."""

    url: str = setting(
        TEXT, "", "Address of Alertmanager, such as http://alertmanager:9093. Empty: no silences are made."
    )
    labels: tuple[str, ...] = setting(
        TEXTS, (), "Labels by which its alerts are those of this host, such as instance=xen1:10197."
    )
    silence_for: float = setting(
        DURATION,
        4 * 3600.0,
        "How long a silence lasts if the acknowledgement names no end. It is renewed while the incident lasts.",
    )
    token_file: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "File with a token for Alertmanager, sent as Authorization: Bearer."
    )
    tls_ca: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "PEM file of the authority that signed its certificate. Empty: those of the system."
    )


@dataclass(frozen=True, slots=True)
class OtlpSettings:
    """Incidents and metrics pushed to a collector of OpenTelemetry (docs/integrations.md). Read at the start."""

    endpoint: str = setting(
        TEXT,
        "",
        "Address of the collector (OTLP over HTTP), such as http://collector:4318. Empty: nothing is pushed.",
    )
    metrics_every: float = setting(DURATION, 60.0, "Push the metrics this often. 0s: never; incidents alone.")
    token_file: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "File with a token for the collector, sent as Authorization: Bearer."
    )
    tls_ca: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "PEM file of the authority that signed its certificate. Empty: those of the system."
    )
