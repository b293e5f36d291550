"""Passwords in what only root may read: nobody who asks the reader needs one, so none leaves it."""

import re

_NAME = rb"[\w.-]{0,40}passw(?:or)?d"
_PATH = re.compile(r"(?:^|/)[\w.-]{0,40}passw(?:or)?d[\w.-]{0,40}$")
_FORMS = (
    # xenstore-ls -f: `/local/domain/0/backend/vfb/5/0/vncpasswd = "x"`; a value may hold quotes, its line has one end
    (re.compile(rb"^(/[^\n=]*/" + _NAME + rb'[\w.-]* = )".*"', re.MULTILINE), rb'\1""'),
    # xl list -l: `"passwd": "x"`
    (re.compile(rb'("' + _NAME + rb'"\s*:\s*)"(?:[^"\\\n]|\\.)*"'), rb'\1""'),
    # xm list --long: `(vncpasswd x)`, `(passwd 'two words')`
    (re.compile(rb"(\(" + _NAME + rb"\s+)(?:'[^'\n]*'|\"[^\"\n]*\"|[^()\s]+)\s*(?=\))"), rb"\1''"),
)


def is_secret(path: str) -> bool:
    """Whether a node of xenstore holds a password."""
    return _PATH.search(path) is not None


def without_secrets(output: bytes) -> bytes:
    """What `xl`, `xm` or `xenstore-ls` printed, with empty passwords."""
    if b"passw" not in output:
        return output
    for form, shown in _FORMS:
        output = form.sub(shown, output)
    return output
