#!/bin/sh
# guest.sh NAME grub|linux [CMDLINE]: writes /etc/xen/NAME.cfg; further lines of the config come on stdin.
# grub starts in a second or two, prints a prompt and idles; linux boots in 10-20 s and can be told what to do:
# lab_do=panic|poweroff|reboot|spin|hog|ping|write lab_after=SECONDS
{
  printf 'name = "%s"\ntype = "pv"\nvcpus = 1\n' "$1"
  case $2 in
    grub) printf 'kernel = "/opt/xenhost/grub-pv"\nmemory = 64\n' ;;
    linux) printf 'kernel = "/opt/xenhost/vmlinux"\nramdisk = "/opt/xenhost/initrd-domu.cpio"\nmemory = 128\nextra = "console=hvc0 quiet mitigations=off %s"\n' "$3" ;;
  esac
  cat
} > "/etc/xen/$1.cfg"
