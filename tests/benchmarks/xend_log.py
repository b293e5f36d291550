"""A xend.log of any size: guests that start and stop as xend 3.4 tells it, and now and then trouble."""

import random
import time
from pathlib import Path

BUSY, QUIET = 1 / 160, 1 / 2000
"""Share of trouble among the lines."""
_BEGAN = 1_300_000_000

_START = """\
DEBUG (XendDomainInfo:103) XendDomainInfo.create(['vm', ['name', '@name'], ['memory', '512'], ['vcpus', 2], \
['on_crash', 'restart'], ['image', ['linux', ['kernel', '/boot/vmlinuz-2.6.32'], ['root', '/dev/xvda1 ro']]], \
['device', ['vbd', ['uname', 'phy:vg0/@name'], ['dev', 'xvda'], ['mode', 'w']]], ['device', ['vif', ['bridge', \
'xenbr0']]]])
DEBUG (XendDomainInfo:2498) XendDomainInfo.constructDomain
DEBUG (balloon:187) Balloon: 1053504 KiB free; need 16384; done.
DEBUG (XendDomain:464) Adding Domain: @id
DEBUG (XendDomainInfo:2818) XendDomainInfo.initDomain: @id 256
DEBUG (XendDomainInfo:2845) _initDomain:shadow_memory=0x0, memory_static_max=0x20000000, memory_static_min=0x0.
INFO (image:182) buildDomain os=linux dom=@id vcpus=2
DEBUG (image:721) domid          = @id
DEBUG (image:722) memsize        = 512
DEBUG (image:723) image          = /boot/vmlinuz-2.6.32
DEBUG (image:724) store_evtchn   = 1
DEBUG (image:725) console_evtchn = 2
DEBUG (image:726) cmdline        = root=/dev/xvda1 ro
DEBUG (image:728) vcpus          = 2
DEBUG (image:729) features       =
DEBUG (image:730) flags          = 0
INFO (XendDomainInfo:2367) createDevice: vbd : {'uuid': '3f6b8e52-91c0-f0ee-7d08-2a4f0c3b5d@n1', 'bootable': 1, \
'driver': 'paravirtualised', 'dev': 'xvda', 'uname': 'phy:vg0/@name', 'mode': 'w'}
DEBUG (DevController:95) DevController: writing {'backend-id': '0', 'virtual-device': '51712', 'device-type': 'disk', \
'state': '1', 'backend': '/local/domain/0/backend/vbd/@id/51712'} to /local/domain/@id/device/vbd/51712.
DEBUG (DevController:97) DevController: writing {'domain': '@name', 'frontend': '/local/domain/@id/device/vbd/51712', \
'uuid': '3f6b8e52-91c0-f0ee-7d08-2a4f0c3b5d@n1', 'bootable': '1', 'dev': 'xvda', 'state': '1', 'params': 'vg0/@name', \
'mode': 'w', 'online': '1', 'frontend-id': '@id', 'type': 'phy'} to /local/domain/0/backend/vbd/@id/51712.
INFO (XendDomainInfo:2367) createDevice: vif : {'bridge': 'xenbr0', 'mac': '00:16:3e:1a:b3:@n1', 'type': 'xen'}
DEBUG (DevController:95) DevController: writing {'state': '1', 'backend-id': '0', \
'backend': '/local/domain/0/backend/vif/@id/0'} to /local/domain/@id/device/vif/0.
DEBUG (DevController:97) DevController: writing {'bridge': 'xenbr0', 'domain': '@name', 'handle': '0', \
'script': '/etc/xen/scripts/vif-bridge', 'state': '1', 'frontend': '/local/domain/@id/device/vif/0', \
'mac': '00:16:3e:1a:b3:@n1', 'online': '1', 'frontend-id': '@id'} to /local/domain/0/backend/vif/@id/0.
DEBUG (XendDomainInfo:3400) Storing VM details: {'on_xend_stop': 'ignore', 'shadow_memory': '0', \
'on_reboot': 'restart', 'start_time': '1300000000.17', 'on_poweroff': 'destroy', \
'on_xend_start': 'ignore', 'on_crash': 'restart', 'xend/restart_count': '0', 'vcpus': '2', \
'vcpu_avail': '3', 'name': '@name'}
DEBUG (XendDomainInfo:1804) Storing domain details: {'console/ring-ref': '1176722', 'console/port': '2', \
'store/ring-ref': '1176723', 'store/port': '1', 'memory/target': '524288', \
'control/platform-feature-multiprocessor-suspend': '1', 'vm': '/vm/3f6b8e52', 'domid': '@id', \
'cpu/0/availability': 'online', 'name': '@name', 'cpu/1/availability': 'online'}
DEBUG (XendDomainInfo:1891) XendDomainInfo.handleShutdownWatch
DEBUG (DevController:139) Waiting for devices tap2.
DEBUG (DevController:139) Waiting for devices vif.
DEBUG (DevController:144) Waiting for 0.
DEBUG (DevController:628) hotplugStatusCallback /local/domain/0/backend/vif/@id/0/hotplug-status.
DEBUG (DevController:642) hotplugStatusCallback 1.
DEBUG (DevController:139) Waiting for devices vkbd.
DEBUG (DevController:139) Waiting for devices ioports.
DEBUG (DevController:139) Waiting for devices tap.
DEBUG (DevController:139) Waiting for devices vif2.
DEBUG (DevController:139) Waiting for devices console.
DEBUG (DevController:139) Waiting for devices vscsi.
DEBUG (DevController:139) Waiting for devices vbd.
DEBUG (DevController:144) Waiting for 51712.
DEBUG (DevController:628) hotplugStatusCallback /local/domain/0/backend/vbd/@id/51712/hotplug-status.
DEBUG (DevController:642) hotplugStatusCallback 1.
DEBUG (DevController:139) Waiting for devices irq.
DEBUG (DevController:139) Waiting for devices vfb.
DEBUG (DevController:139) Waiting for devices pci.
DEBUG (DevController:139) Waiting for devices vtpm.
INFO (XendDomain:1182) Domain @name (@id) unpaused."""
_STOP = """\
INFO (XendDomainInfo:2079) Domain has shutdown: name=@name id=@id reason=poweroff.
DEBUG (XendDomainInfo:3084) XendDomainInfo.destroy: domid=@id
DEBUG (XendDomainInfo:2403) Destroying device model
DEBUG (XendDomainInfo:2410) Releasing devices
DEBUG (XendDomainInfo:2416) Removing vif/0
DEBUG (XendDomainInfo:1267) XendDomainInfo.destroyDevice: deviceClass = vif, device = vif/0
DEBUG (XendDomainInfo:2416) Removing vbd/51712
DEBUG (XendDomainInfo:1267) XendDomainInfo.destroyDevice: deviceClass = vbd, device = vbd/51712
DEBUG (XendDomainInfo:2416) Removing console/0
DEBUG (XendDomainInfo:1267) XendDomainInfo.destroyDevice: deviceClass = console, device = console/0"""
_POLLED = """\
DEBUG (XendDomainInfo:1536) Reading the state of @name: error=0 is only a word here
DEBUG (DevController:95) DevController: writing {'state': '4', 'failed': '0'} to /local/domain/@id/device/vif/0.
DEBUG (balloon:187) Balloon: 1053504 KiB free; need 16384; done."""
_TRACEBACK = """\
ERROR (SrvBase:88) Request failed.
Traceback (most recent call last):
  File "/usr/lib/python/xen/web/SrvBase.py", line 85, in perform
    return op_method(op, req)
VmError: Device 0 (vif) could not be connected. Hotplug scripts not working."""
_TROUBLE = (
    "ERROR (XendDomainInfo:2199) VM @name restarting too fast (Elapsed time: @n.5 seconds). Refusing to restart.",
    "WARNING (XendDomainInfo:874) Domain has crashed: name=@name id=@id.",
    _TRACEBACK,
)


def generate(path: Path, size: int, trouble: float = BUSY, seed: int = 1) -> None:
    """About `size` bytes. `BUSY`: guests come and go all the time. `QUIET`: they run, and hardly a line has news."""
    dice, written, at, number = random.Random(seed), 0, _BEGAN, 0
    with path.open("w") as file:
        while written < size:
            number += 1
            at += dice.randrange(20, 90)
            calm = _START if trouble >= BUSY or number % 20 == 0 else "\n".join([_POLLED] * 15)
            written += file.write(_filled(calm, dice, at, trouble))
            if calm is _START:
                at += dice.randrange(20, 90)
                written += file.write(_filled(_STOP, dice, at, trouble))


def _filled(text: str, dice: random.Random, at: int, trouble: float) -> str:
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
    records = text.split("\n")
    if dice.random() < trouble * len(records):
        records.insert(dice.randrange(len(records)), dice.choice(_TROUBLE))
    head = f"[{stamp} 3456] "
    whole = head + ("\n" + head).join(records) + "\n"
    number = dice.randrange(1, 90)
    return whole.replace("@name", f"vm{number}").replace("@id", str(number)).replace("@n", str(number % 9 + 1))
