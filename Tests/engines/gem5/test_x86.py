import sys
import types
import unittest
from unittest import mock

import support  # noqa: F401


class Library(types.ModuleType):
    """Stands in for gem5's classes: an object is what it was made with."""

    NULL = None

    def __getattr__(self, name):
        return lambda *_, **fields: types.SimpleNamespace(kind=name, **fields)


def load():
    gem5 = types.ModuleType("m5")
    gem5.objects = Library("m5.objects")
    with mock.patch.dict(sys.modules, {"m5": gem5, "m5.objects": gem5.objects}):
        sys.modules.pop("x86", None)
        import x86
        return x86


class Machine(unittest.TestCase):
    def setUp(self):
        self.x86 = load()
        self.addCleanup(sys.modules.pop, "x86", None)

    def disks(self, workload):
        ide = types.SimpleNamespace()
        south = types.SimpleNamespace(ide=ide)
        self.x86.attach_disks(types.SimpleNamespace(pc=types.SimpleNamespace(south_bridge=south)), "disk.img", workload)
        return ide.disks

    def test_each_disk_is_the_master_of_a_channel(self):
        own, nothing, workload = self.disks("workload.squashfs")
        self.assertIsNone(nothing)
        self.assertEqual((own.driveID, workload.driveID), ("device0", "device0"))
        self.assertEqual((own.image.kind, own.image.child.image_file), ("CowDiskImage", "disk.img"))
        self.assertEqual(
            (workload.image.kind, workload.image.image_file, workload.image.read_only),
            ("RawDiskImage", "workload.squashfs", True))

    def test_without_a_workloads_disk_there_is_one_as_before(self):
        self.assertEqual([disk.image.child.image_file for disk in self.disks(None)], ["disk.img"])

    def test_a_channel_with_a_disk_interrupts(self):
        def lines(has_workload):
            return {line: pin for bus, line, pin in self.x86.interrupt_lines(has_workload) if bus == 1}
        self.assertEqual((lines(True)[14], lines(True)[15]), (14, 15))
        self.assertEqual(lines(False), {line: pin for line, pin in lines(True).items() if line != 15})

    def test_the_record_knows_of_the_disk(self):
        def devices(disk):
            return self.x86.devices(types.SimpleNamespace(workload_disk=disk, for_workload_disks=False))
        self.assertEqual(devices(None), ["com_1", "ethernet", "ide"])
        self.assertEqual(devices("d"), ["com_1", "ethernet", "ide", "workload"])


if __name__ == "__main__":
    unittest.main()
