"""Settings of what xenwatch works together with: assistants over MCP."""

from dataclasses import dataclass
from pathlib import Path

from xenwatch.config.settings import PATH, TEXTS, optional, setting


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
