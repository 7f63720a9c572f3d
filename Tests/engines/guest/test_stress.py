"""The program that runs beside a function, without a guest."""
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
GUEST = ROOT / "ops/guest"

HARNESS = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sched.h>
#include <x86intrin.h>
#include "stress.h"
void give_up(const char *what) { puts(what); exit(1); }
void yield_to_function(int times) { (void)times; sched_yield(); }
int main(int count, char **arguments)
{
    (void)count;
    stress_start();
    stress_reserve(strtoul(arguments[1], NULL, 10));
    for (int i = 0; i < 3; i++)
        stress_run(0);
    unsigned long until = __rdtsc() + 50 * 1000 * 1000;
    stress_run(until);
    return __rdtsc() < until ? 2 : 0;
}
"""


@unittest.skipIf((os.cpu_count() or 1) < 2, "it runs on the second core")
class StressTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        harness = pathlib.Path(cls.folder.name, "harness.c")
        harness.write_text(HARNESS)
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-I", GUEST, "-I",
                        ROOT / "Sources/engines/qemu/model/include", "-o", f"{cls.folder.name}/harness", harness,
                        GUEST / "stress.c"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_with(self, size):
        return subprocess.run([f"{self.folder.name}/harness", str(size)], capture_output=True, text=True, timeout=120)

    def test_goes_over_footprints_of_any_size_and_until_its_time(self):
        for size in (4096, 12288, 64 << 10, 2 << 20, (2 << 20) + 4096, 16 << 20):
            with self.subTest(size=size):
                done = self.run_with(size)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_no_room_is_said(self):
        done = self.run_with(1 << 46)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no room in the guest's memory", done.stdout)


if __name__ == "__main__":
    unittest.main()
