"""The command line: vSwarm-u's options with their meaning there, and this project's own."""
import argparse
import os
import re

import guest
from status import Refused

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
MOST_CORES = 10
STRESS_LEAST = 4096
TRIALS = ("bind", "kvm")  # modes that have no guest
FILES = ("kernel", "disk", "workload-disk")
DIGESTS = FILES + ("engine",)
SQUASHFS = b"hsqs"
FORCIBLE = ("kernel", "disk", "workload", "workload-disk", "files")
DIGEST = re.compile(r"[0-9a-f]{64}")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused("bad-arguments", message)


def bytes_of(text):
    """`512MiB`, `2GB` or a plain number of bytes. As in gem5, kB, MB and GB are powers of two."""
    match = re.fullmatch(r"\s*(\d+)\s*([A-Za-z]*)\s*", text)
    unit = match.group(2).lower() if match else None
    if unit not in UNITS:
        raise argparse.ArgumentTypeError("'%s' is not a size: write it as 512MiB" % text)
    factor = UNITS[unit if "i" in unit or unit in ("", "b") else unit[0] + "ib"]
    return int(match.group(1)) * factor


def setting(text):
    axis, equals, value = text.partition("=")
    if not equals or not axis.strip() or not value.strip():
        raise argparse.ArgumentTypeError("'%s': write NAME=VALUE" % text)
    return axis.strip(), value.strip()


def digest(text):
    name, value = setting(text)
    if name not in DIGESTS or not DIGEST.fullmatch(value):
        raise argparse.ArgumentTypeError("'%s': write %s=SHA256" % (text, "|".join(DIGESTS)))
    return name, value


def count(text):
    if not text.isdigit():
        raise argparse.ArgumentTypeError("'%s' is not a number" % text)
    return int(text)


def make_parser():
    parser = Parser(prog="run.py", description="Runs one function in gem5's full-system mode.", allow_abbrev=False)
    add = parser.add_argument
    add("--mode", choices=["boot", "setup", "evaluation", "bind", "kvm"], default="setup",
        help="boot: boot, and take a checkpoint that setups of any function can go on from; "
             "setup: boot, or restore that, warm the function, take a checkpoint; evaluation: restore it and measure; "
             "bind: only try whether the pairs of names and values in --pairs can be set; "
             "kvm: only try whether setups can run on this host's own cores")
    add("--system", choices=["simple", "skylake", "two-machine"], default="simple")
    add("--kernel", help="the kernel, uncompressed (vmlinux)")
    add("--disk", help="the disk image; it is never written to")
    add("--workload-disk", metavar="FILE",
        help="the disk of the function's containers, made by 'usweep workload', for this project's guest; only read")
    add("-f", "--function", default="", help="the function; without it the only one in ./functions.list")
    add("-s", "--script", default="", help="a script of your own for the guest, used if there is no --function")
    add("--num-invocations", "--num-invocation", type=count, default=5, metavar="N", help="measured, a block each")
    add("--atomic-warming", type=count, default=0, metavar="K",
        help="invocations made on the atomic cores first, to warm caches and branch predictors")
    add("--functional-warming", type=count, default=5000, metavar="N",
        help="setup: invocations made before the checkpoint")
    add("--until", metavar="RULE", help="evaluation: end before all invocations were measured when a metric is known "
                                      "well enough; a rule of usweep's")
    add("--until-by", metavar="PROGRAM", help="the usweep-agent that applies it")
    add("--state", choices=guest.STATES, default="warm",
        help="evaluation: what a measured call finds in caches, TLBs and predictors: what the call before left (warm), "
             "what a program on its core left (lukewarm, with --stress), or nothing (cold-caches)")
    add("--stress", type=bytes_of, metavar="SIZE", help="footprint of the program that runs in the state lukewarm")
    add("--checkpoint-dir", default="cpt_1m", help="checkpoints lie at DIR/FUNCTION/cpt.warm and cpt.boot")
    add("--use-checkpoint", choices=["boot", "warm"], default="warm", help="evaluation: which of them to restore")
    add("--forced", choices=FORCIBLE, action="append", default=[], metavar="WHAT",
        help="evaluation: use the checkpoint although this differs from what it was made with (%s); may be repeated"
             % ", ".join(FORCIBLE))
    add("--take-checkpoints", action="store_true", help="setup: take cpt.boot, too, once Linux is up")
    add("--booted", metavar="FOLDER", help="setup: the checkpoint of a booted guest (DIR/cpt.boot of --mode boot)")
    add("--for-workload-disks", action="store_true", help="boot: setups from it have --workload-disk")
    add("--memory", type=bytes_of, metavar="SIZE",
        help="the guest's memory, of each of two machines (2GiB; evaluation: the checkpoint's)")
    add("--cores", type=count, metavar="N",
        help="cores of the system under test; the function runs on core 1 (2; evaluation: the checkpoint's)")
    add("--kvm", action="store_true", help="boot, setup: on the host's own cores")
    add("--set", dest="settings", type=setting, action="append", default=[], metavar="NAME=VALUE",
        help="a short name (l2.size) or the path of a parameter (cpu.icache.assoc) of the system under test; may be "
             "repeated")
    add("--setup-clock", default="500MHz", help="boot, setup: the cores' clock; Linux waits in loops while it boots")
    add("--root", help="the disk's root device (/dev/sda without a partition table, else /dev/hda2 as in vSwarm-u)")
    add("--kernel-arguments", default="", help="more words for the kernel's command line")
    add("--digest", dest="digests", type=digest, action="append", default=[], metavar="WHAT=SHA256",
        help="the digest of one of the files or of gem5, where the caller knows it: it is not computed again")
    add("--pairs", help="bind: a JSON list of {axis, value}")
    return parser


def read_functions(path):
    """The names in a functions.list: one a line, `#` comments one out."""
    with open(path, encoding="utf-8") as file:
        lines = (line.split("#", 1)[0].strip() for line in file)
        return [line for line in lines if line]


def choose_function(arguments, folder="."):
    """Takes the function from ./functions.list where neither a function nor a script is given."""
    if arguments.function or arguments.script or arguments.mode in TRIALS + ("boot",):
        return
    path = os.path.join(folder, "functions.list")
    names = read_functions(path) if os.path.exists(path) else []
    if len(names) != 1:
        found = "functions.list has %s" % ", ".join(names) if names else "there is no functions.list"
        raise Refused("bad-arguments", "which function? give --function NAME (%s)" % found)
    arguments.function = names[0]


def parse(words, folder="."):
    """Raises Refused for what can be seen to be wrong without gem5. `digests` becomes a dictionary."""
    arguments = make_parser().parse_args(words)
    arguments.digests = dict(arguments.digests)
    choose_function(arguments, folder)
    if arguments.mode == "bind":
        if not arguments.pairs:
            raise Refused("bad-arguments", "--mode bind needs --pairs FILE")
    if arguments.mode in TRIALS:
        return arguments
    for name, path in files(arguments).items():
        if not path:
            raise Refused("bad-arguments", "--%s is missing" % name)
        if not os.path.isfile(path):
            raise Refused("missing-file", "the %s %s is not a file" % (name.replace("-", " "), path))
    check_boot(arguments)
    check_workload(arguments)
    check_state(arguments)
    if (arguments.until is None) != (arguments.until_by is None) or arguments.until and arguments.mode != "evaluation":
        raise Refused("bad-arguments", "--until and --until-by go together, and with --mode evaluation")
    if arguments.forced and arguments.mode != "evaluation":
        raise Refused("bad-arguments", "--forced goes with --mode evaluation")
    if arguments.system == "two-machine" and not arguments.function and arguments.mode != "boot":
        raise Refused("bad-arguments", "two machines have a script each: two-machine needs --function")
    if arguments.script and not arguments.function and not os.path.isfile(arguments.script):
        raise Refused("missing-file", "the script %s is not a file" % arguments.script)
    if arguments.cores is not None and arguments.cores < 2:
        raise Refused("bad-value", "--cores %d: one core drives, one is measured; 2 are needed" % arguments.cores)
    if arguments.cores is not None and arguments.cores > MOST_CORES:
        raise Refused("bad-value", "--cores %d: more than %d get other names from gem5 (cpu01), which no table knows"
                      % (arguments.cores, MOST_CORES))
    if arguments.mode == "evaluation" and arguments.num_invocations < 1:
        raise Refused("bad-value", "--num-invocations must be 1 or more")
    return arguments


def files(arguments):
    """What the machine is given, by the names of the options; the disk of a workload only where there is one."""
    paths = {name: getattr(arguments, name.replace("-", "_")) for name in FILES}
    return {name: path for name, path in paths.items() if path or name != "workload-disk"}


def check_boot(arguments):
    """Raises Refused for a boot of something, and for what is not for one."""
    if arguments.mode == "boot" and (arguments.function or arguments.script or arguments.workload_disk):
        raise Refused("bad-arguments", "--mode boot is for any function: leave out --function, --script and "
                      "--workload-disk")
    if arguments.for_workload_disks and arguments.mode != "boot":
        raise Refused("bad-arguments", "--for-workload-disks goes with --mode boot")
    if arguments.booted and (arguments.mode != "setup" or not arguments.function):
        raise Refused("bad-arguments", "--booted goes with --mode setup and --function")


def has_workload(arguments):
    """Whether the machine has the disk of a workload, or a place for one."""
    return bool(arguments.workload_disk) or arguments.for_workload_disks


def check_workload(arguments):
    """Raises Refused where the guest would find no function, or no disk of one: it would say so after minutes."""
    path = arguments.workload_disk
    if path:
        with open(path, "rb") as file:
            if file.read(len(SQUASHFS)) != SQUASHFS:
                raise Refused("bad-value", "%s is not the disk of a workload; usweep workload add makes one" % path)
    elif arguments.function and guest.needs_workload(arguments.disk):
        raise Refused("bad-arguments", "the guest on %s holds no function: give --workload-disk FILE, the "
                      "disk.squashfs that usweep workload build or add made" % arguments.disk)


def check_state(arguments):
    """Raises Refused for a state that cannot be measured. Whether the guest plays its part shows when it runs."""
    state = arguments.state
    if (state == "lukewarm") != (arguments.stress is not None):
        raise Refused("bad-arguments", "--state lukewarm and --stress SIZE go together")
    if arguments.stress is not None and (arguments.stress < STRESS_LEAST or arguments.stress % STRESS_LEAST):
        raise Refused("bad-value", "--stress %d: it is a multiple of 4KiB" % arguments.stress)
    if state == "warm":
        return
    if arguments.mode != "evaluation" or not arguments.function:
        raise Refused("bad-arguments", "--state %s goes with --mode evaluation and --function" % state)
    if arguments.system == "two-machine":
        raise Refused("bad-arguments", "--state %s: with two machines nothing can run beside the function" % state)


def checkpoint_folder(arguments, kind):
    return os.path.join(arguments.checkpoint_dir, arguments.function, "cpt." + kind)
