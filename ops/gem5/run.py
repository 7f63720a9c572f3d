"""A full-system run of one function in gem5, made from inside gem5:

    gem5.opt --outdir=FOLDER run.py --mode boot|setup|evaluation --kernel vmlinux --disk disk.img --function NAME ...

Everything is written below FOLDER and the checkpoint's folder. status.jsonl in FOLDER says what happened; its last
line is the end. Exit status: 0 done, 3 refused before anything was simulated, 4 the simulation went wrong.
"""
import json
import os
import sys
import traceback

sys.dont_write_bytecode = True  # the package's folder is not this run's

import _m5.core
import m5
import m5.objects

import arguments as command
import guest
import names
import parameters
import pulse
import record
import simulation
import systems
import trial
import until
import x86
from status import DONE, FAILED, REFUSED, Refused, Status

MEMORY, CORES = 2 << 30, 2  # vSwarm-u's
KVM_TRIAL = 10**9  # ticks: 1 ms
KVM_TRIAL_MEMORY = 64 << 20  # of a guest that does nothing
VERSION = _m5.core.gem5Version
OLDEST = 22


def check_engine():
    """Raises Refused for a gem5 that cannot run these scripts. A development version has no number."""
    major = VERSION.split(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        raise Refused("wrong-engine", "this is gem5 %s; %d or newer is needed" % (VERSION, OLDEST))
    if not hasattr(m5.objects, x86.PREFIX + "FsLinux"):
        raise Refused("wrong-engine", "this gem5 was built without x86; name one that was, as build/X86/gem5.opt")


def make(arguments, settings):
    """What is simulated, with the settings' values; returns (rig, binder)."""
    chosen = parameters.choose(settings)
    rig = systems.make(arguments, chosen)
    system, binder = rig.system, parameters.Binder(rig.parts, m5.objects)
    if "core" in chosen:
        binder.note_choice("core", dict(settings)["core"], list(system.cpu))
    if "memory" in chosen:
        items = system.mem_cntrl if chosen["memory"] == "simple" else system.mem_cntrls[0].dram
        binder.note_choice("memory", dict(settings)["memory"], [items])
    binder.set_all(settings)
    if not systems.is_setup(arguments):
        systems.share_predictors(system)
    return rig, binder


def digests(arguments):
    """As a checkpoint's record has them."""
    known = arguments.digests
    return {name.replace("-", "_"): known.get(name) or record.digest_of(path)
            for name, path in command.files(arguments).items()}


def complete(arguments, status):
    """Fills in what was not given; where a checkpoint is restored from that, which must fit, but for what is forced.
    Returns its facts."""
    found, folder = None, restored(arguments)
    if folder:
        found, known = record.facts(folder), record.read(folder)
        wanted = dict(digests(arguments) if known else {}, memory_bytes=arguments.memory, cores=arguments.cores,
                      machines=sorted(names.machines(arguments.system)), devices=x86.devices(arguments),
                      disks=2 if arguments.workload_disk else 1, workload=arguments.function, gem5=VERSION)
        if arguments.booted:
            wanted.update(workload_disk=None, workload="")
        forced = [name.replace("-", "_") for name in arguments.forced]
        differences = record.check(folder, known, found, wanted, forced)
        if forced:
            status.say("forced", items=arguments.forced, differences=differences)
        arguments.memory, arguments.cores = found["memory_bytes"], found["cores"]
    set_usual(arguments)
    if found:
        arguments.driver_memory = found.get("driver_memory_bytes")
    if arguments.kvm:
        check_kvm()
    return found


def restored(arguments):
    """The folder of the checkpoint that the run starts from, or None."""
    if arguments.mode == "evaluation":
        return command.checkpoint_folder(arguments, arguments.use_checkpoint)
    return arguments.booted


def check_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise Refused("missing-file", "--kvm: /dev/kvm cannot be opened on this host")
    if not hasattr(m5.objects, x86.PREFIX + "KvmCPU"):
        raise Refused("no-kvm", "this gem5 was built without KVM; build it where linux/kvm.h is, with USE_KVM")


def set_usual(arguments):
    arguments.memory = arguments.memory or MEMORY
    arguments.cores = arguments.cores or CORES
    arguments.driver_memory = arguments.memory


def recorder(arguments, known):
    """Writes a checkpoint's record; `known` are the digests of what it was made with."""
    def write(folder, kind):
        warming = arguments.functional_warming if kind == "warm" else 0
        record.write(folder, {
            **known, "engine": {"version": VERSION, "build": _m5.core.compileDate,
                              "digest": arguments.digests.get("engine")},
            "script": record.scripts(), "system": arguments.system, "workload": arguments.function,
            "machines": sorted(names.machines(arguments.system)), "memory_bytes": arguments.memory,
            "cores": arguments.cores, "devices": x86.devices(arguments),
            "functional_warming": warming})
    return write


def write_script(arguments, outdir, role):
    """The guest's script: for a function as agreed with the guest, else the caller's own."""
    if not arguments.function and arguments.mode != "boot":
        return arguments.script
    path = os.path.join(outdir, role.file)
    with open(path, "w", encoding="utf-8") as file:
        if arguments.mode == "boot":
            file.write(guest.boot_script())
            return path
        file.write(guest.run_script(arguments.function, arguments.functional_warming, role))
        file.write(guest.plan(arguments.state, arguments.stress, arguments.atomic_warming, arguments.num_invocations))
    return path


def prepare(arguments, status, outdir):
    """What is simulated, made and loaded, and known to be what gem5 takes. Raises Refused."""
    found = complete(arguments, status)
    root = arguments.root or guest.root_device(arguments.disk)
    rig, binder = make(arguments, arguments.settings)
    if found:
        systems.check_tlbs(rig.system, found)
    for name, machine in rig.machines.items():
        role = guest.ROLES[name]
        line = guest.command_line(root, arguments.kernel_arguments, role)
        systems.load(machine, arguments, line, write_script(arguments, outdir, role))
    systems.make_root(rig, arguments)
    m5.disableAllListeners()
    try_out(arguments, outdir)
    return rig, binder


def try_out(arguments, outdir):
    """Some values, and a host's KVM, are refused only when the system is set up or started."""
    def start():
        m5.instantiate()
        if arguments.kvm:
            m5.simulate(KVM_TRIAL)
    error = trial.attempt(start, outdir)[1]
    if error and arguments.kvm:
        raise Refused("no-kvm", "gem5 cannot use this host's KVM: %s; leave out --kvm" % error)
    if error:
        raise Refused("bad-value" if arguments.settings else "fatal", "gem5 does not take this system: %s" % error)


def heart_of(rig, status, outdir):
    """Its clock can be read only once the system is instantiated."""
    cores = [core for machine in rig.machines.values() for core in list(machine.cpu) + systems.warmers(machine)]
    terminals = [os.path.join(outdir, name + ".pc.com_1.device") for name in rig.machines]
    return pulse.Pulse(status, cores, rig.system.clk_domain.clock[0].getValue(), terminals)


def simulate(arguments, status, outdir):
    """Raises End or Refused, always."""
    known = digests(arguments) if systems.is_setup(arguments) else {}
    rig, binder = prepare(arguments, status, outdir)
    if systems.is_setup(arguments):
        os.makedirs(os.path.join(arguments.checkpoint_dir, arguments.function), exist_ok=True)
        m5.instantiate(restored(arguments))
        kind, more = (simulation.Boot, [len(rig.machines)]) if arguments.mode == "boot" else (simulation.Setup, [])
        run = kind(rig.system, arguments, status, recorder(arguments, known), heart_of(rig, status, outdir), *more)
    else:
        m5.instantiate(restored(arguments))
        more = [until.Until(arguments.until_by, arguments.until, outdir, status)] if arguments.until else []
        run = simulation.Evaluation(rig.system, systems.warmers(rig.system), arguments, status,
                                    heart_of(rig, status, outdir), *more)
    status.say("parameters", set=binder.report())
    # Else it says with each slice of time that it goes on.
    _m5.core.setLogLevel(_m5.core.LogLevel.WARN)
    if arguments.mode == "evaluation":
        run.phase("restore")
    try:
        run.run()
    except KeyboardInterrupt:
        raise simulation.End("interrupted") from None
    finally:
        simulate.counted = (run.begun, run.ended)


simulate.counted = (0, 0)


def bind(arguments, status, outdir):
    """Tries each pair on a system of its own; bind.jsonl gets a line each."""
    with open(arguments.pairs, encoding="utf-8") as file:
        pairs = json.load(file)
    answers = Status(outdir, "bind.jsonl")
    set_usual(arguments)
    for pair in pairs:
        axis, value = pair["axis"], str(pair["value"])
        result, error = trial.attempt(lambda: try_pair(arguments, axis, value), outdir)
        result = result or {"ok": False, "message": error, "near": None}
        answers.line(dict(axis=axis, value=pair["value"], **result))
    raise simulation.End("bind")


def try_pair(arguments, axis, value):
    try:
        chosen = axis in names.CHOICES
        rig, binder = make(arguments, [(axis, value)] if chosen else [])
        if not chosen:
            binder.set(axis, value)
            systems.share_predictors(rig.system)
    except parameters.Unknown as error:
        return {"ok": False, "message": str(error), "near": error.near}
    except (parameters.BadValue, Refused) as error:
        return {"ok": False, "message": str(error), "near": None}
    instantiate_alone(rig, arguments)
    found = binder.report()[-1]
    return {"ok": True, "path": found["path"], "name": found["name"]}


def instantiate_alone(rig, arguments):
    for machine in rig.machines.values():
        machine.workload = m5.objects.StubWorkload()  # there is no kernel to load
    systems.make_root(rig, arguments)
    m5.disableAllListeners()
    m5.instantiate()


def try_kvm(arguments, outdir):
    """Starts a machine of KVM's cores with nothing to do: whatever gem5 asks of a host's KVM, it asks then."""
    check_kvm()
    set_usual(arguments)
    arguments.mode, arguments.kvm, arguments.memory = "setup", True, KVM_TRIAL_MEMORY

    def start():
        rig, _ = make(arguments, [])
        instantiate_alone(rig, arguments)
        m5.simulate(KVM_TRIAL)
    error = trial.attempt(start, outdir)[1]
    if error:
        raise Refused("no-kvm", "gem5 cannot use this host's KVM: %s" % error)
    raise simulation.End("kvm")


def main():
    outdir = m5.options.outdir
    m5.options.dot_config = ""  # where pydot is installed, drawing the machine takes longer than making it
    status = Status(outdir)
    cause, code, message, result = "python-error", 0, None, FAILED
    try:
        arguments = command.parse(sys.argv[1:])
        status.start(arguments.mode, arguments.system, VERSION)
        check_engine()
        if arguments.mode == "bind":
            bind(arguments, status, outdir)
        elif arguments.mode == "kvm":
            try_kvm(arguments, outdir)
        else:
            simulate(arguments, status, outdir)
    except simulation.End as end:
        cause, code, message = end.cause, end.code, end.message
        result = DONE.get(cause, FAILED)
    except Refused as refused:
        cause, message, result = refused.cause, str(refused), REFUSED
    except KeyboardInterrupt:
        cause = "interrupted"
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        message = "%s: %s" % (type(error).__name__, error)
    finally:
        begun, ended = simulate.counted
        more = {"message": message} if message else {}
        if message:
            print("usweep: %s: %s" % (cause, message), file=sys.stderr, flush=True)
        status.timed("end", m5.curTick(), cause=cause, code=code, begun=begun, ended=ended, **more)
    sys.exit(result)


if __name__ == "__m5_main__":
    main()
