"""Every setting of the agent, declared once: the file, the environment and the manual come from here."""

from dataclasses import dataclass, field
from pathlib import Path

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

DEFAULT_FILE = Path("/etc/xenwatch/xenwatch.toml")


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The agent itself."""

    state_dir: Path = setting(  # noqa: RUF009 - it is dataclasses.field
        PATH, Path("/var/lib/xenwatch"), "Folder of the state database: log positions, incidents and their history."
    )
    commit_every: float = setting(
        DURATION, 1.0, "State is written at most this often while there is work, and at once after a quiet time."
    )
    keep_incidents: float = setting(DURATION, 90 * 86400.0, "Resolved incidents are deleted after this time.")
    stall_after: float = setting(
        DURATION, 120.0,
        "Without progress (log wake, sampling cycle) for this long /healthz fails and systemd's watchdog is not fed.",
    )  # fmt: skip
    log_level: str = setting(one_of("debug", "info", "warning", "error"), "info", "How much the agent says on stderr.")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Which logs are followed."""

    paths: tuple[str, ...] = setting(
        TEXTS,
        (
            "/var/log/xen/*.log", "/var/log/xen/console/*.log", "/var/log/libvirt/libxl/*.log",
            "/var/log/syslog", "/var/log/messages", "/var/log/daemon.log", "/var/log/kern.log",
            "/root/.virt-manager/virt-manager.log", "/root/.cache/virt-manager/virt-manager.log",
        ),
        "Files to follow; * and ? in the last part stand for any name. What does not exist yet is waited for.",
    )  # fmt: skip
    reconcile_every: float = setting(
        DURATION, 1.0, "All files are looked at this often even without a notification: NFS and missed events."
    )
    from_start: bool = setting(
        BOOL, True, "At the very first start logs are read from their start (true) or only what is new (false)."
    )
    history: int = setting(SIZE, 64 * 1024 * 1024, "At first sight at most so much of one log is read, the newest.")
    overwritten: tuple[str, ...] = setting(
        TEXTS,
        ("xend-debug.log", "virt-manager.log"),
        "Logs that their writers start over; their previous content is kept below the state folder, bounded.",
    )
    hypervisor_every: float = setting(
        DURATION, 15.0,
        "The hypervisor's ring (xl dmesg) is read this often where no log of it is followed; 0s: never.",
    )  # fmt: skip
    journal: bool = setting(
        BOOL, True, "Read systemd's journal (kernel and services) where no syslog file is written; false: never."
    )


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """What is measured. Each collector has a pace and a deadline of its own."""

    libvirt_uri: str = setting(
        TEXT,
        "xen:///system",
        "The hypervisor as libvirt knows it: xen:///system, xen+ssh://root@host/system, test:///…",
    )
    ssh: str = setting(
        TEXT,
        "",
        "Another host to sample, through ssh: root@old1 (xm or xl, and LVM; mount its logs here). Empty: this one.",
    )
    enabled: tuple[str, ...] = setting(
        TEXTS, (), "Collectors to run that are off by default; `xenwatch check` lists all."
    )
    disabled: tuple[str, ...] = setting(TEXTS, (), "Collectors that are not to run.")
    facts_every: float = setting(
        DURATION, 60.0, "What stands on the host (bridges, volumes, domains) is looked at this often, for the rules."
    )


@dataclass(frozen=True, slots=True)
class DiagnosisSettings:
    """The known failures."""

    rules: tuple[str, ...] = setting(
        TEXTS, (), "Further folders of rule files; a rule there with the id of a shipped one replaces it."
    )
    cache_dir: Path = setting(  # noqa: RUF009 - as above
        PATH, Path("/var/cache/xenwatch"), "Folder of the compiled signature database."
    )


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What is served over HTTP."""

    listen: tuple[str, int] = setting(
        LISTEN,
        ("127.0.0.1", 10197),
        "Address and port of /metrics, /healthz, the API and, unless [hooks] listen says otherwise, the webhooks in.",
    )
    log_in: str = setting(
        one_of("none", "token"),
        "none",
        "Who may read. token: persons of access.toml, whatever their role; only /healthz and /readyz answer without. "
        "none: whoever reaches the port. Consent needs a person's token in any case.",
    )
    tls_certificate: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "PEM file of the certificate, with what is between it and its authority. Empty: no TLS."
    )
    tls_key: Path | None = setting(optional(PATH), None, "PEM file of its key, without a password.")  # noqa: RUF009 - as above
    tls_client_ca: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "PEM file of the authority whose certificates clients must bring."
    )
    tls_client_auth: str = setting(
        one_of("none", "require"),
        "none",
        "With require a client without a certificate of tls_client_ca is not listened to. All TLS files are read "
        "again when they change.",
    )
    most_connections: int = setting(
        COUNT, 256, "Connections held open; with one more, the one that waits longest is ended."
    )
    head_deadline: float = setting(
        DURATION, 10.0, "A connection whose first request has not come by then is ended; TLS's handshake has as long."
    )
    idle_deadline: float = setting(DURATION, 75.0, "An unused connection is ended after this time.")
    request_deadline: float = setting(
        DURATION, 60.0, "A request that is not answered, or an answer that is not read, within this time is given up."
    )
    largest_request: int = setting(SIZE, 64 * 1024, "A request body larger than this is refused.")


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Webhooks in: alerts of Alertmanager and Grafana. Who may send stands in access.toml; docs/remediation.md."""

    listen: tuple[str, int] | None = setting(
        optional(LISTEN), None, "Address and port of their own, with TLS of their own. Empty: that of [web]."
    )
    tls_certificate: Path | None = setting(optional(PATH), None, "As in [web], for this address.")  # noqa: RUF009 - as above
    tls_key: Path | None = setting(optional(PATH), None, "As in [web], for this address.")  # noqa: RUF009 - as above
    tls_client_ca: Path | None = setting(optional(PATH), None, "As in [web], for this address.")  # noqa: RUF009 - as above
    tls_client_auth: str = setting(
        one_of("none", "require"),
        "none",
        "As in [web], for this address. A sender's certificate is proof enough where access.toml lists its name.",
    )
    deliveries_per_minute: int = setting(
        COUNT, 120, "From one address; what is more is told to come again later (503)."
    )


@dataclass(frozen=True, slots=True)
class RemediationSettings:
    """What may be put right. Without a policy file nothing is; docs/remediation.md."""

    policy: Path = setting(  # noqa: RUF009 - as above
        PATH,
        Path("/etc/xenwatch/policy.toml"),
        "The policy. Where there is none at the start remediation is off; a changed one counts from the next reload.",
    )
    access: Path = setting(  # noqa: RUF009 - as above
        PATH,
        Path("/etc/xenwatch/access.toml"),
        "Secrets of those who may send alerts, consent, and be told; read at the start.",
    )


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


SECTIONS: dict[str, type] = {
    "agent": AgentSettings,
    "logs": LogSettings,
    "sampling": SamplingSettings,
    "diagnosis": DiagnosisSettings,
    "web": WebSettings,
    "hooks": HookSettings,
    "remediation": RemediationSettings,
}
