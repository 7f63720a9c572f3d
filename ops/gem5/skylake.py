"""The system skylake: an out-of-order core and caches with the numbers of a Skylake server processor.

Sources, named at the numbers:
[u] vSwarm-u's public Skylake configuration (gem5utils/systems/skylake of github.com/vhive-serverless/vSwarm-u): its
    tuned core, which its authors fitted to the hardware; where they raised a number, Intel's stands beside it.
[i] Intel 64 and IA-32 Architectures Optimization Reference Manual (248966): chapters on the Skylake client and
    server microarchitectures (ports, buffers, caches, TLBs).
[a] A. Fog, The microarchitecture of Intel, AMD and VIA CPUs, chapter on Skylake (register files, ports).
"""
import m5.objects as library

CLOCK = "2.5GHz"  # [u]; the base clock of a Xeon E5/Gold of that time
MEMORY = "ddr4-2400"  # [u]: DDR4-2400, 16 devices of 4 bits; [i] up to DDR4-2666

CORE = {
    # Stages: 4 instructions a cycle are decoded and renamed in the hardware [i]; [u] raises the front end to 8.
    "fetchWidth": 8, "decodeWidth": 8, "renameWidth": 12, "dispatchWidth": 8, "issueWidth": 8,  # [u]; 8 ports [i]
    "wbWidth": 8, "commitWidth": 8, "squashWidth": 12,  # [u]
    # Depths for a pipeline of about 15 stages [u].
    "fetchToDecodeDelay": 3, "decodeToRenameDelay": 1, "renameToIEWDelay": 9, "issueToExecuteDelay": 1,
    "iewToCommitDelay": 6, "forwardComSize": 19, "backComSize": 19,
    "fetchBufferSize": 16,  # bytes a cycle [i]
    "fetchQueueSize": 64,  # [u], [i]: entries of the instruction decode queue, per thread
    "numROBEntries": 336,  # [u]; 224 [i]
    "numIQEntries": 146,  # [u]; 97 [i]
    "LQEntries": 144,  # [u]; 72 [i]
    "SQEntries": 112,  # [u]; 56 [i]
    "numPhysIntRegs": 270,  # [u]; 180 [a]
    "numPhysFloatRegs": 252,  # [u]; 168 [a]
}

# Operations: latencies in cycles; those with a latency of 1 have nothing to pipeline. [i] ports, [u] latencies.
VECTOR_INTEGER = {name: 1 for name in (
    "SimdAdd", "SimdAddAcc", "SimdAlu", "SimdCmp", "SimdShift", "SimdShiftAcc")}
VECTOR_REDUCTION = {"SimdReduceAdd": 1, "SimdReduceAlu": 1, "SimdReduceCmp": 1, "SimdMisc": 1}
VECTOR_FLOAT = {name: 4 for name in (
    "SimdFloatAdd", "SimdFloatAlu", "SimdFloatCmp", "SimdFloatReduceAdd", "SimdFloatReduceCmp")}
FLOAT = {"FloatAdd": 4, "FloatCmp": 4, "FloatCvt": 4, "FloatMult": 4, "FloatMultAcc": 5, "SimdCvt": 3, "SimdMult": 4,
         "SimdMultAcc": 4, "SimdFloatCvt": 4, "SimdFloatMult": 4, "SimdFloatMultAcc": 4,
         "FloatMisc": 1}  # emms: from gem5 24.1 on an operation that no unit takes ends the simulation
DIVISION = {"IntDiv": 2, "FloatDiv": 12, "FloatSqrt": 24, "SimdFloatDiv": 12, "SimdFloatSqrt": 20}
READ, WRITE = {"MemRead": 1, "FloatMemRead": 1}, {"MemWrite": 1, "FloatMemWrite": 1}
ARITHMETIC = {"IntAlu": 1, **VECTOR_INTEGER, **VECTOR_REDUCTION, **VECTOR_FLOAT}
# Port -> (how many, operations). [u] multiplies loads (port 2) and stores (4, 7) to stand for what gem5's queues lack.
PORTS = [
    (1, {**ARITHMETIC, **FLOAT, **DIVISION}), (1, {**ARITHMETIC, **FLOAT, "IntMult": 2}), (12, READ), (1, READ),
    (12, WRITE), (1, ARITHMETIC), (3, {"IntAlu": 1, **VECTOR_INTEGER}), (1, WRITE),
]

# The predictor of the hardware is not public; [u]: LTAGE with these tables, and an indirect predictor of 128 x 4.
TAGE = {
    "nHistoryTables": 12, "minHist": 4, "maxHist": 34, "logUResetPeriod": 19,
    "tagTableTagWidths": [0, 7, 7, 8, 8, 9, 10, 11, 12, 12, 13, 14, 15],
    "logTagTableSizes": [14, 10, 10, 11, 11, 11, 11, 10, 10, 10, 10, 9, 9],
}
INDIRECT = {"indirectSets": 128, "indirectWays": 4, "indirectTagSize": 16, "indirectPathLength": 7,
            "indirectGHRBits": 16}

L1 = {"size": "32KiB", "assoc": 8,  # [i]
      "tag_latency": 1, "data_latency": 1, "response_latency": 1, "tgts_per_mshr": 16,  # [u]
      "mshrs": 10, "demand_mshr_reserve": 5}  # [i] 10 to 12 fill buffers; [u]
L1I = {**L1, "write_buffers": 32, "is_read_only": True}  # [u]
L1D = {**L1, "write_buffers": 12}  # [u]
WALKS = {"size": "8KiB", "assoc": 4, "tag_latency": 1, "data_latency": 1, "response_latency": 1, "mshrs": 32,
         "tgts_per_mshr": 1, "write_buffers": 32}  # [u]: stands for the caches of page walks and the second-level TLB
L2 = {"size": "1MiB", "assoc": 8,  # [u]; 1 MiB, 16 ways, 14 cycles [i]
      "tag_latency": 12, "data_latency": 12, "response_latency": 6, "mshrs": 32, "tgts_per_mshr": 1,
      "write_buffers": 56}  # [u]
L3 = {"size": "8MiB", "assoc": 16,  # [u]; 1.375 MiB a core, 11 ways, 50 to 70 cycles [i]
      "tag_latency": 36, "data_latency": 36, "response_latency": 1, "mshrs": 32, "tgts_per_mshr": 2,
      "write_buffers": 64}  # [u]
ITLB, DTLB = 128, 64  # entries for pages of 4 KiB [i]; vSwarm-u leaves gem5's 64 for both


def make_units():
    pool = [library.FUDesc(count=count, opList=[
        library.OpDesc(opClass=name, opLat=latency, pipelined=True) for name, latency in operations.items()])
            for count, operations in PORTS]
    return library.FUPool(FUList=pool)


def make_predictor():
    predictor = library.LTAGE(tage=library.LTAGE_TAGE(**TAGE))
    if "indirectBranchPred" in predictor._params:
        predictor.indirectBranchPred = library.SimpleIndirectPredictor(**INDIRECT)
    return predictor


def tune(core, kind):
    """Gives a core Skylake's numbers; a core of another kind than o3 gets the predictor and the TLBs only."""
    core.branchPred = make_predictor()
    core.mmu.itb.size, core.mmu.dtb.size = ITLB, DTLB
    if kind == "o3":
        for name, value in CORE.items():
            setattr(core, name, value)
        core.fuPool = make_units()


def make_cache(numbers, prefetches=False):
    """[u]: the first level fetches the next line, and replaces by a tree. What a hit on a prefetched line does is set,
    because gem5's default for it changed in 24.0."""
    cache = library.Cache(**numbers)
    if prefetches:
        cache.prefetcher = library.TaggedPrefetcher(
            degree=1, queue_size=2, on_inst=True, prefetch_on_access=False, prefetch_on_pf_hit=True)
        cache.replacement_policy = library.TreePLRURP()
    return cache


def make_caches(system, walkers):
    """icache, dcache, mmucache and l2cache in each core, l3cache in the system: vSwarm-u's names."""
    system.l3bus = library.L2XBar(width=64, snoop_filter=library.SnoopFilter(max_capacity="32MiB"))
    for core in system.cpu:
        core.l2bus = library.L2XBar()
        core.mmubus = library.L2XBar()
        core.icache, core.dcache = make_cache(L1I, True), make_cache(L1D, True)
        core.mmucache, core.l2cache = make_cache(WALKS, True), make_cache(L2)
        core.dcache.write_allocator = library.WriteAllocator(
            coalesce_limit=2, no_allocate_limit=8, delay_threshold=8)  # [u]
        core.icache.cpu_side, core.dcache.cpu_side = core.icache_port, core.dcache_port
        core.mmucache.cpu_side = core.mmubus.mem_side_ports
        for port in walkers(core):
            core.mmubus.cpu_side_ports = port
        for cache in (core.icache, core.dcache, core.mmucache):
            cache.mem_side = core.l2bus.cpu_side_ports
        core.l2cache.cpu_side = core.l2bus.mem_side_ports
        core.l2cache.mem_side = system.l3bus.cpu_side_ports
    system.l3cache = make_cache(L3)
    system.l3cache.cpu_side = system.l3bus.mem_side_ports
    system.l3cache.mem_side = system.membus.cpu_side_ports
