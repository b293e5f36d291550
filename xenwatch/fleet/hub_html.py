"""How a hub's pages look: one style for light and dark, tables that scroll on a phone, and text that stays text."""

from collections.abc import Iterable, Sequence
from html import escape

AGAIN = "15"
"""Seconds after which a page loads again by itself."""
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Nothing runs in these pages, whatever a host or a person wrote."""
STYLE = """:root { color-scheme: light dark; --bg: #f7f7f5; --card: #fff; --text: #1c1e21; --soft: #555c66;
  --line: #d6d6d1; --code: #efefec; --link: #0b57a8; --bad: #b3261e; --warning: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --bg: #14161a; --card: #1d2026; --text: #e6e8eb; --soft: #a4acb8;
  --line: #363b45; --code: #121418; --link: #8ab8ff; --bad: #ff8a80; --warning: #f0b95a; } }
body { margin: 0 auto; max-width: 70rem; padding: 0 1.2rem 2rem; background: var(--bg); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, footer { padding: .9rem 0; color: var(--soft); } a { color: var(--link); } h1 { font-size: 1.5rem; }
h2 { font-size: 1.1rem; } a:focus-visible, .wide:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--card); overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-size: .9rem; }
.critical, .error { color: var(--bad); } .warning { color: var(--warning); }
.quiet { color: var(--soft); } code { background: var(--code); padding: .1rem .4rem; border-radius: .3rem; }
@media (max-width: 40rem) { body { padding: 0 .7rem 1.5rem; } }
"""


def document(title: str, parts: Iterable[str], *, now: str) -> str:
    """A whole page of `parts`, which are HTML. `now`: when it was made."""
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{escape(title)}, xenwatch hub</title><link rel="stylesheet" href="/style.css"></head>',
            '<body><header><a href="/">xenwatch hub</a></header><main>',
            f"<h1>{escape(title)}</h1>",
            *parts,
            f"</main><footer>Times in UTC, page made {escape(now)}.</footer></body></html>",
        )
    )


def table(label: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML; what a host wrote in them was escaped before."""
    head = "".join(f"<th>{head}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def link(address: str, text: str, kind: str = "") -> str:
    """A link where the address is one of the web; otherwise the text alone, for a host says where its pages are."""
    mark = f' class="{escape(kind)}"' if kind else ""
    if not address.startswith(("/", "http://", "https://")):
        return f"<span{mark}>{escape(text)}</span>" if mark else escape(text)
    return f'<a{mark} href="{escape(address)}">{escape(text)}</a>'
