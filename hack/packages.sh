#!/bin/bash
# Installs the Debian packages that the demo (`demo`), the tests (`test`), those that count system calls (`guard`), look at
# a page (`browser`), talk to another gRPC (`wire`) or run in a guest (`vm`), and the benchmark (`bench`) need and this
# machine lacks; none missing, nothing done. Starts no service.
set -euo pipefail

case ${1:-} in
  demo) wanted='ip:iproute2 nft:nftables ping:iputils-ping setpriv:util-linux' ;;
  test) wanted='ip:iproute2 nft:nftables ping:iputils-ping setpriv:util-linux gcc:gcc tar:tar
    containerd:containerd runc:runc /usr/lib/cni/portmap:containernetworking-plugins iptables:iptables
    strace:strace' ;;
  guard) wanted='ip:iproute2 nft:nftables ping:iputils-ping setpriv:util-linux strace:strace' ;;
  bench) wanted='ip:iproute2 nft:nftables ping:iputils-ping setpriv:util-linux /usr/lib/cni/ptp:containernetworking-plugins' ;;
  browser) command -v chromium >/dev/null && exit 0 # as good
    wanted='chromium-headless-shell:chromium-headless-shell' ;;
  wire) wanted='' ;; # a library, looked for below
  vm) [ "$(uname -m)" = x86_64 ] || exit 0 # the guest's suite says that it is for no other
    wanted='qemu-system-x86_64:qemu-system-x86 ip:iproute2 nft:nftables ping:iputils-ping setpriv:util-linux' ;;
  *) echo "usage: $0 demo|test|guard|bench|browser|wire|vm" >&2; exit 2 ;;
esac

PATH=$PATH:/usr/sbin:/sbin
missing=()
for entry in $wanted; do
  command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
done
# The pause image is one static executable.
if [ "$1" = test ] && ! compgen -G '/usr/lib/*/libc.a' >/dev/null; then missing+=(libc6-dev); fi
if [ "$1" = wire ] && ! /usr/bin/python3 -c 'import grpc' 2>/dev/null; then missing+=(python3-grpcio); fi
[ ${#missing[@]} -gt 0 ] || exit 0

need() { echo "terway: ${missing[*]} missing: $1" >&2; exit 1; }
command -v apt-get >/dev/null || need 'install them with the package manager of this system'
[ "$(id -u)" = 0 ] || need "run as root, or: apt-get install ${missing[*]}"

echo "==> Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A package that brings a daemon starts it where systemd runs. Ours are started by hand, so theirs stays off.
started=()
if [ -d /run/systemd/system ] && [[ " ${missing[*]} " == *' containerd '* ]]; then
  started=(containerd.service)
  systemctl mask --runtime "${started[@]}" >/dev/null 2>&1
fi
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  need 'apt-get could not install them (its last words are above)'
fi
if [ ${#started[@]} -gt 0 ]; then
  systemctl unmask --runtime "${started[@]}" >/dev/null 2>&1
  systemctl disable "${started[@]}" >/dev/null 2>&1
fi
