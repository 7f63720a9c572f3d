"""What a checkpoint was made with, and whether a restore fits. gem5 itself restores most misfits without a word.

A record is the file record.json in the checkpoint's folder, written last.
"""
import hashlib
import json
import os
import re

import names
from status import Refused

NAME = "record.json"
BELOW = r"\[(\w+)\.(?:[\w.]*\.)?"  # a machine
CORE_SECTION = re.compile(BELOW + r"cpu\d*\.xc\.0\]")  # a single core has no number
TLB_SECTION = re.compile(BELOW + r"cpu\d*\.mmu\.([id]tb)\]")
DISK_SECTION = re.compile(BELOW + r"disks\d*\]")
STORE_SECTION = re.compile(BELOW + r"physmem\.store\d+\]")


def digest_of(path):
    value = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            value.update(block)
    return value.hexdigest()


def scripts():
    """The digests of this package's files: another script may build another machine."""
    folder = os.path.dirname(os.path.abspath(__file__))
    modules = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    return {name: digest_of(os.path.join(folder, name)) for name in modules}


def contents(folder):
    files = sorted(name for name in os.listdir(folder) if not name.startswith(NAME))
    return [{"path": name, "size": os.path.getsize(os.path.join(folder, name)),
             "sha256": digest_of(os.path.join(folder, name))} for name in files]


def sync(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(folder, fields):
    """Writes the record once everything that it speaks of is on the disk."""
    files = contents(folder)
    for file in files:
        sync(os.path.join(folder, file["path"]))
    path = os.path.join(folder, NAME)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(dict(version=1, **fields, files=files), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
    sync(folder)


def forget(folder):
    """Makes room for another checkpoint: what is half written must not have the record of its predecessor."""
    if os.path.isdir(folder):
        for name in [NAME] + [name for name in os.listdir(folder) if name != NAME]:
            if os.path.exists(os.path.join(folder, name)):
                os.unlink(os.path.join(folder, name))


def read(folder):
    """The record, or nothing: a checkpoint of vSwarm-u has none."""
    path = os.path.join(folder, NAME)
    if not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    except ValueError as error:
        raise Refused("checkpoint-incompatible", "%s cannot be read: %s" % (path, error)) from error
    if not isinstance(record, dict) or record.get("version") != 1:
        raise Refused("checkpoint-incompatible", "%s is a record of another version" % path)
    # Another version restores with a warning at most, into a guest that booted on another CPUID.
    return dict(record, gem5=record.get("engine", {}).get("version"))


def facts(folder):
    """What m5.cpt itself says: {"machines", "memory_bytes", "cores", "disks", "itb", "dtb"}. All but the first are the
    system's under test; the last two are entries in use, at most. A driving node adds "driver_memory_bytes"."""
    path = os.path.join(folder, "m5.cpt")
    if not os.path.isfile(path):
        raise Refused("missing-file", "there is no checkpoint in %s (%s)" % (folder, os.path.basename(path)))
    with open(path, encoding="utf-8", errors="replace") as file:
        found = machines(file)
    tested, driver = found.get(names.TWO[0]), found.get(names.TWO[1])
    tested = tested or next(iter(found.values()), None)
    if not tested or not tested["memory_bytes"] or not tested["cores"]:
        raise Refused("checkpoint-incompatible", "%s holds no machine of these run scripts" % path)
    more = {"driver_memory_bytes": driver["memory_bytes"]} if driver else {}
    return dict(tested, machines=sorted(found), **more)


def machines(lines):
    """What the sections of a checkpoint say of each machine, by its name."""
    found, machine, key, store = {}, None, None, None
    for line in lines:
        if line.startswith("["):
            text = line.strip()
            store, buffer, core, disk = (
                kind.fullmatch(text) for kind in (STORE_SECTION, TLB_SECTION, CORE_SECTION, DISK_SECTION))
            section = store or buffer or core or disk
            machine = section and found.setdefault(
                section.group(1), {"memory_bytes": 0, "cores": 0, "disks": 0, "itb": 0, "dtb": 0})
            key = buffer and buffer.group(2)
            if core:
                machine["cores"] += 1
            if disk:
                machine["disks"] += 1
        elif store and line.startswith("range_size="):
            machine["memory_bytes"] += int(line.partition("=")[2])
        elif key and line.startswith("_size="):
            machine[key] = max(machine[key], int(line.partition("=")[2]))
    return found


def shown(value):
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)[:12] + "..." if isinstance(value, str) and len(value) == 64 else str(value)


def misfits(wanted, found):
    """For each field that both know and that differs its name, and a sentence."""
    both = (name for name in wanted if wanted[name] is not None and found.get(name) is not None)
    return [(name, "its %s %s %s, not %s" % (name.replace("_", " "), "are" if name.endswith("s") else "is",
                                             shown(found[name]), shown(wanted[name])))
            for name in both if wanted[name] != found[name]]


def wrong_files(folder, record):
    """A sentence for each file that is not as long as it was written."""
    for file in record.get("files", []):
        path = os.path.join(folder, file["path"])
        size = os.path.getsize(path) if os.path.exists(path) else None
        if size != file["size"]:
            yield "%s is not what was written (%s bytes of %d)" % (path, "no" if size is None else size, file["size"])


def check(folder, record, found, wanted, forced=()):
    """Raises Refused if what is wanted is not what the checkpoint says of itself, but for the fields, or `files`, that
    are forced. Returns what differs of those, in sentences."""
    wrong = misfits(wanted, found) + (misfits(wanted, record) if record else [])
    refused = [text for name, text in wrong if name not in forced]
    if refused:
        raise Refused("checkpoint-incompatible", "the checkpoint %s does not fit: %s; make it again by --mode setup"
                      % (folder, "; ".join(dict.fromkeys(refused))))
    files = list(wrong_files(folder, record)) if record else []
    if files and "files" not in forced:
        raise Refused("checkpoint-incompatible", files[0] + ": fetch it again")
    return list(dict.fromkeys([text for _, text in wrong] + files))
