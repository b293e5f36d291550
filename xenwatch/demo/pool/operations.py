"""What may be done to the pretend pool: operations as tasks, with their roles, refusals and effects."""

import asyncio
import datetime as dt
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from xenwatch.demo.pool.database import Database
from xenwatch.demo.pool.datamodel import NULL
from xenwatch.demo.pool.errors import ApiFailure

ROLES = ("read-only", "vm-operator", "vm-power-admin", "pool-operator", "pool-admin")
"""From the least: each may do what those before it may."""
NO_PERMISSION = "No permission in user session"
ALLOWED = {
    "Halted": ("start", "start_on", "clone", "snapshot", "destroy"),
    "Running": (
        "clean_shutdown",
        "hard_shutdown",
        "clean_reboot",
        "hard_reboot",
        "pool_migrate",
        "snapshot",
        "suspend",
    ),
}
"""`allowed_operations` of a guest by its power state: ocaml/xapi/xapi_vm_lifecycle.ml."""
_CONDITION = re.compile(r'field "(?P<field>\w+)" = "(?P<value>[^"]*)"')


@dataclass
class Operations:
    """Of a pool. What happens besides, and what fails, is said by who plays a story on it."""

    database: Database
    errors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By method without `Async.`: the error with which its next tasks end."""
    before: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """By method: what happens between the beginning of a task and its effect."""
    stuck: set[str] = field(default_factory=set)
    """Methods of which no task ends."""
    unfit: set[tuple[str, str]] = field(default_factory=set)
    """Which guest cannot run on which host, by reference."""
    ahead: dict[str, float] = field(default_factory=dict)
    """Seconds by which the clock of a host is wrong, by reference."""
    pause: float = 0.0
    """Seconds that each task takes."""
    running: set[asyncio.Task[None]] = field(default_factory=set)

    def run(self, method: str, params: list[Any], role: str) -> str:
        """`Async.VM.start` and its like: the reference of the task."""
        name = method.removeprefix("Async.")
        least, effect = _OPERATIONS[name]
        if ROLES.index(role) < ROLES.index(least):
            raise ApiFailure("RBAC_PERMISSION_DENIED", name, NO_PERMISSION)
        task = self.database.add("task", name_label=method, created=_now(), resident_on=self.master)
        doing = asyncio.get_running_loop().create_task(self._do(name, params, effect, task))
        self.running.add(doing)
        doing.add_done_callback(self.running.discard)
        return task

    @property
    def master(self) -> str:
        return next((str(pool["master"]) for pool in self.database.records("pool").values()), NULL)

    async def _do(self, name: str, params: list[Any], effect: "Effect", task: str) -> None:
        if (first := self.before.get(name)) is not None:
            await first()
        if name in self.stuck:
            return
        await asyncio.sleep(self.pause)
        try:
            self._refuse(name)
            effect(self, params)
            end: dict[str, Any] = {"status": "success", "progress": 1.0}
        except ApiFailure as failure:
            end = {"status": "failure", "error_info": failure.description}
        if task in self.database.objects["task"]:  # gone with a master that was lost
            self.database.change("task", task, finished=_now(), **end)
        await self.database.tell()

    def _refuse(self, name: str) -> None:
        if name in self.errors:
            raise ApiFailure(*self.errors[name])

    def time_of(self, host: str) -> dt.datetime:
        """host.get_servertime."""
        return _now() + dt.timedelta(seconds=self.ahead.get(host, 0.0))

    def possible_hosts(self, vm: str) -> list[str]:
        """VM.get_possible_hosts: those that are up and have what the guest needs."""
        db = self.database
        up = [ref for ref, host in db.records("host").items() if host["enabled"] and self._is_live(host)]
        return [host for host in up if (vm, host) not in self.unfit]

    def _is_live(self, host: dict[str, Any]) -> bool:
        return bool(self.database.record("host_metrics", host["metrics"])["live"])

    def preventing(self, host: str) -> dict[str, list[str]]:
        """host.get_vms_which_prevent_evacuation."""
        found = {}
        for vm, record in self.database.records("VM").items():
            if record["resident_on"] == host and not record["is_control_domain"] and not self._elsewhere(vm, host):
                found[vm] = ["HOST_NOT_ENOUGH_FREE_MEMORY", host]
        return found

    def _elsewhere(self, vm: str, host: str) -> list[str]:
        return [other for other in self.possible_hosts(vm) if other != host]

    def set_state(self, vm: str, state: str, host: str = NULL) -> None:
        """A guest as it is after an operation."""
        domid = -1 if state == "Halted" else self.database.next_domid()
        self.database.change(
            "VM", vm, power_state=state, resident_on=host, domid=domid, allowed_operations=ALLOWED[state]
        )

    def require_state(self, vm: str, state: str) -> dict[str, Any]:
        record = self.database.record("VM", vm)
        if record["power_state"] != state:
            raise ApiFailure("VM_BAD_POWER_STATE", vm, state.lower(), record["power_state"].lower())
        return record


Effect = Callable[[Operations, list[Any]], None]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _start(pool: Operations, params: list[Any]) -> None:
    vm = params[0]
    pool.require_state(vm, "Halted")
    hosts = pool.possible_hosts(vm)
    if not hosts:
        raise ApiFailure("NO_HOSTS_AVAILABLE")
    pool.set_state(vm, "Running", hosts[0])


def _shutdown(pool: Operations, params: list[Any]) -> None:
    pool.require_state(params[0], "Running")
    pool.set_state(params[0], "Halted")


def _migrate(pool: Operations, params: list[Any]) -> None:
    vm, host = params[:2]
    pool.require_state(vm, "Running")
    if host not in pool.possible_hosts(vm):
        raise ApiFailure("HOST_NOT_ENOUGH_FREE_MEMORY", host)
    pool.set_state(vm, "Running", host)


def _disable(pool: Operations, params: list[Any]) -> None:
    pool.database.change("host", params[0], enabled=False)


def _evacuate(pool: Operations, params: list[Any]) -> None:
    [host] = params[:1]
    for vm, record in pool.database.records("VM").items():
        if record["resident_on"] == host and not record["is_control_domain"]:
            others = [one for one in pool.possible_hosts(vm) if one != host]
            if not others:
                raise ApiFailure("HOST_NOT_ENOUGH_FREE_MEMORY", host)
            pool.set_state(vm, "Running", others[0])


def _plug(pool: Operations, params: list[Any]) -> None:
    pool.database.change("PBD", params[0], currently_attached=True)


def _scan(pool: Operations, params: list[Any]) -> None:
    for ref, vdi in pool.database.records("VDI").items():
        if vdi["SR"] == params[0] and vdi["missing"]:
            pool.database.change("VDI", ref, missing=False)


_OPERATIONS: dict[str, tuple[str, Effect]] = {
    "VM.start": ("vm-operator", _start),
    "VM.clean_shutdown": ("vm-operator", _shutdown),
    "VM.hard_shutdown": ("vm-operator", _shutdown),
    "VM.pool_migrate": ("vm-power-admin", _migrate),
    "host.disable": ("pool-operator", _disable),
    "host.evacuate": ("pool-operator", _evacuate),
    "PBD.plug": ("pool-operator", _plug),
    "SR.scan": ("vm-power-admin", _scan),
}
"""The least role that may do it: ocaml/idl/datamodel_*.ml."""


def is_operation(method: str) -> bool:
    """Whether it is one of these, as a task."""
    return method.startswith("Async.") and method.removeprefix("Async.") in _OPERATIONS


def where(records: dict[str, dict[str, Any]], expression: str) -> dict[str, dict[str, Any]]:
    """`get_all_records_where`: `field "x" = "y"`, joined by `and`; `true` is all of them. OCaml's own is larger."""
    wanted = [(one["field"], one["value"]) for one in _CONDITION.finditer(expression)]
    if not wanted and expression.strip() != "true":
        raise ApiFailure("INTERNAL_ERROR", f"Db_filter_types.{expression}")
    return {ref: record for ref, record in records.items() if all(_text(record[f]) == v for f, v in wanted)}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
