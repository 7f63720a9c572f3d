import tempfile
import unittest

import support  # noqa: F401
import guest


class Guest(unittest.TestCase):
    def test_the_script_serves_both_guests(self):
        lines = guest.run_script("fibonacci-python", 20).splitlines()
        self.assertEqual(lines[:3], ["#!/bin/sh", "m5 fail 1", "if command -v usweep-function >/dev/null; then"])
        self.assertEqual(lines[3].strip(), "exec usweep-function 20")
        marks = [line.split("m5 fail ")[1] for line in lines if "m5 fail" in line]
        self.assertEqual(marks, ["1", "2", "3", "10", "11", "6", "-1"])
        client = next(line for line in lines if "test-client" in line)
        self.assertIn("-function-name fibonacci-python ", client)
        self.assertIn("-w 20 -m5ops", client)

    def test_a_booted_guest_looks_for_another_script(self):
        lines = guest.boot_script().splitlines()
        self.assertEqual(lines[:3], ["#!/bin/sh", "# usweep-boot", "m5 fail 1"])
        self.assertTrue(lines[3].startswith("while m5 readfile >/tmp/next && grep -q '^# usweep-boot' /tmp/next;"))
        self.assertNotIn("# usweep-boot", guest.run_script("f", 1))

    def test_the_plan_is_a_line_that_no_shell_runs(self):
        self.assertEqual(guest.plan("warm", None, 2, 3), "")
        self.assertEqual(guest.plan("lukewarm", 4096, 2, 3), "# usweep-plan E 2 3 stress=4096\n")
        self.assertEqual(guest.plan("cold-caches", None, 0, 1), "# usweep-plan E 0 1 stress=2097152\n")

    def test_two_machines_have_a_script_each(self):
        serves = guest.run_script("aes-python", 20, guest.SERVES).splitlines()
        drives = guest.run_script("aes-python", 20, guest.DRIVES).splitlines()
        self.assertEqual(serves[1], "m5 fail 1")
        self.assertEqual(serves[3].strip(), "exec usweep-serve 10.0.2.17")
        self.assertEqual(drives[2].strip(), "exec usweep-drive 20 10.0.2.18 10.0.2.17")
        for lines, expected in ((serves, ["1", "2", "3"]), (drives, ["10", "11", "-1"])):
            marks = [line.split("m5 fail ")[1] for line in lines if "m5 fail" in line]
            self.assertEqual(marks, expected)
        self.assertIn("-url 10.0.2.17 -port 50000", "\n".join(drives))
        self.assertNotEqual(guest.SERVES.file, guest.DRIVES.file)

    def test_only_the_function_is_on_core_1(self):
        serves, drives = (guest.command_line("/dev/sda", role=role) for role in (guest.SERVES, guest.DRIVES))
        self.assertIn(" isolcpus=1 irqaffinity=0 ", serves)
        self.assertNotIn("isolcpus", drives)

    def test_a_name_is_not_a_command(self):
        for name in ("a;b", "a b", "$(x)", "a\nb"):
            with self.assertRaises(ValueError):
                guest.run_script(name, 1)

    def test_the_root_device_follows_from_the_disk(self):
        with tempfile.NamedTemporaryFile() as disk:
            disk.write(bytes(1080) + b"\x53\xef" + bytes(100))
            disk.flush()
            self.assertEqual(guest.root_device(disk.name), "/dev/sda")
            disk.seek(1080)
            disk.write(b"\x00\x00")
            disk.flush()
            self.assertEqual(guest.root_device(disk.name), "/dev/hda2")

    def test_only_this_projects_guest_needs_a_disk_of_the_workload(self):
        with tempfile.NamedTemporaryFile() as disk:
            for magic, label, needed in ((b"\x53\xef", b"usweep", True), (b"\x53\xef", b"usweep2", False),
                                         (b"\x53\xef", b"", False), (b"\0\0", b"usweep", False)):
                disk.seek(0)
                disk.write((bytes(1080) + magic).ljust(1144, b"\0") + label.ljust(16, b"\0"))
                disk.flush()
                self.assertEqual(guest.needs_workload(disk.name), needed, (magic, label))

    def test_command_lines(self):
        own, theirs = guest.command_line("/dev/sda", "a=1  b"), guest.command_line("/dev/hda2")
        self.assertIn("init=/init", own)
        self.assertTrue(own.endswith(" a=1 b"))
        self.assertNotIn(" init=", theirs)
        self.assertIn("root=/dev/hda2 isolcpus=1", theirs)


if __name__ == "__main__":
    unittest.main()
