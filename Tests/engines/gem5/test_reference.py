"""The manual's defaults of axes against the package; Swift tests hold the same table against the engine's descriptor."""
import importlib
import os
import sys
import types
import unittest
from unittest import mock

import support
import names

PAGE = os.path.join(support.ROOT, "Sources", "programs", "usweep", "Documentation.docc", "Reference.md")


class Library(types.ModuleType):
    """Stands in for gem5's objects, which the numbers do not need."""

    def __getattr__(self, name):
        return mock.MagicMock()


def load(name):
    """A module of the package that imports gem5's library; forgotten afterwards, with its library."""
    gem5 = types.ModuleType("m5")
    gem5.objects = Library("m5.objects")
    with mock.patch.dict(sys.modules, {"m5": gem5, "m5.objects": gem5.objects}):
        return importlib.import_module(name)


def rows():
    """Axis -> its row of the table as column -> text."""
    with open(PAGE, encoding="utf-8") as page:
        chapter = page.read().split("## Engine `gem5`")[1].split("## Engine ")[0]
    lines = iter(chapter.split("### Axes")[1].split("### Metrics")[0].splitlines())
    table = [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    return {row[0]: dict(zip(table[0], row)) for row in table[2:]}


class Reference(unittest.TestCase):
    def setUp(self):
        self.rows = rows()

    def test_its_defaults_are_those_of_the_systems(self):
        simple, skylake = load("simple"), load("skylake")
        keys = {"size": "size", "ways": "assoc", "latency": "tag_latency", "mshrs": "mshrs",
                "write-buffers": "write_buffers"}
        caches = {"simple": {"l1i": simple.L1, "l1d": simple.L1, "llc": simple.LLC},
                  "skylake": {"l1i": skylake.L1I, "l1d": skylake.L1D, "l2": skylake.L2, "llc": skylake.L3}}
        for system, found in caches.items():
            for cache in ("l1i", "l1d", "l2", "llc"):
                for name, key in keys.items():
                    wanted = str(found[cache][key]) if cache in found else ""
                    self.assertEqual(self.rows["%s.%s" % (cache, name)][system], wanted, (system, cache, name))
                    self.assertEqual(found.get(cache, {}).get("data_latency"), found.get(cache, {}).get("tag_latency"))
        for axis, places in names.SCALARS.items():
            if axis.startswith("core.") and len(places) == 1:
                wanted = str(skylake.CORE[places[0][0].split(".")[-1]])
                self.assertEqual((self.rows[axis]["simple"], self.rows[axis]["skylake"]), ("", wanted), axis)
        self.assertEqual(self.rows["itlb.size"]["skylake"], str(skylake.ITLB))
        self.assertEqual(self.rows["dtlb.size"]["skylake"], str(skylake.DTLB))
        for system, module in (("simple", simple), ("skylake", skylake)):
            self.assertEqual(self.rows["clock"][system], module.CLOCK)
            self.assertEqual(self.rows["memory"][system], module.MEMORY)

    def test_two_machines_have_the_defaults_of_skylake(self):
        for axis, row in self.rows.items():
            self.assertEqual(row["two-machine"], row["skylake"], axis)


if __name__ == "__main__":
    unittest.main()
