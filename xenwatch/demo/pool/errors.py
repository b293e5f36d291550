"""An answer of xapi that it will not do it."""

from xenwatch.base.errors import XenwatchError


class ApiFailure(XenwatchError):
    """`ErrorDescription`: a code of the reference's last section, then its parameters, all of them text."""

    def __init__(self, code: str, *params: str) -> None:
        self.description = (code, *params)
        super().__init__(code)
