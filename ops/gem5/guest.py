"""What is agreed with the guest: the script it is handed, the marks it makes, its kernel's command line."""

# m5 fail CODE, as in vSwarm-u's run scripts and test client; from 40 on of this project's own guest.
BOOTED, CONTAINER, PINNED, STOPPED, CLIENT_STARTS, CLIENT_STOPS = 1, 2, 3, 6, 10, 11
WARMING, WARMED = 31, 32
WRONG_ANSWER, FUNCTION_LOST, NO_CONTAINER = 40, 41, 42
END = -1
PHASES = {BOOTED: "container", CONTAINER: "pin", WARMING: "warm-up"}

MANY = 1000000  # invocations offered to an evaluation: as many as it wants from one checkpoint

SCRIPT = """#!/bin/sh
m5 fail {booted}
if command -v usweep-function >/dev/null; then
    exec usweep-function {function} {warming}
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


def run_script(function, warming):
    """The script that the guest reads by `m5 readfile` once it is up, for this project's guest and vSwarm-u's."""
    if not all(letter.isalnum() or letter in "-_." for letter in function):
        raise ValueError("'%s' is no function's name" % function)
    return SCRIPT.format(
        function=function, warming=warming, many=MANY, booted=BOOTED, container=CONTAINER, pinned=PINNED,
        client_starts=CLIENT_STARTS, client_stops=CLIENT_STOPS, stopped=STOPPED, end=END)


def root_device(disk):
    """A disk that is one ext file system (its magic number at 1080) has no partitions; others are as vSwarm-u's."""
    with open(disk, "rb") as file:
        file.seek(1080)
        return "/dev/sda" if file.read(2) == b"\x53\xef" else "/dev/hda2"


def command_line(root, more=""):
    """lpj, no_timer_check and cpu_init_udelay spare loops that wait for a clock. Without idle=nomwait an idle core
    watches an address (MONITOR, MWAIT), and gem5 forgets which when the core is restored or another takes over: it
    would sleep on until the next timer interrupt. All else is vSwarm-u's."""
    own = ["ro", "init=/init", "no_timer_check", "cpu_init_udelay=0", "idle=nomwait"] if root == "/dev/sda" else []
    words = ["earlyprintk=ttyS0", "console=ttyS0", "lpj=7999923", "root=" + root, "isolcpus=1",
             "cloud-init=disabled"]
    return " ".join(words + own + more.split())
