#!/bin/sh
# Makes volume group `dsk` with two guest disks on the second drive, once.
if [ -b /dev/vdb ] && ! vgs dsk >/dev/null 2>&1; then
  pvcreate -qq -y /dev/vdb && vgcreate -qq dsk /dev/vdb
  lvcreate -qq -y -Wn -L 128M -n g1 dsk
  lvcreate -qq -y -Wn -L 128M -n g2 dsk
fi
echo "XENHOST-READY $(cut -d' ' -f1 /proc/uptime)" > /dev/hvc0
