"""The driving node of the system two-machine, and its link to the system under test.

One cheap core, a last-level cache and plain memory, as vSwarm-u's documentation has its driving node; names and
latencies are those of its gem5utils/systems/drive. Nothing of it is measured. A second core would need caches of its
own: without them gem5's timing core does not lock what it reads, changes and writes back.
"""
import m5.objects as library

CLOCK = "2.5GHz"  # that of the system under test: both guests believe in their setup's clock, and so agree on time
MEMORY = "simple"
CORE = "timing"
CORES = 1

LLC = {"size": "8MiB", "assoc": 8, "tag_latency": 5, "data_latency": 5, "response_latency": 5, "mshrs": 20,
       "tgts_per_mshr": 12}

# 1 Gbit/s is what the card can do (Intel 82540 to 82547, the e1000 of gem5 and Linux), and gem5's own number; the delay
# is the one that gem5's configurations give to links between simulated machines (configs/common/Options.py).
LINK = {"speed": "1Gbps", "delay": "10us"}


def tune(core, _):
    """A driving node has gem5's usual core."""


def make_caches(system, walkers):
    system.llc_bus = library.L2XBar(width=64)
    system.llc_cache = library.Cache(**LLC)
    system.llc_cache.cpu_side = system.llc_bus.mem_side_ports
    system.llc_cache.mem_side = system.membus.cpu_side_ports
    for core in system.cpu:
        for port in [core.icache_port, core.dcache_port] + walkers(core):
            system.llc_bus.cpu_side_ports = port


def make_link(tested, driver):
    link = library.EtherLink(**LINK)
    link.int0 = tested.pc.ethernet.interface
    link.int1 = driver.pc.ethernet.interface
    return link
