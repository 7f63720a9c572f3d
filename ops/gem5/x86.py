"""All that is special to x86: the PC around the cores, the tables that tell Linux about it, the classes of cores.

Another instruction set gets a module with the same functions. The map of addresses is gem5's (arch/x86/x86_traits.hh,
dev/x86/pc.cc); where a device has a choice, it sits where vSwarm-u has it, so that its checkpoints fit.
"""
import m5.objects as library

from arguments import has_workload
from status import Refused

PREFIX = "X86"
IO_SPACE, PCI_SPACE, INTERRUPT_SPACE = 0x8000000000000000, 0xC000000000000000, 0xA000000000000000
APIC_LENGTH = 1 << 12
DEVICES_FROM = 0xC0000000  # 3 GiB: what lies above is devices', so memory ends here at the latest
M5OPS = 0xFFFF0000
IDE_SLOT, ETHERNET_SLOT, ETHERNET_LINE = 4, 2, 11
DEVICES = ["com_1", "ethernet", "ide"]
WORKLOAD = "workload"  # its disk, on the controller's second channel


def core_class(kind):
    """`kind` is a class of gem5 without its instruction set: AtomicSimpleCPU, O3CPU, KvmCPU ..."""
    for name in (PREFIX + kind, "Deriv" + kind, kind):
        if hasattr(library, name):
            return getattr(library, name)
    raise Refused("bad-value", "this gem5 has no core %s%s" % (PREFIX, kind))


def check_memory(size):
    if not 32 << 20 <= size <= DEVICES_FROM:
        raise Refused("bad-value", "a PC's memory is between 32MiB and 3GiB here, not %d bytes" % size)


def make_platform(system, cores, cached, has_workload):
    """Bridges, devices and tables. The system has its membus and its mem_ranges; `cached`: its cores have caches;
    `has_workload`: there will be the disk of one."""
    bus = system.membus
    system.m5ops_base = M5OPS
    system.iobus = library.IOXBar()
    system.bridge = library.Bridge(
        delay="50ns", mem_side_port=system.iobus.cpu_side_ports, cpu_side_port=bus.mem_side_ports,
        ranges=[library.AddrRange(DEVICES_FROM, M5OPS), library.AddrRange(IO_SPACE, INTERRUPT_SPACE - 1),
                library.AddrRange(PCI_SPACE, library.Addr.max)])
    system.apicbridge = library.Bridge(
        delay="50ns", cpu_side_port=system.iobus.mem_side_ports, mem_side_port=bus.cpu_side_ports,
        ranges=[library.AddrRange(INTERRUPT_SPACE, INTERRUPT_SPACE + cores * APIC_LENGTH - 1)])
    connect_dma(system, cached)
    system.pc = library.Pc()
    system.pc.attachIO(system.iobus)
    make_ethernet(system)
    system.workload = library.X86FsLinux()
    describe(system.workload, system.pc, cores, system.mem_ranges[0].size(), interrupt_lines(has_workload))


def connect_dma(system, cached):
    """What devices write to memory has to pass something that takes part in coherence, where there are caches."""
    if not cached:
        system.dmabridge = library.Bridge(
            delay="50ns", cpu_side_port=system.iobus.mem_side_ports, mem_side_port=system.membus.cpu_side_ports,
            ranges=system.mem_ranges)
        return
    system.iocache = library.Cache(
        size="1KiB", assoc=8, tag_latency=50, data_latency=50, response_latency=50, mshrs=20, tgts_per_mshr=12,
        addr_ranges=system.mem_ranges)
    system.iocache.cpu_side = system.iobus.mem_side_ports
    system.iocache.mem_side = system.membus.cpu_side_ports


def make_ethernet(system):
    system.pc.ethernet = library.IGbE_e1000(
        pci_bus=0, pci_dev=ETHERNET_SLOT, pci_func=0, InterruptLine=ETHERNET_LINE, InterruptPin=1)
    system.pc.ethernet.pio = system.iobus.mem_side_ports
    system.pc.ethernet.dma = system.iobus.cpu_side_ports


def attach_disks(system, image, workload):
    """The guest's disk and, unless it is None, the workload's. Of the guest's the file is only read: what the guest
    writes stays in gem5's memory and goes into checkpoints. The workload's takes no writes.

    Each is the master of a channel. gem5 tells the device that is selected, and no other, whether to interrupt; Linux
    takes that for the channel's, so that a slave's first read would wait for an interrupt that never comes."""
    disk = library.IdeDisk(driveID="device0")
    disk.image = library.CowDiskImage(child=library.RawDiskImage(read_only=True), read_only=False)
    disk.image.child.image_file = image
    disks = [disk]
    if workload:
        source = library.RawDiskImage(read_only=True, image_file=workload)
        disks += [library.NULL, library.IdeDisk(driveID="device0", image=source)]
    system.pc.south_bridge.ide.disks = disks


def devices(arguments):
    """What a checkpoint's devices are called in its record."""
    return DEVICES + [WORKLOAD] if has_workload(arguments) else DEVICES


def connect_interrupts(core, bus):
    core.createInterruptController()
    core.interrupts[0].pio = bus.mem_side_ports
    core.interrupts[0].int_requestor = bus.cpu_side_ports
    core.interrupts[0].int_responder = bus.mem_side_ports


def walkers(core):
    """The ports through which page tables are read."""
    return [core.mmu.itb.walker.port, core.mmu.dtb.walker.port]


def describe(workload, pc, cores, memory, lines):
    """BIOS information, the tables of Intel's multiprocessor specification 1.4, ACPI's MADT, the map of memory."""
    workload.smbios_table.structures = [library.X86SMBiosBiosInformation()]
    entries, records = processors(cores)
    io_apic = library.X86IntelMPIOAPIC(id=cores, version=0x11, enable=True, address=0xFEC00000)
    pc.south_bridge.io_apic.apic_id = io_apic.id
    entries += [
        io_apic,
        # Linux takes PCI devices on bus 0 only; gem5's PC has them there.
        library.X86IntelMPBus(bus_id=0, bus_type="PCI   "), library.X86IntelMPBus(bus_id=1, bus_type="ISA   ")]
    records.append(library.X86ACPIMadtIOAPIC(id=io_apic.id, address=io_apic.address, int_base=0))
    for bus, line, pin in lines:
        entries.append(route("INT", bus, line, io_apic.id, pin))
        if bus == 1:
            entries.append(route("ExtInt", bus, line, io_apic.id, 0))
        if bus == 1 or line == IDE_SLOT << 2:
            records.append(library.X86ACPIMadtIntSourceOverride(
                bus_source=bus, irq_source=line, sys_int=pin, flags=0))
    workload.intel_mp_table.base_entries = entries
    workload.intel_mp_table.ext_entries = [
        library.X86IntelMPBusHierarchy(bus_id=1, subtractive_decode=True, parent_bus=0)]
    madt = library.X86ACPIMadt(local_apic_address=0, records=records, oem_id="madt")
    pointer = workload.acpi_description_table_pointer
    pointer.oem_id = "gem5"
    for table in (pointer.rsdt, pointer.xsdt):
        table.entries.append(madt)
        table.oem_id = "gem5"
    workload.e820_table.entries = memory_map(memory)


def processors(count):
    entries = [library.X86IntelMPProcessor(
        local_apic_id=i, local_apic_version=0x14, enable=True, bootstrap=i == 0) for i in range(count)]
    records = [library.X86ACPIMadtLAPIC(acpi_processor_id=i, apic_id=i, flags=1) for i in range(count)]
    return entries, records


def interrupt_lines(has_workload):
    """(bus, line, pin of the I/O APIC): the disk's and the network's on PCI, the old PC's on ISA (timer 0 on pin 2; the
    channels of the disks on 14 and, where the second has a disk, 15)."""
    pci = [(0, IDE_SLOT << 2, 16), (0, ETHERNET_SLOT << 2, ETHERNET_LINE)]
    return pci + [(1, 0, 2), (1, 1, 1)] + [(1, line, line) for line in range(4, 16 if has_workload else 15)]


def route(kind, bus, line, apic, pin):
    """All are edges, also those of PCI: after one by level Linux reads a register that gem5's local APIC lacks."""
    return library.X86IntelMPIOIntAssignment(
        interrupt_type=kind, polarity="ActiveHigh", trigger="EdgeTrigger", source_bus_id=bus,
        source_bus_irq=line, dest_io_apic_id=apic, dest_io_apic_intin=pin)


def memory_map(memory):
    usable, reserved = 1, 2
    spans = [(0, 639 << 10, usable), (0x9FC00, 385 << 10, reserved), (1 << 20, memory - (1 << 20), usable)]
    if memory < DEVICES_FROM:
        spans.append((memory, DEVICES_FROM - memory, reserved))
    spans.append((M5OPS, 1 << 16, reserved))
    return [library.X86E820Entry(addr=start, size="%dB" % size, range_type=kind) for start, size, kind in spans]
