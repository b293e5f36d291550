"""Every setting of the agent, declared once: the file, the environment and the manual are made from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xenwatch.config.integrations import AlertmanagerSettings, McpSettings, OtlpSettings
from xenwatch.config.notify import NotifySettings
from xenwatch.config.settings import (
    BOOL,
    COUNT,
    DURATION,
    LISTEN,
    PATH,
    SIZE,
    TEXT,
    TEXTS,
    one_of,
    optional,
    setting,
)
from xenwatch.config.xapi import XapiSettings
from xenwatch.host.libvirt.uri import LOCAL

DEFAULT_FILE = Path("/etc/xenwatch/xenwatch.toml")


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The agent itself."""

    state_dir: Path = setting(  # noqa: RUF009 - it is dataclasses.field
        PATH, Path("/var/lib/xenwatch"), "Folder of the state database: log positions, incidents and their history."
    )
    commit_every: float = setting(
        DURATION, 1.0, "Write state at most this often while logs grow. After a quiet time, state is written at once."
    )
    keep_incidents: float = setting(DURATION, 90 * 86400.0, "Delete resolved incidents after this time.")
    stall_after: float = setting(
        DURATION, 120.0,
        "Count the agent as stalled if log following or sampling makes no progress for this long: /healthz fails, and "
        "the watchdog of systemd restarts the agent.",
    )  # fmt: skip
    log_level: str = setting(
        one_of("debug", "info", "warning", "error"), "info", "Write messages of this level and above to standard error."
    )
    log_format: str = setting(
        one_of("text", "json"), "text", "Write messages for people (text), or as one JSON object a line (json)."
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Which logs are followed."""

    paths: tuple[str, ...] = setting(
        TEXTS,
        (
            "/var/log/xen/*.log", "/var/log/xen/console/*.log", "/var/log/libvirt/libxl/*.log",
            "/var/log/syslog", "/var/log/messages", "/var/log/daemon.log", "/var/log/kern.log",
            "/var/log/xensource.log", "/var/log/SMlog", "/var/log/xha.log", "/var/log/xenstored-access.log",
            "/var/log/xcp-rrdd-plugins.log", "/var/log/qubes/*.log",
            "/root/.virt-manager/virt-manager.log", "/root/.cache/virt-manager/virt-manager.log",
        ),
        "Follow these files. * and ? in the last part of a path stand for any name. Files that do not exist yet are "
        "followed as soon as they appear.",
    )  # fmt: skip
    reconcile_every: float = setting(
        DURATION, 1.0, "Look at all files this often even without a notification, for NFS and for missed events."
    )
    from_start: bool = setting(
        BOOL, True, "At the very first start, read logs from their beginning (true) or only new lines (false)."
    )
    history: int = setting(
        SIZE, 64 * 1024 * 1024, "Read at most this much from the end of each log when it is seen for the first time."
    )
    overwritten: tuple[str, ...] = setting(
        TEXTS,
        ("xend-debug.log", "virt-manager.log"),
        "Names of logs that their writers overwrite. A limited amount of their previous content is kept in the state "
        "folder.",
    )
    hypervisor_every: float = setting(
        DURATION, 15.0,
        "Read the hypervisor's console ring (xl dmesg) this often if no log of it is followed. 0s: never.",
    )  # fmt: skip
    journal: bool = setting(
        BOOL, True, "Read the systemd journal (kernel and services) if no syslog file is written. false: never."
    )


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """What is measured. Each collector has its own interval and deadline."""

    libvirt_uri: str = setting(
        TEXT,
        LOCAL,
        "URI of the hypervisor for libvirt: xen:///system, xen+ssh://root@host/system, test:///…",
    )
    ssh: str = setting(
        TEXT,
        "",
        "Sample another host through ssh, such as root@old1 (xm or xl, LVM; mount its logs here). Empty: this host.",
    )
    simulated: Path | None = setting(  # noqa: RUF009 - it is dataclasses.field
        optional(PATH),
        None,
        "Sample the simulated host in this folder instead of this machine. `xenwatch agent --demo` makes one "
        "and writes this setting.",
    )
    enabled: tuple[str, ...] = setting(
        TEXTS, (), "Run these collectors, which are off by default. `xenwatch check` lists those that run."
    )
    disabled: tuple[str, ...] = setting(TEXTS, (), "Do not run these collectors.")
    facts_every: float = setting(
        DURATION, 60.0, "Read facts about the host (bridges, volumes, domains) for the rules this often."
    )


@dataclass(frozen=True, slots=True)
class DiagnosisSettings:
    """The rules that recognise failures."""

    rules: tuple[str, ...] = setting(
        TEXTS, (), "Load further rule files from these folders. A rule with the id of a shipped one replaces it."
    )
    cache_dir: Path = setting(  # noqa: RUF009 - as above
        PATH, Path("/var/cache/xenwatch"), "Folder of the compiled rules."
    )


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What is served over HTTP."""

    listen: tuple[str, int] = setting(
        LISTEN,
        ("127.0.0.1", 10197),
        "Address and port of /metrics, /healthz, the API and, unless [hooks] listen is set, the incoming webhooks.",
    )
    socket: str = setting(
        TEXT,
        "/run/xenwatch/api-{port}.sock",
        "Unix socket on which the agent also serves, for the commands of this machine; {port} stands for the port of "
        "listen. Only root and socket_group reach it, and they need no token. Empty: none.",
    )
    socket_group: str = setting(
        TEXT, "", "Members of this group may use the socket: read, and acknowledge incidents. Empty: root alone."
    )
    log_in: str = setting(
        one_of("none", "token"),
        "none",
        "Who may read. token: people listed in access.toml, with any role; only /healthz and /readyz need no token. "
        "none: everybody who reaches the port. To approve a run, a person always needs a token.",
    )
    external_url: str = setting(
        TEXT,
        "",
        "Where people reach the pages, such as https://xen1.example:10197: links in alerts begin with it, and a "
        "proxy may pass requests for that host on. Empty: address and port of listen.",
    )
    tls_certificate: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "PEM file of the certificate and its intermediate certificates. Empty: no TLS."
    )
    tls_key: Path | None = setting(optional(PATH), None, "PEM file of the key of the certificate, without a password.")  # noqa: RUF009 - as above
    tls_client_ca: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "PEM file of the authority that signed the certificates of the clients."
    )
    tls_client_auth: str = setting(
        one_of("none", "require"),
        "none",
        "Whether clients need a certificate from tls_client_ca (require) or not (none). All TLS files are read again "
        "when they change.",
    )
    web_config: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH),
        None,
        "File with TLS and users as exporters of Prometheus take it (web.config.file of exporter-toolkit), instead of "
        "the tls_ keys. Its users may read with their passwords; they are read again when the file changes.",
    )
    most_connections: int = setting(
        COUNT, 256, "Keep at most this many connections open. One more closes the connection that has waited longest."
    )
    head_deadline: float = setting(
        DURATION,
        10.0,
        "Close a connection that has not sent its first request after this time. The TLS handshake has as long.",
    )
    idle_deadline: float = setting(DURATION, 75.0, "Close an unused connection after this time.")
    request_deadline: float = setting(
        DURATION, 60.0, "Give up a request that is not answered, or an answer that is not read, within this time."
    )
    largest_request: int = setting(SIZE, 64 * 1024, "Refuse a request body larger than this.")


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Incoming webhooks: alerts from Alertmanager and Grafana. access.toml lists the senders (docs/remediation.md)."""

    listen: tuple[str, int] | None = setting(
        optional(LISTEN), None, "Separate address and port for webhooks, with their own TLS. Empty: those of [web]."
    )
    tls_certificate: Path | None = setting(optional(PATH), None, "As in [web], for this address.")  # noqa: RUF009 - as above
    tls_key: Path | None = setting(optional(PATH), None, "As in [web], for this address.")  # noqa: RUF009 - as above
    tls_client_ca: Path | None = setting(optional(PATH), None, "As in [web], for this address.")  # noqa: RUF009 - as above
    tls_client_auth: str = setting(
        one_of("none", "require"),
        "none",
        "As in [web], for this address. If access.toml lists the name in a sender's certificate, the sender needs no "
        "other proof.",
    )
    deliveries_per_minute: int = setting(
        COUNT,
        120,
        "Accept at most this many deliveries a minute from one address; refuse more with 503 and Retry-After.",
    )


@dataclass(frozen=True, slots=True)
class RemediationSettings:
    """What xenwatch may repair. Without a policy file it repairs nothing; see docs/remediation.md."""

    policy: Path = setting(  # noqa: RUF009 - as above
        PATH,
        Path("/etc/xenwatch/policy.toml"),
        "Policy file. If it does not exist at the start, remediation is off. A change takes effect at the next reload.",
    )
    access: Path = setting(  # noqa: RUF009 - as above
        PATH,
        Path("/etc/xenwatch/access.toml"),
        "File with the secrets of those who may send alerts, approve runs and get notifications; read at the start.",
    )
    effects: str = setting(
        one_of("auto", "helper", "in-process"),
        "auto",
        "Who carries out repairs. helper: a process of its own behind effects_socket, which checks each run by itself. "
        "in-process: the agent, for development. auto: the helper where its socket exists or the agent is not root.",
    )
    effects_socket: Path = setting(  # noqa: RUF009 - as above
        PATH, Path("/run/xenwatch-effects/effects.sock"), "Unix socket of the effects helper."
    )


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """Many hosts on one etcd: what they have in common becomes one incident (docs/fleet.md). Read at the start."""

    etcd: tuple[str, ...] = setting(
        TEXTS, (), "Addresses of etcd's members, such as https://10.0.0.1:2379. Empty: this host belongs to no fleet."
    )
    host: str = setting(TEXT, "", "Name of this host in the fleet. Empty: its own name.")
    metrics_address: str = setting(
        TEXT, "", "Address and port at which Prometheus reaches this agent, for the targets that a hub lists."
    )
    switch: str = setting(
        TEXT, "", "The switch or rack that this host's uplinks go to; hosts with the same one are looked at together."
    )
    user: str = setting(TEXT, "", "User of etcd. Empty: none.")
    password_file: Path | None = setting(optional(PATH), None, "File with the password of that user.")  # noqa: RUF009 - as above
    tls_ca: Path | None = setting(optional(PATH), None, "PEM file of the authority that signed etcd's certificates.")  # noqa: RUF009 - as above
    tls_certificate: Path | None = setting(optional(PATH), None, "PEM file of this host's certificate for etcd.")  # noqa: RUF009 - as above
    tls_key: Path | None = setting(optional(PATH), None, "PEM file of the key of that certificate.")  # noqa: RUF009 - as above


@dataclass(frozen=True, slots=True)
class Config:
    """All sections; the names of the fields are the names of the sections in the file."""

    agent: AgentSettings = field(default_factory=AgentSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    diagnosis: DiagnosisSettings = field(default_factory=DiagnosisSettings)
    web: WebSettings = field(default_factory=WebSettings)
    hooks: HookSettings = field(default_factory=HookSettings)
    remediation: RemediationSettings = field(default_factory=RemediationSettings)
    fleet: FleetSettings = field(default_factory=FleetSettings)
    alertmanager: AlertmanagerSettings = field(default_factory=AlertmanagerSettings)
    otlp: OtlpSettings = field(default_factory=OtlpSettings)
    mcp: McpSettings = field(default_factory=McpSettings)
    notify: Mapping[str, NotifySettings] = field(default_factory=dict)
    """By the name of the table."""
    xapi: Mapping[str, XapiSettings] = field(default_factory=dict)


SECTIONS: dict[str, type] = {
    "agent": AgentSettings,
    "logs": LogSettings,
    "sampling": SamplingSettings,
    "diagnosis": DiagnosisSettings,
    "web": WebSettings,
    "hooks": HookSettings,
    "remediation": RemediationSettings,
    "fleet": FleetSettings,
    "alertmanager": AlertmanagerSettings,
    "otlp": OtlpSettings,
    "mcp": McpSettings,
}
TABLES: dict[str, type] = {"notify": NotifySettings, "xapi": XapiSettings}
"""Sections of which there may be several, each with a name: [notify.mail], [xapi.prod]."""
