"""Tests what the configuration says of assistants, Alertmanager and OpenTelemetry: files, extras, answers."""

import importlib.util
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from ssl import SSLContext, create_default_context

import aiohttp

from xenwatch.base.errors import XenwatchError
from xenwatch.config.alertmanager import alertmanager_access
from xenwatch.config.integrations import AlertmanagerSettings, McpSettings, OtlpSettings
from xenwatch.config.otlp import otlp_access
from xenwatch.notify.senders import read_secret
from xenwatch.triage.check_finding import CheckFinding

_DEADLINE = aiohttp.ClientTimeout(total=10.0)
_PROTOBUF = {"Content-Type": "application/x-protobuf"}
_REFUSED = 400


def mcp_findings(settings: McpSettings) -> Iterator[CheckFinding]:
    """Nothing where no key of the section is set: then nobody asked for an assistant."""
    if not settings.bundles and settings.token_file is None:
        return
    if importlib.util.find_spec("mcp") is None:
        yield CheckFinding("mcp", "warning", "`xenwatch mcp` needs the extra: pip install 'xenwatch[mcp]'")
    for folder in settings.bundles:
        there = Path(folder).is_dir()
        words = f"{folder} is there" if there else f"{folder} is no folder: an assistant sees no bundle there"
        yield CheckFinding("mcp.bundles", "ok" if there else "warning", words)
    if settings.token_file is not None:
        yield _secret("mcp.token_file", settings.token_file)


async def alertmanager_findings(settings: AlertmanagerSettings) -> AsyncIterator[CheckFinding]:
    """Asks it for its status; nothing where none is named."""
    about = "alertmanager.url"
    try:
        access = alertmanager_access(settings)
    except XenwatchError as error:
        yield CheckFinding(about, "error", str(error))
        return
    if access is not None:
        yield await _answer(about, "GET", f"{access.url}/api/v2/status", access.token, access.tls)


async def otlp_findings(settings: OtlpSettings) -> AsyncIterator[CheckFinding]:
    """Pushes no log record at all, which a collector takes; nothing where none is named."""
    access = otlp_access(settings)
    if access is None:
        return
    about = "otlp.endpoint"
    if importlib.util.find_spec("opentelemetry") is None:
        yield CheckFinding(about, "error", "the agent needs the extra: pip install 'xenwatch[otlp]'")
    try:
        tls = None if access.tls_ca is None else create_default_context(cafile=access.tls_ca)
    except OSError as error:
        yield CheckFinding("otlp.tls_ca", "error", f"{access.tls_ca} cannot be used: {error}")
        return
    yield await _answer(about, "POST", f"{access.endpoint}/v1/logs", access.token, tls)


async def _answer(
    about: str, method: str, url: str, token: Callable[[], str] | None, tls: SSLContext | None
) -> CheckFinding:
    """Something that does not answer now is a warning: the agent tries again."""
    try:
        headers = {"Authorization": f"Bearer {token()}"} if token is not None else {}
    except XenwatchError as error:
        return CheckFinding(about, "error", str(error))
    headers |= _PROTOBUF if method == "POST" else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=_DEADLINE, headers=headers) as http,
            http.request(method, url, data=b"" if method == "POST" else None, ssl=tls or True) as answer,
        ):
            code = answer.status
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return CheckFinding(about, "warning", f"{url} does not answer: {str(error) or type(error).__name__}")
    if code >= _REFUSED:
        return CheckFinding(about, "error", f"{url} answers with HTTP {code}")
    return CheckFinding(about, "ok", f"{url} answers")


def _secret(about: str, path: Path) -> CheckFinding:
    try:
        read_secret(path)
    except XenwatchError as error:
        return CheckFinding(about, "error", str(error))
    return CheckFinding(about, "ok", f"{path} can be read")
