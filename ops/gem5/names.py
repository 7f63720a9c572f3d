"""Short names of what studies vary, and the nearest valid name to a wrong one. Knows nothing of gem5's library."""
import difflib

# The machines of a system by their names in gem5, which are vSwarm-u's; the first is the system under test.
ONE, TWO = ("system",), ("testsys", "drivesys")


def machines(system):
    return TWO if system == "two-machine" else ONE


LLC = ("llc", "l3cache")  # vSwarm-u's name in its simple and in its skylake system
PIPELINE = ("fetch", "decode", "rename", "dispatch", "issue", "wb", "commit", "squash")


def cache(short, *paths):
    """The names of one cache; where there are several paths, the first that the system has is meant."""
    parameters = {"size": "size", "ways": "assoc", "mshrs": "mshrs", "write-buffers": "write_buffers"}
    table = {"%s.%s" % (short, name): [[path + "." + parameter for path in paths]]
             for name, parameter in parameters.items()}
    table[short + ".latency"] = [[path + "." + kind for path in paths] for kind in ("tag_latency", "data_latency")]
    return table


# Short name -> the parameters it sets, each as a list of paths of which the first that exists is meant (gem5 has
# moved some between versions 22 and 24). `cpu` stands for all measured cores.
SCALARS = {
    **cache("l1i", "cpu.icache"), **cache("l1d", "cpu.dcache"), **cache("l2", "cpu.l2cache"), **cache("llc", *LLC),
    "itlb.size": [["cpu.mmu.itb.size"]],
    "dtlb.size": [["cpu.mmu.dtb.size"]],
    "core.width": [["cpu.%sWidth" % stage] for stage in PIPELINE],
    "core.rob": [["cpu.numROBEntries"]],
    "core.iq": [["cpu.numIQEntries"]],
    "core.lq": [["cpu.LQEntries"]],
    "core.sq": [["cpu.SQEntries"]],
    "core.int-registers": [["cpu.numPhysIntRegs"]],
    "core.float-registers": [["cpu.numPhysFloatRegs"]],
    "core.fetch-buffer": [["cpu.fetchBufferSize"]],
    "core.fetch-queue": [["cpu.fetchQueueSize"]],
    "btb.size": [["cpu.branchPred.btb.numEntries", "cpu.branchPred.BTBEntries"]],
    "ras.size": [["cpu.branchPred.ras.numEntries", "cpu.branchPred.RASSize"]],
    "clock": [["clk_domain.clock"]],
}

PREDICTORS = {
    "local": ["LocalBP"], "bimodal": ["LocalBP"], "bimode": ["BiModeBP"], "tournament": ["TournamentBP"],
    "gshare": ["GshareBP"], "tage": ["TAGE"], "ltage": ["LTAGE"], "tage-sc-l": ["TAGE_SC_L_64KB"],
    "tage-sc-l-8kb": ["TAGE_SC_L_8KB"], "perceptron": ["MultiperspectivePerceptron64KB"],
    "perceptron-tage": ["MultiperspectivePerceptronTAGE64KB"],
}
PREFETCHERS = {
    "none": [None], "tagged": ["TaggedPrefetcher"], "stride": ["StridePrefetcher"], "ampm": ["AMPMPrefetcher"],
    "bop": ["BOPPrefetcher"], "spp": ["SignaturePathPrefetcher"], "dcpt": ["DCPTPrefetcher"],
}
REPLACEMENTS = {
    "lru": ["LRURP"], "tree-plru": ["TreePLRURP"], "random": ["RandomRP"], "fifo": ["FIFORP"], "lip": ["LIPRP"],
    "bip": ["BIPRP"], "brrip": ["BRRIPRP"], "srrip": ["RRIPRP"], "ship": ["SHiPMemRP"],
}


def kinds(suffix, table):
    paths = {"l1i": ["cpu.icache"], "l1d": ["cpu.dcache"], "l2": ["cpu.l2cache"], "llc": list(LLC)}
    parameter = {"prefetcher": "prefetcher", "replacement": "replacement_policy"}[suffix]
    return {"%s.%s" % (short, suffix): ([[path + "." + parameter for path in where]], table)
            for short, where in paths.items()}


# Short name -> (parameters as above, value -> classes of gem5, the first that this gem5 has is meant): a whole object
# is replaced.
OBJECTS = {
    "branch-predictor": ([["cpu.branchPred"]], PREDICTORS),
    **kinds("prefetcher", PREFETCHERS), **kinds("replacement", REPLACEMENTS),
}

# What is chosen while the system is made. Short name -> value -> classes of gem5.
CORES = {"atomic": "AtomicSimpleCPU", "timing": "TimingSimpleCPU", "minor": "MinorCPU", "o3": "O3CPU"}
MEMORIES = {
    "simple": "SimpleMemory", "ddr3-1600": "DDR3_1600_8x8", "ddr3-2133": "DDR3_2133_8x8",
    "ddr4-2400": "DDR4_2400_16x4", "ddr4-2400-8x8": "DDR4_2400_8x8", "ddr5-4400": "DDR5_4400_4x8",
    "ddr5-6400": "DDR5_6400_4x8", "lpddr3-1600": "LPDDR3_1600_1x32", "hbm-1000": "HBM_1000_4H_1x128",
}
CHOICES = {"core": CORES, "memory": MEMORIES}
# What tells one choice from another in config.ini: all kinds of DRAM have one type.
EVIDENCE = {"core": ["type"], "memory": ["type", "tCK", "device_bus_width", "devices_per_rank"]}

SHORT = sorted({**SCALARS, **OBJECTS, **CHOICES})


def is_short(axis):
    return axis in SCALARS or axis in OBJECTS or axis in CHOICES


def depth(axis):
    """How far below the system its parameter is; 0 for what is chosen with the system."""
    if axis in CHOICES:
        return 0
    places = SCALARS.get(axis) or OBJECTS.get(axis, ([[axis]], None))[0]
    return min(len([step for step in path.split(".") if step != "system"]) for paths in places for path in paths)


def order(settings):
    """What may replace an object comes before what sets parameters of it; else the given order stays."""
    return sorted(settings, key=lambda setting: depth(setting[0]))


def nearest(name, valid):
    """The valid name that is most like a wrong one; None if none is like it."""
    found = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
    if found:
        return found[0]
    folded = {other.lower(): other for other in valid}
    found = difflib.get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None

