"""Runbooks and the rest of the documentation, so that the link in an alert opens at the agent itself."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from markdown_it import MarkdownIt
from markupsafe import Markup

from xenwatch.base.documentation import documentation_folders
from xenwatch.web.site.page import page

_PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}
_FAILURES = "failures/"


async def index(request: web.Request) -> web.Response:
    """What there is to read."""
    guides = [(name, _title(path)) for name, path in _documents().items() if name.endswith(".md") and "/" not in name]
    runbooks = [(name, _title(path)) for name, path in _documents().items() if name.startswith("runbooks/")]
    return page(request, "documents.html", guides=guides, runbooks=runbooks)


async def document(request: web.Request) -> web.Response:
    """One document, or a picture of it; the page of a failure is made from its rule."""
    name = request.match_info["path"]
    if name.startswith(_FAILURES) and name.endswith(".md") and not name.endswith("README.md"):
        rule = name.removeprefix(_FAILURES).removesuffix(".md")
        return web.Response(status=303, headers={"Location": f"/rules/{quote(rule, safe='')}"})
    path = _documents().get(name)
    if path is None:
        return page(request, "gone.html", 404, what=f"document {name[:80]} on this machine")
    if path.suffix in _PICTURES:
        return web.Response(body=path.read_bytes(), content_type=_PICTURES[path.suffix])
    return page(request, "document.html", title=_title(path), text=Markup(_html(path)))  # noqa: S704 - our own text, HTML in it is escaped


@cache
def _documents() -> dict[str, Path]:
    """Every file that may be asked for, by its path below the folder: nothing else can be."""
    root = next((folder for folder in documentation_folders() if folder.is_dir()), None)
    if root is None:
        return {}
    files = (path for path in sorted(root.rglob("*")) if path.suffix in {".md", *_PICTURES} and path.is_file())
    return {path.relative_to(root).as_posix(): path for path in files}


@cache
def _title(path: Path) -> str:
    found = re.search(r"(?m)^# (.+)$", path.read_text("utf-8"))
    return found[1].replace("`", "") if found else path.stem


@cache
def _html(path: Path) -> str:
    """Headings get the anchors that links in alerts name."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text("utf-8"))
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", re.sub(r"[^\w -]", "", inline.content.lower()).replace(" ", "-"))
    rendered: str = markdown.renderer.render(tokens, markdown.options, {})
    return rendered


ROUTES = (web.get("/docs", index), web.get("/docs/{path:.+}", document))
