import hashlib
import json
import os
import tempfile
import unittest

import support  # noqa: F401
import record
from status import Refused

CHECKPOINT = """## checkpoint generated: some day

[system.cpu0.xc.0]
regs=1 2
[system.cpu1.xc.0]
range_size=5
[system.atomic_cpu0.xc.0]
[system.cpu0.mmu.itb]
_size=9
[system.cpu1.mmu.itb]
_size=7
[system.cpu1.mmu.itb.Entry0]
_size=99
[system.pc.south_bridge.ide.disks0]
[system.pc.south_bridge.ide.disks0.image.child]
[system.pc.south_bridge.ide.disks2]
[system.physmem.store0]
store_id=0
range_size=268435456
"""
TWO = CHECKPOINT.replace("[system.", "[testsys.") + """[etherlink]
[drivesys.cpu.xc.0]
[drivesys.cpu.mmu.dtb]
_size=64
[drivesys.physmem.store0]
range_size=134217728
"""


class Records(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.file("m5.cpt", CHECKPOINT)
        self.file("system.physmem.store0.pmem", "memory")
        self.fields = {"kernel": 64 * "a", "disk": 64 * "b", "memory_bytes": 268435456, "cores": 2,
                       "devices": ["com_1", "ide"]}

    def file(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def refusal(self, **wanted):
        with self.assertRaises(Refused) as caught:
            record.check(self.folder, record.read(self.folder), record.facts(self.folder), wanted)
        self.assertEqual(caught.exception.cause, "checkpoint-incompatible")
        return str(caught.exception)

    def test_facts(self):
        self.assertEqual(record.facts(self.folder), {
            "machines": ["system"], "memory_bytes": 268435456, "cores": 2, "disks": 2, "itb": 9, "dtb": 0})

    def test_facts_of_two_machines_are_those_of_the_system_under_test(self):
        self.file("m5.cpt", TWO)
        self.assertEqual(record.facts(self.folder), {
            "machines": ["drivesys", "testsys"], "memory_bytes": 268435456, "cores": 2, "disks": 2, "itb": 9, "dtb": 0,
            "driver_memory_bytes": 134217728})

    def test_one_machine_is_not_two(self):
        one, two = ["system"], ["drivesys", "testsys"]
        self.assertIn("its machines are system, not drivesys, testsys", self.refusal(machines=two))
        self.file("m5.cpt", TWO)
        self.assertIn("its machines are drivesys, testsys, not system", self.refusal(machines=one))
        record.write(self.folder, dict(self.fields, machines=one))  # a record that lies
        self.assertIn("its machines are system, not drivesys, testsys", self.refusal(machines=two))

    def test_no_checkpoint(self):
        with self.assertRaises(Refused) as caught:
            record.facts(os.path.join(self.folder, "gone"))
        self.assertEqual(caught.exception.cause, "missing-file")

    def test_a_checkpoint_of_other_scripts(self):
        self.file("m5.cpt", "[board.physmem.store0]\nrange_size=5\n")
        with self.assertRaises(Refused):
            record.facts(self.folder)

    def test_written_and_read(self):
        record.write(self.folder, self.fields)
        kept = record.read(self.folder)
        self.assertEqual(kept["version"], 1)
        self.assertEqual([file["path"] for file in kept["files"]], ["m5.cpt", "system.physmem.store0.pmem"])
        self.assertEqual(kept["files"][1]["sha256"], hashlib.sha256(b"memory").hexdigest())
        record.check(self.folder, kept, record.facts(self.folder), dict(self.fields))

    def test_misfits(self):
        record.write(self.folder, self.fields)
        self.assertIn("its kernel is aaaaaaaaaaaa..., not cccccccccccc...", self.refusal(kernel=64 * "c"))
        self.assertIn("its memory bytes are 268435456, not 5", self.refusal(memory_bytes=5))
        self.assertIn("its cores are 2, not 4", self.refusal(cores=4))
        self.assertIn("its devices are com_1, ide, not com_1", self.refusal(devices=["com_1"]))

    def test_what_is_forced_is_not_compared_and_told(self):
        record.write(self.folder, dict(self.fields, workload_disk=64 * "d"))
        wanted = dict(self.fields, kernel=64 * "c", workload_disk=64 * "e")

        def check(*forced):
            return record.check(self.folder, record.read(self.folder), record.facts(self.folder), wanted, forced)
        self.assertEqual(check("kernel", "workload_disk", "disk"), [
            "its kernel is aaaaaaaaaaaa..., not cccccccccccc...",
            "its workload disk is dddddddddddd..., not eeeeeeeeeeee..."])
        for forced in ((), ("kernel",), ("workload_disk",), ("files",)):
            with self.assertRaises(Refused):
                check(*forced)
        self.file("system.physmem.store0.pmem", "mem")
        with self.assertRaises(Refused):
            check("kernel", "workload_disk")
        self.assertIn("3 bytes of 6", check("kernel", "workload_disk", "files")[-1])

    def test_a_checkpoint_of_another_disk_of_the_workload(self):
        record.write(self.folder, dict(self.fields, workload_disk=64 * "d"))
        fits = dict(self.fields, workload_disk=64 * "d", disks=2)
        record.check(self.folder, record.read(self.folder), record.facts(self.folder), fits)
        self.assertIn("its workload disk is dddddddddddd..., not eeeeeeeeeeee...; make it again by --mode setup",
                      self.refusal(workload_disk=64 * "e"))

    def test_a_checkpoint_from_before_there_was_a_disk_of_the_workload(self):
        record.write(self.folder, self.fields)
        self.file("m5.cpt", CHECKPOINT.replace("disks0", "disks").replace("[system.pc.south_bridge.ide.disks2]\n", ""))
        text = self.refusal(workload_disk=64 * "d", devices=self.fields["devices"] + ["workload"], disks=2)
        self.assertIn("its disks are 1, not 2; its devices are com_1, ide, not com_1, ide, workload; make it again by",
                      text)

    def test_a_checkpoint_of_another_gem5(self):
        record.write(self.folder, dict(self.fields, engine={"version": "23.1.0.0"}))
        self.assertIn("its gem5 is 23.1.0.0, not 24.0.0.1", self.refusal(gem5="24.0.0.1"))

    def test_without_a_record_memory_and_cores_count(self):
        self.assertIsNone(record.read(self.folder))
        self.assertIn("its cores are 2, not 4", self.refusal(cores=4))
        record.check(self.folder, None, record.facts(self.folder), {"kernel": 64 * "c", "cores": 2})

    def test_a_cut_file(self):
        record.write(self.folder, self.fields)
        self.file("system.physmem.store0.pmem", "mem")
        self.assertIn("3 bytes of 6", self.refusal(cores=2))
        os.unlink(os.path.join(self.folder, "system.physmem.store0.pmem"))
        self.assertIn("no bytes of 6", self.refusal(cores=2))

    def test_a_checkpoint_is_replaced_as_a_whole(self):
        record.write(self.folder, self.fields)
        record.forget(self.folder)
        self.assertEqual(os.listdir(self.folder), [])
        record.forget(os.path.join(self.folder, "gone"))

    def test_a_damaged_record(self):
        for text in ("{", "[]", json.dumps({"version": 2})):
            self.file(record.NAME, text)
            self.refusal()


if __name__ == "__main__":
    unittest.main()
