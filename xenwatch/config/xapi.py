"""[xapi.NAME]: a pool of XCP-ng or XenServer in the configuration, and how it is reached."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xenwatch.base.errors import InputError, InvalidValue
from xenwatch.config.settings import BOOL, DURATION, PATH, TEXT, TEXTS, optional, setting

if TYPE_CHECKING:  # an HTTP client is slow to load, and commands that only read the configuration call nobody
    import ssl

    import aiohttp

    from xenwatch.host.xapi.access import XapiAccess

_URL = re.compile(r"(?:https://(?:\[[0-9a-fA-F:]+\]|[^/?#@:\s\[\]]+)|http://127(?:\.\d{1,3}){3})(?::\d+)?/?")
"""Without TLS only on this machine: the end of a tunnel, or the demo."""
_SHORTEST_CYCLE = 5.0
"""xcp-rrdd has a new number every five seconds."""


@dataclass(frozen=True, slots=True)
class XapiSettings:
    """A pool of XCP-ng or XenServer that is watched through its own API (docs/xapi.md). Read at the start."""

    urls: tuple[str, ...] = setting(
        TEXTS,
        (),
        "Where hosts of the pool answer, such as https://xcp1.example. One is enough: the others, and who is master, "
        "are learnt from it. Name a second one so that the agent can also start while the first is down.",
    )
    user: str = setting(TEXT, "", "User that logs in. The role read-only is enough, and no other is ever needed.")
    password_file: Path | None = setting(  # noqa: RUF009 - it is dataclasses.field
        optional(PATH),
        None,
        "File with the password of that user, read at each login. Others must not be able to read it.",
    )
    tls_ca: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH),
        None,
        "PEM file of the authorities that signed the certificates of the hosts. Empty: those that this machine trusts.",
    )
    fingerprints: tuple[str, ...] = setting(
        TEXTS,
        (),
        "Trust the hosts with these certificates and no others: their SHA-256 fingerprints, one for each host. For "
        "pools with certificates that their hosts made themselves.",
    )
    every: float = setting(DURATION, 10.0, "Read what changed, and the numbers of each host, this often.")
    call_deadline: float = setting(DURATION, 20.0, "Give up a call that is not answered within this time.")
    events: bool = setting(BOOL, True, "Tell the rules of alarms of xapi and of tasks that failed, as log lines.")
    tags: tuple[str, ...] = setting(TEXTS, (), "Tags of guests that are exported, in the metric xen_domain_tag_info.")
    logs: tuple[str, ...] = setting(
        TEXTS,
        (),
        "Files on this machine that the hosts of the pool write by syslog, beside those of [logs] paths, such as "
        "/var/log/remote/xcp*/*.log. What they tell is of the pool, and of its guests by their uuid or name.",
    )
    repair_user: str = setting(
        TEXT,
        "",
        "Another user, with the role pool-operator, for what the policy lets xenwatch do to the pool. "
        "Empty: nothing is ever done to it.",
    )
    repair_password_file: Path | None = setting(  # noqa: RUF009 - as above
        optional(PATH), None, "File with the password of repair_user, read at each login."
    )


def access_of(name: str, settings: XapiSettings) -> "XapiAccess":
    """How the pool is read. InputError where a file that the section names cannot be used."""
    return _access(name, settings, settings.user, settings.password_file)


def pool_of_log(pools: Mapping[str, XapiSettings], path: str) -> str | None:
    """The pool that wrote a log of this machine; None for this machine's own."""
    folder, _, name = path.rpartition("/")
    for pool, settings in pools.items():
        for pattern in settings.logs:
            above, _, last = pattern.rpartition("/")
            if fnmatch(name, last) and fnmatch(folder, above):
                return pool
    return None


def repair_accesses(pools: Mapping[str, XapiSettings]) -> "dict[str, XapiAccess]":
    """How the pools are reached that may be acted on: those with an account for it. InputError as above."""
    return {
        name: _access(name, settings, settings.repair_user, settings.repair_password_file)
        for name, settings in pools.items()
        if settings.repair_user
    }


def _access(name: str, settings: XapiSettings, user: str, password_file: Path | None) -> "XapiAccess":
    from xenwatch.host.xapi.access import XapiAccess  # noqa: PLC0415
    from xenwatch.notify.senders import read_secret  # noqa: PLC0415

    return XapiAccess(
        name=name,
        addresses=tuple(url.rstrip("/") for url in settings.urls),
        user=user,
        password=partial(read_secret, password_file) if password_file else lambda: "",
        tls=_tls(name, settings),
        call_seconds=settings.call_deadline,
    )


def _tls(name: str, settings: XapiSettings) -> "ssl.SSLContext | aiohttp.Fingerprint | bool":
    import ssl  # noqa: PLC0415

    from xenwatch.host.xapi.access import PinnedCertificates, fingerprint_of  # noqa: PLC0415

    if settings.fingerprints:
        return PinnedCertificates(map(fingerprint_of, settings.fingerprints))
    if settings.tls_ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.tls_ca)
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"[xapi.{name}] tls_ca: {settings.tls_ca} cannot be used: {error}") from None


def contradictions_of_pool(name: str, settings: XapiSettings) -> Iterator[tuple[str, str]]:
    """`section.key`, and what is wrong with it."""
    section = f"xapi.{name}"
    if not settings.urls:
        yield section, "names no host: write urls"
    if wrong := [url for url in settings.urls if not _URL.fullmatch(url)]:
        yield f"{section}.urls", f"{wrong[0]} must be https:// and a host, without a user or a path"
    if not settings.user:
        yield section, "names no user: write user and password_file"
    if settings.password_file is None:
        yield section, "names no password: write password_file"
    if bool(settings.repair_user) != (settings.repair_password_file is not None):
        yield f"{section}.repair_user", "and repair_password_file go together: write both or none"
    if settings.fingerprints and settings.tls_ca is not None:
        yield f"{section}.fingerprints", "has no effect beside tls_ca; leave out one of them"
    for text in settings.fingerprints:
        from xenwatch.host.xapi.access import fingerprint_of  # noqa: PLC0415

        try:
            fingerprint_of(text)
        except InvalidValue as error:
            yield f"{section}.fingerprints", str(error)
    if settings.every < _SHORTEST_CYCLE:
        yield f"{section}.every", "must be at least 5s: the hosts have no new numbers before"
