"""The system simple: a core that does one thing at a time, and two levels of small caches.

No processor is meant: the sizes are those of vSwarm-u's simple system as its documentation has them (32 KiB in the
first level, 128 KiB in the last), the latencies those of its gem5utils/systems/simple.
"""
import m5.objects as library

CLOCK = "2.5GHz"
MEMORY = "simple"

L1 = {"size": "32KiB", "assoc": 8, "tag_latency": 1, "data_latency": 1, "response_latency": 2, "mshrs": 4,
      "tgts_per_mshr": 16, "write_buffers": 32}
LLC = {"size": "128KiB", "assoc": 8, "tag_latency": 12, "data_latency": 12, "response_latency": 12, "mshrs": 20,
       "tgts_per_mshr": 12, "write_buffers": 56}


def tune(core, _):
    """The core waits for no branch; the predictor is there to be counted (and is the usual one of gem5)."""
    core.branchPred = library.TournamentBP()


def make_caches(system, walkers):
    """icache and dcache in each core, llc in the system: vSwarm-u's names. Page walks go to memory."""
    system.llcbus = library.L2XBar(width=64)
    system.llc = library.Cache(**LLC)
    system.llc.cpu_side = system.llcbus.mem_side_ports
    system.llc.mem_side = system.membus.cpu_side_ports
    for core in system.cpu:
        core.icache = library.Cache(is_read_only=True, **L1)
        core.dcache = library.Cache(**L1)
        core.icache.cpu_side, core.dcache.cpu_side = core.icache_port, core.dcache_port
        core.icache.mem_side = core.dcache.mem_side = system.llcbus.cpu_side_ports
        for port in walkers(core):
            system.membus.cpu_side_ports = port
