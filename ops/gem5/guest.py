"""What is agreed with the guest: the script it is handed, the marks it makes, its kernel's command line."""
import collections

# m5 fail CODE, as in vSwarm-u's run scripts and test client; from 40 on of this project's own guest.
BOOTED, CONTAINER, PINNED, STOPPED, CLIENT_STARTS, CLIENT_STOPS = 1, 2, 3, 6, 10, 11
WARMING, WARMED, OTHERS = 31, 32, 33
WRONG_ANSWER, FUNCTION_LOST, NO_CONTAINER, NO_NETWORK = 40, 41, 42, 43
END = -1
PHASES = {BOOTED: "container", CONTAINER: "pin", WARMING: "warm-up"}

MANY = 1000000  # invocations offered to an evaluation: as many as it wants from one checkpoint

# What a measured call finds: what the call before left, what a program on its core left, or empty caches and buffers.
# gem5 cannot empty a branch predictor: before such a call a program of so many bytes, half of them code, overwrites
# what it has learnt.
STATES = ("warm", "lukewarm", "cold-caches")
OVERWRITING = 2 << 20
PLAN = "# usweep-plan "

# Of two machines; vSwarm-u's.
SERVER, DRIVER = "10.0.2.17", "10.0.2.18"

# A script for this project's guest and vSwarm-u's.
ALONE_SCRIPT = """#!/bin/sh
m5 fail {booted}
if command -v usweep-function >/dev/null; then
    exec usweep-function {warming}
fi
# A disk of vSwarm-u.
docker-compose -f /root/functions.yaml up -d {function} && m5 fail {container}
docker update function --cpuset-cpus 1
sleep 5
m5 fail {pinned}
m5 fail {client_starts}
/root/test-client -function-name {function} -url localhost -port 50000 -n {many} -w {warming} -m5ops -input 10
m5 fail {client_stops}
docker-compose -f /root/functions.yaml down
m5 fail {stopped}
m5 fail {end}
"""

# The system under test of two machines. Only once the function is there has it a network.
SERVER_SCRIPT = """#!/bin/sh
m5 fail {booted}
if command -v usweep-serve >/dev/null; then
    exec usweep-serve {server}
fi
# A disk of vSwarm-u.
docker-compose -f /root/functions.yaml up -d {function} && m5 fail {container}
docker update function --cpuset-cpus 1
sleep 5
m5 fail {pinned}
ifconfig enp0s2 {server} up
while :; do sleep 3600; done
"""

# The machine that drives it. Its boot has no mark: what the run waits for is the other's.
DRIVER_SCRIPT = """#!/bin/sh
if command -v usweep-drive >/dev/null; then
    exec usweep-drive {warming} {driver} {server}
fi
# A disk of vSwarm-u.
ifconfig enp0s2 {driver} up
until ping -c 1 {server} >/dev/null; do sleep 1; done
m5 fail {client_starts}
/root/test-client -function-name {function} -url {server} -port 50000 -n {many} -w {warming} -m5ops -input 10
m5 fail {client_stops}
m5 fail {end}
"""


# A guest that is booted for any function: each machine marks that it is up and then looks for its script; it gets one
# once it was restored. Until then, and where a restore comes while it reads, what it gets is this one, or begins with it.
BOOT_SCRIPT = """#!/bin/sh
# usweep-boot
m5 fail {booted}
while m5 readfile >/tmp/next && grep -q '^# usweep-boot' /tmp/next; do sleep 0.01; done
exec sh /tmp/next
"""


# What a machine is there for: its script, that script's file, and its kernel's words. Whatever may be elsewhere is kept
# off core 1, which is the function's: with two machines also the network's interrupts.
Role = collections.namedtuple("Role", "script file words")
ALONE = Role(ALONE_SCRIPT, "run.sh", ["isolcpus=1"])
SERVES = Role(SERVER_SCRIPT, "run.sh", ["isolcpus=1", "irqaffinity=0"])
DRIVES = Role(DRIVER_SCRIPT, "run_drive.sh", [])
ROLES = {"system": ALONE, "testsys": SERVES, "drivesys": DRIVES}  # by the machine's name in gem5


def boot_script():
    """The script of each machine that is booted for any function."""
    return BOOT_SCRIPT.format(booted=BOOTED)


def run_script(function, warming, role=ALONE):
    """The script that a guest reads by `m5 readfile` once it is up."""
    if not all(letter.isalnum() or letter in "-_." for letter in function):
        raise ValueError("'%s' is not a function's name" % function)
    return role.script.format(
        function=function, warming=warming, many=MANY, server=SERVER, driver=DRIVER, booted=BOOTED,
        container=CONTAINER, pinned=PINNED, client_starts=CLIENT_STARTS, client_stops=CLIENT_STOPS, stopped=STOPPED,
        end=END)


def plan(state, stress, warming, measured):
    """The line of an evaluation's script that tells the restored guest what runs between calls; empty: nothing.
    `stress` is the footprint in the state lukewarm, in bytes."""
    footprint = {"warm": 0, "lukewarm": stress, "cold-caches": OVERWRITING}[state]
    return "%sE %d %d stress=%d\n" % (PLAN, warming, measured, footprint) if footprint else ""


def read_disk(disk, offset, length):
    with open(disk, "rb") as file:
        file.seek(offset)
        return file.read(length)


def root_device(disk):
    """A disk that is one ext file system (its magic number at 1080) has no partitions; others are as vSwarm-u's."""
    return "/dev/sda" if read_disk(disk, 1080, 2) == b"\x53\xef" else "/dev/hda2"


def needs_workload(disk):
    """Whether it is this project's guest, by its label (in an ext file system at 1144): what it runs is on a disk of
    its own."""
    return root_device(disk) == "/dev/sda" and read_disk(disk, 1144, 16).rstrip(b"\0") == b"usweep"


def command_line(root, more="", role=ALONE):
    """lpj, no_timer_check and cpu_init_udelay spare loops that wait for a clock. Without tsc=reliable Linux takes the
    cores' clocks for those of several machines, counts ticks in their place, and has neither fine timers nor idle
    cores without ticks. Without idle=nomwait an idle core watches an address (MONITOR, MWAIT), and gem5 forgets which
    when the core is restored or another takes over: it would sleep on until the next timer interrupt. All else is
    vSwarm-u's."""
    own = ["ro", "init=/init", "no_timer_check", "cpu_init_udelay=0", "tsc=reliable", "idle=nomwait"]
    words = ["earlyprintk=ttyS0", "console=ttyS0", "lpj=7999923", "root=" + root] + role.words
    return " ".join(words + ["cloud-init=disabled"] + (own if root == "/dev/sda" else []) + more.split())
