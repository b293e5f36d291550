"""The calls that a reader makes, and the refusals of all others, as xapi's generated dispatcher gives them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from xenwatch.demo.pool.database import Database
from xenwatch.demo.pool.datamodel import DATAMODEL
from xenwatch.demo.pool.errors import ApiFailure
from xenwatch.demo.pool.events import event_from, token_of
from xenwatch.demo.pool.operations import Operations, is_operation, where

READ_ONLY_FAILURE = "No permission in user session"
_WRITES = (
    "start",
    "clean_shutdown",
    "hard_shutdown",
    "destroy",
    "create",
    "set_name_label",
    "plug",
    "scan",
    "evacuate",
)
USERS = {
    "monitor": ("s3cret-Pässword", "read-only"),
    "repairs": ("r3pair-Pässword", "pool-operator"),
    "root": ("root-password", "pool-admin"),
}
"""Password and role by name."""


@dataclass
class PoolSessions:
    """Of the pool: they are in its database, so a host knows those of the other."""

    opened: int = 0
    by_ref: dict[str, str] = field(default_factory=dict)
    """Role by reference."""

    def check(self, ref: object) -> str:
        role = self.by_ref.get(str(ref))
        if role is None:
            raise ApiFailure("SESSION_INVALID", str(ref))
        return role

    def expire(self) -> None:
        """As a restarted toolstack, or 24 hours without a call, does."""
        self.by_ref.clear()


@dataclass
class Methods:
    """One host's. `is_master` and `master_address` are asked at each call."""

    database: Database
    sessions: PoolSessions
    operations: Operations
    is_master: Callable[[], bool]
    master_address: Callable[[], str]

    async def call(self, method: str, params: list[Any]) -> Any:
        if method == "system.listMethods":
            return self.names()
        if not self.is_master():
            raise ApiFailure("HOST_IS_SLAVE", self.master_address())
        if method == "session.login_with_password":
            return self._login(params)
        if not params:
            raise ApiFailure("MESSAGE_PARAMETER_COUNT_MISMATCH", method, "1", "0")
        session, *rest = params
        role = self.sessions.check(session)
        class_, _, name = method.partition(".")
        if method == "session.logout":
            del self.sessions.by_ref[session]
            return None
        if is_operation(method):
            return self.operations.run(method, rest, role)
        if class_ == "event":
            return await self._event(name, session, rest)
        if class_ not in DATAMODEL:
            raise ApiFailure("MESSAGE_METHOD_UNKNOWN", method)
        return self._object(class_, name, rest, role, method)

    def names(self) -> list[str]:
        own = ["session.login_with_password", "session.logout", "event.from", "event.inject", "host.get_servertime"]
        made = [f"{class_}.{name}" for class_ in DATAMODEL for name in ("get_all", "get_all_records", "get_record")]
        return [*own, *made, *(f"{class_}.get_{name}" for class_, fields in DATAMODEL.items() for name in fields)]

    def _login(self, params: list[Any]) -> str:
        if len(params) not in (2, 3, 4):
            raise ApiFailure("MESSAGE_PARAMETER_COUNT_MISMATCH", "session.login_with_password", "4", str(len(params)))
        user, password = params[:2]
        known = USERS.get(user)
        if known is None or known[0] != password:
            raise ApiFailure("SESSION_AUTHENTICATION_FAILED", user, "Authentication failure")
        ref = f"OpaqueRef:{self.database.new_uuid()}"
        self.sessions.by_ref[ref], self.sessions.opened = known[1], self.sessions.opened + 1
        return ref

    async def _event(self, name: str, session: str, params: list[Any]) -> Any:
        if name == "inject":
            class_ = next(one for one in DATAMODEL if one.lower() == params[0].lower())
            return token_of(self.database.touch(class_, params[1]) - 1)
        if name != "from":
            raise ApiFailure("MESSAGE_METHOD_UNKNOWN", f"event.{name}")
        classes, token, timeout = params
        if not isinstance(timeout, float):  # OCaml's float; an int is refused
            raise ApiFailure("FIELD_TYPE_ERROR", "timeout")
        return await event_from(self.database, classes, token, timeout, lambda: self.sessions.check(session))

    def _object(self, class_: str, name: str, params: list[Any], role: str, method: str) -> Any:
        if name in _WRITES and class_ != "task":
            if role == "read-only":
                raise ApiFailure("RBAC_PERMISSION_DENIED", method, READ_ONLY_FAILURE)
            raise ApiFailure("NOT_IMPLEMENTED", method)
        if (answer := self._answers().get(method) or self._answers().get(name)) is not None:
            return answer(class_, params)
        if name in ("get_by_uuid", "get_by_name_label"):
            return self._found(class_, name.removeprefix("get_by_"), params[0])
        wanted = name.removeprefix("get_")
        if not name.startswith("get_") or not (wanted == "record" or wanted in DATAMODEL[class_]):
            raise ApiFailure("MESSAGE_METHOD_UNKNOWN", method)
        if len(params) != 1:
            raise ApiFailure("MESSAGE_PARAMETER_COUNT_MISMATCH", method, "2", str(1 + len(params)))
        record = self.database.record(class_, params[0])
        return record if wanted == "record" else record[wanted]

    def _answers(self) -> dict[str, Callable[[str, list[Any]], Any]]:
        """By method or, for all classes, by the name of it: all that is no plain field."""
        return {
            "get_all": lambda class_, _: list(self.database.objects[class_]),
            "get_all_records": lambda class_, _: self.database.records(class_),
            "get_all_records_where": lambda class_, params: where(self.database.records(class_), params[0]),
            "VM.get_possible_hosts": lambda _, params: self.operations.possible_hosts(params[0]),
            "host.get_vms_which_prevent_evacuation": lambda _, params: self.operations.preventing(params[0]),
            "host.get_servertime": lambda _, params: self.operations.time_of(params[0]),
            "task.destroy": lambda _, params: self.database.delete("task", params[0]),
        }

    def _found(self, class_: str, by: str, value: str) -> Any:
        found = [ref for ref, record in self.database.records(class_).items() if record.get(by) == value]
        if by == "name_label":
            return found
        if not found:
            raise ApiFailure("UUID_INVALID", class_, value)
        return found[0]
