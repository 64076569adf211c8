#!/bin/busybox sh
# The first process of the machine: prepares it, runs the tests one after the other, and prints the result of
# each on the console. Its own lines begin with "VM ".
b=/bin/busybox
export PATH=/usr/bin HOME=/ TMPDIR=/tmp
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
$b mount -t tmpfs tmp /tmp
$b mount -t tmpfs run /run
$b mount -t bpf bpf /sys/fs/bpf
$b mount -t cgroup2 cgroup /sys/fs/cgroup
$b mount -t tracefs trace /sys/kernel/tracing
for module in /modules/*; do
    $b insmod "$module" || echo "VM log cannot load $module"
done
ip link set lo up
echo "VM up $($b uname -r)"
wherefore doctor -i lo 2>&1 | $b sed 's/^/VM log /'
wherefore run -i lo --duration 1s 2>&1 > /dev/null | $b sed 's/^/VM log /'
export WHEREFORE_BINARY=/usr/bin/wherefore WHEREFORE_NO_SKIP=1 WHEREFORE_SLOWNESS=4
# These kernels have every kind of network device that the tests know.
export WHEREFORE_ALL_KINDS=1
for test in $($b cat /checks); do
    begin=$($b cut -d. -f1 /proc/uptime)
    $b timeout -s KILL 150 /usr/bin/live --exact "$test" --nocapture > /tmp/said 2>&1
    code=$?
    end=$($b cut -d. -f1 /proc/uptime)
    $b grep -q '^SKIPPED ' /tmp/said && code=skipped
    $b grep -q '^test result: ok. 1 passed' /tmp/said || [ $code != 0 ] || code=absent
    [ $code = 0 ] || $b tail -n 60 /tmp/said | $b cut -c 1-2000 | $b sed 's/^/VM said /'
    echo "VM end $test $code $((end - begin))"
done
echo "VM over"
$b poweroff -f
