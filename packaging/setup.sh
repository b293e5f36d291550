#!/bin/sh
# Sets up a checkout: what the system must have, a virtual environment in .venv from requirements.lock.
# usage: packaging/setup.sh [run|test|xenhost|tools]
#   `test` also unpacks Prometheus' tools below .cache/tools, without installing them, and as root installs the programs
#   that tests run for themselves (sshd, libvirtd, chromium, strace, etcd, php, rpm, lintian), without starting any of them; `xenhost` also
#   installs what builds and boots the real Xen host of tests/xenhost; `tools` also fills .venv-tools from
#   packaging/tools.lock: what builds the site of the documentation and looks at the dependencies.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-run}
python=${PYTHON:-python3}
venv=${VENV:-.venv}

say() { printf '%s\n' "setup: $*" >&2; }

# ------------------------------------------------------------------ what is missing
missing=""
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || missing="$missing python3"
uv --version >/dev/null 2>&1 || "$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
"$python" - <<'P' 2>/dev/null || missing="$missing python3-dev"
import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))
P
command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
pkg-config --exists libvirt 2>/dev/null || missing="$missing libvirt-dev"
if [ "$purpose" = xenhost ]; then
  for pair in qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils mmdebstrap:mmdebstrap mke2fs:e2fsprogs cpio:cpio \
    zstd:zstd ssh:openssh-client grub-mkimage:grub-common; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || [ -x "/sbin/${pair%%:*}" ] || missing="$missing ${pair##*:}"
  done
fi

if [ -n "$missing" ]; then
  root=""
  [ "$(id -u)" = 0 ] || root="sudo -n"
  if command -v apt-get >/dev/null 2>&1 && $root true 2>/dev/null; then
    say "installing$missing"
    $root apt-get update -qq >/dev/null
    # shellcheck disable=SC2086  # a list of package names
    DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    say "please install, as root:$missing"
    exit 1
  fi
fi

# ------------------------------------------------------------------ what builds the site and looks at dependencies
if [ "$purpose" = tools ]; then  # an environment of its own: .venv stays as it is
  stamp=".venv-tools/.made-from-$(cksum < packaging/tools.lock | tr ' ' -)"
  if [ ! -e "$stamp" ]; then
    say "making .venv-tools (a minute the first time)"
    uv=$venv/bin/uv
    [ -x "$uv" ] || uv=uv
    if "$uv" --version >/dev/null 2>&1; then
      [ -x .venv-tools/bin/python ] || "$uv" venv -q -p "$python" .venv-tools
      VIRTUAL_ENV=$PWD/.venv-tools "$uv" pip install -q --require-hashes -r packaging/tools.lock
    else
      "$python" -m venv .venv-tools
      .venv-tools/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r packaging/tools.lock
    fi
    rm -f .venv-tools/.made-from-*
    : > "$stamp"
  fi
  exit 0
fi

# ------------------------------------------------------------------ the virtual environment
stamp="$venv/.made-from-$(cat requirements.lock pyproject.toml | cksum | tr ' ' -)"
if [ ! -e "$stamp" ]; then
  say "making $venv (a minute the first time)"
  # A venv that uv made has no pip in it; ensurepip puts one there. Without ensurepip the uv found on PATH has to do.
  if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" 2>/dev/null || uv venv -q -p "$python" "$venv"
  fi
  uv=$venv/bin/uv
  uv_version=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.lock)
  if ! "$uv" --version 2>/dev/null | grep -q "^uv $uv_version"; then
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null 2>&1; then
      "$venv/bin/python" -m pip install -q --disable-pip-version-check "uv==$uv_version"
    else
      uv=uv
      uv --version >/dev/null 2>&1 || { say "neither pip nor uv: install python3-venv"; exit 1; }
    fi
  fi
  # Byte code now: a service that may not write below its program would compile at each start, and stay larger for it.
  VIRTUAL_ENV=$PWD/$venv "$uv" pip install -q --compile-bytecode --require-hashes -r requirements.lock
  VIRTUAL_ENV=$PWD/$venv "$uv" pip install -q --no-deps -e .
  rm -f "$venv"/.made-from-*
  : > "$stamp"
fi

# ------------------------------------------------------------------ tools the tests run against
[ "$purpose" != run ] || exit 0

has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

# Installs the packages, and leaves their daemons stopped and disabled: the tests start their own, on loopback.
install_stopped() {
  policy=/usr/sbin/policy-rc.d
  ours=""
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    ours=$policy
  fi
  code=0
  apt-get update -qq >/dev/null || code=$?
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || code=$?
  [ -z "$ours" ] || rm -f "$ours"
  return "$code"
}

wanted=""
has sshd || wanted="$wanted openssh-server"
has libvirtd || wanted="$wanted libvirt-daemon"
has chromium || has chromium-browser || has google-chrome || wanted="$wanted chromium"
has strace || wanted="$wanted strace"
has php || wanted="$wanted php-cli"
has rpmbuild || wanted="$wanted rpm"
has lintian || wanted="$wanted lintian"
has etcd || wanted="$wanted etcd-server"
has etcdctl || wanted="$wanted etcd-client"
if [ -n "$wanted" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  say "installing$wanted, for the tests"
  # shellcheck disable=SC2086  # a list of package names
  install_stopped $wanted || say "not all of them could be installed; what needs them will be skipped"
  case "$wanted" in *openssh-server*) systemctl disable -q ssh.service ssh.socket 2>/dev/null || true ;; esac
  case "$wanted" in *etcd-server*) systemctl disable -q etcd.service 2>/dev/null || true ;; esac
elif [ -n "$wanted" ]; then
  say "some tests are skipped; to run them all, install as root:$wanted"
fi

tools=.cache/tools
for package in zabbix-frontend-php prometheus prometheus-alertmanager prometheus-libvirt-exporter prometheus-node-exporter lnav; do
  binary=$package
  [ "$package" != zabbix-frontend-php ] || [ ! -d "$tools/usr/share/zabbix" ] || continue
  if command -v "$binary" >/dev/null 2>&1 || [ -x "$tools/usr/bin/$binary" ]; then continue; fi
  mkdir -p "$tools/deb"
  say "unpacking Debian's $package below $tools (it is not installed)"
  if ! (cd "$tools/deb" && apt-get download -qq "$package" >/dev/null 2>&1); then
    [ "$(id -u)" = 0 ] && apt-get update -qq >/dev/null && (cd "$tools/deb" && apt-get download -qq "$package" >/dev/null 2>&1) ||
      { say "cannot download Debian's $package; what needs it will be skipped"; continue; }
  fi
  dpkg -x "$tools/deb/$package"_*.deb "$tools"
done

# The simulated management boards, and what asks them: only unpacked, for fence-agents alone would pull in half a cloud.
boards="fence-agents ipmitool openipmi libopenipmi0 libfreeipmi17 freeipmi-common python3-pexpect python3-ptyprocess
  python3-pycurl python3-requests python3-urllib3 python3-idna python3-chardet python3-certifi"
if [ ! -x "$tools/usr/sbin/fence_ipmilan" ] || [ ! -x "$tools/usr/bin/ipmi_sim" ]; then
  mkdir -p "$tools/deb"
  say "unpacking Debian's fence-agents and simulated management boards below $tools (they are not installed)"
  for package in $boards; do
    if (cd "$tools/deb" && apt-get download -qq "$package" >/dev/null 2>&1); then
      dpkg -x "$tools/deb/$package"_*.deb "$tools"
    else
      say "cannot download Debian's $package; what needs it will be skipped"
    fi
  done
fi
if [ ! -x "$tools/sushy/bin/sushy-emulator" ]; then
  "$venv/bin/uv" pip install -q --python "$venv/bin/python" --target "$tools/sushy" --require-hashes \
    -r packaging/boards.lock || say "cannot fetch sushy-tools; what needs it will be skipped"
fi
