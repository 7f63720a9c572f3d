"""Makes a system from gem5's own objects, so that it is the same in all versions, with and without Ruby.

Its names are vSwarm-u's: system.cpu0, cpu1 ... are the cores that a setup runs on and an evaluation measures (the
function is on cpu1), system.atomic_cpu0 ... those that warm caches and branch predictors. Of two machines the system
under test is testsys, the driving node drivesys.
"""
import m5.objects as library

import driver
import names
import simple
import skylake
import x86
from arguments import has_workload
from status import Refused

KINDS = {"simple": (simple, "timing"), "skylake": (skylake, "o3"), "two-machine": (skylake, "o3")}
SETUP_TLB = 16  # a restore refuses a TLB smaller than what the checkpoint holds


def is_setup(arguments):
    """Whether a run boots or warms a guest, on cores without caches, for a checkpoint."""
    return arguments.mode in ("boot", "setup")


class Rig:
    """What is simulated: `system` is under test; `machines` (it and its driving node, if it has one) and `parts` (those
    and their link) are by name."""

    def __init__(self, system, driving=None):
        self.system = system
        self.machines = dict(zip(names.TWO, (system, driving))) if driving else {names.ONE[0]: system}
        self.parts = dict(self.machines, etherlink=driver.make_link(system, driving)) if driving else self.machines


def make(arguments, chosen):
    """A Rig for arguments.mode (boot, setup, evaluation, bind): everything but what --set changes. `chosen` as by
    parameters.choose. Raises Refused for what this gem5 cannot make."""
    kind, usual = KINDS[arguments.system]
    core, memory = chosen.get("core", usual), chosen.get("memory", kind.MEMORY)
    system = make_machine(arguments, kind, core, memory, arguments.cores, arguments.memory)
    if not is_setup(arguments) and core != "atomic":  # those warm their caches themselves
        system.atomic_cpu = [make_core("AtomicSimpleCPU", i, switched_out=True) for i in range(arguments.cores)]
        for warmer in warmers(system):
            warmer.createThreads()
    if names.machines(arguments.system) == names.ONE:
        return Rig(system)
    return Rig(system, make_machine(
        arguments, driver, driver.CORE, driver.MEMORY, driver.CORES, arguments.driver_memory, arguments.cores))


def make_machine(arguments, kind, core, memory, cores, size, queues=0):
    """`size` is the memory's in bytes; `queues` are the event queues that other machines' cores have."""
    system = library.System()
    setup = is_setup(arguments)
    system.clk_domain = library.SrcClockDomain(
        clock=arguments.setup_clock if setup and not arguments.kvm else kind.CLOCK,
        voltage_domain=library.VoltageDomain())
    x86.check_memory(size)
    system.mem_ranges = [library.AddrRange(size)]
    system.membus = library.SystemXBar(width=64)
    if setup:
        system.membus.snoop_filter = library.NULL  # without caches there is nothing to snoop
    system.membus.badaddr_responder = library.BadAddr()
    system.membus.default = system.membus.badaddr_responder.pio
    system.system_port = system.membus.cpu_side_ports
    x86.make_platform(system, cores, cached=not setup, has_workload=has_workload(arguments))
    system.exit_on_work_items = True
    if setup:
        make_setup_cores(system, arguments.kvm, cores, queues)
    else:
        make_cores(system, kind, core, cores)
    make_memory(system, "simple" if setup else memory)
    return system


def make_setup_cores(system, kvm, count, queues):
    """No caches: nothing of them would be in the checkpoint, and it is faster."""
    cores = [make_core("KvmCPU" if kvm else "AtomicSimpleCPU", i) for i in range(count)]
    system.cpu = cores
    if kvm:
        system.kvm_vm = library.KvmVM()
        system.mem_mode = "atomic_noncaching"
    else:
        system.mem_mode = "atomic"
    for number, core in enumerate(cores, queues + 1):
        core.createThreads()
        core.mmu.itb.size = core.mmu.dtb.size = SETUP_TLB
        core.icache_port = core.dcache_port = system.membus.cpu_side_ports
        for port in x86.walkers(core):
            system.membus.cpu_side_ports = port
        x86.connect_interrupts(core, system.membus)
        if kvm:
            # Each core has a host's thread of its own; its devices stay with the others.
            for item in core.descendants():
                item.eventq_index = 0
            core.eventq_index = number


def make_cores(system, kind, name, count):
    system.cpu = [make_core(names.CORES[name], i) for i in range(count)]
    system.mem_mode = "atomic" if name == "atomic" else "timing"
    for core in system.cpu:
        core.createThreads()
        kind.tune(core, name)
    kind.make_caches(system, x86.walkers)
    for core in system.cpu:
        x86.connect_interrupts(core, system.membus)


def warmers(system):
    """The atomic cores that stand in for the measured ones, in the same order; none in a setup, or of a driving
    node."""
    return list(getattr(system, "atomic_cpu", []))


def make_core(kind, number, **more):
    return x86.core_class(kind)(cpu_id=number, **more)


def make_memory(system, name):
    """One controller over all of the memory; its name is vSwarm-u's for its kind."""
    if not hasattr(library, names.MEMORIES[name]):
        raise Refused("bad-value", "memory=%s: this gem5 has no %s" % (name, names.MEMORIES[name]))
    memory = getattr(library, names.MEMORIES[name])(range=system.mem_ranges[0])
    if name == "simple":
        system.mem_cntrl = memory
        memory.port = system.membus.mem_side_ports
    else:
        system.mem_cntrls = [library.MemCtrl(dram=memory, port=system.membus.mem_side_ports)]


def share_predictors(system):
    """The atomic cores train the predictors of the cores they stand in for; once --set has chosen those."""
    for core, atomic in zip(system.cpu, warmers(system)):
        predictor = core._values.get("branchPred")
        if predictor is not None and predictor is not library.NULL:
            atomic.branchPred = predictor


def check_tlbs(system, found):
    """A TLB must have room for what the checkpoint holds; `found` is record.facts'."""
    for core in system.cpu:
        for name, tlb in (("itb", core.mmu.itb), ("dtb", core.mmu.dtb)):
            if int(tlb.size) < found[name]:
                raise Refused("bad-value", "cpu.mmu.%s.size: %s entries cannot hold the %d that are in the checkpoint"
                              % (name, tlb.size, found[name]))


def load(system, arguments, command_line, script):
    """What the machine runs."""
    system.workload.object_file = arguments.kernel
    system.workload.command_line = command_line
    system.readfile = script
    # A booted guest has not looked at the second disk yet (the guest's init forgets it): any will do in its place.
    second = arguments.disk if arguments.for_workload_disks else arguments.workload_disk
    x86.attach_disks(system, arguments.disk, second)


def make_root(rig, arguments):
    root = library.Root(full_system=True, **rig.parts)
    if is_setup(arguments) and arguments.kvm:
        root.sim_quantum = 10**9  # ticks (1 ms): how far the cores' threads may be apart; vSwarm-u's number
    return root
