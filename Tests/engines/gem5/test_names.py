import unittest

import support
import names
import parameters
from status import Refused


class LTAGE(support.Object):
    _params = ("tage",)

    def __init__(self):
        super().__init__(["tage"])


class LocalBP(support.Object):
    _params = ("size",)

    def __init__(self):
        super().__init__(["size"])


class Predictor(support.Object):
    _params = ()


class Library:
    NULL = None
    LTAGE = LTAGE
    LocalBP = LocalBP


def make_core():
    tlb = support.Object(["size"])
    mmu = support.Object(itb=tlb, dtb=support.Object(["size"]))
    cache = support.Object(["size", "assoc", "tag_latency", "data_latency"], refused=("banana",))
    predictor = support.Object(["RASSize"], btb=support.Object(["numEntries"]))
    return support.Object(
        ["numROBEntries", "branchPred"] + ["%sWidth" % stage for stage in names.PIPELINE],
        mmu=mmu, icache=cache, branchPred=predictor)


class Settings(unittest.TestCase):
    def setUp(self):
        self.cores = [make_core(), make_core()]
        self.system = support.Object(
            ["mem_mode"], cpu=self.cores, l3cache=support.Object(["size"]), clk_domain=support.Object(["clock"]))
        self.binder = parameters.Binder({"system": self.system}, Library)

    def test_a_short_name_sets_all_measured_cores(self):
        self.binder.set("l1i.size", "16KiB")
        self.assertEqual([core.icache.size for core in self.cores], ["16KiB", "16KiB"])
        self.assertEqual(len(self.binder.touched), 2)

    def test_one_short_name_may_set_several_parameters(self):
        self.binder.set("core.width", "4")
        self.assertEqual(self.cores[1].commitWidth, "4")
        self.assertEqual(len(self.binder.touched), 2 * len(names.PIPELINE))

    def test_a_parameter_that_has_moved_between_versions_is_found(self):
        self.binder.set("btb.size", "1024")
        self.binder.set("ras.size", "8")
        self.assertEqual(self.cores[0].branchPred.btb.numEntries, "1024")
        self.assertEqual(self.cores[0].branchPred.RASSize, "8")

    def test_the_last_level_has_two_names(self):
        self.binder.set("llc.size", "4MiB")
        self.assertEqual(self.system.l3cache.size, "4MiB")

    def test_paths(self):
        for path in ("system.cpu1.icache.assoc", "cpu1.icache.assoc"):
            self.binder.set(path, "4")
        self.assertEqual(self.cores[1].icache.assoc, "4")
        self.assertNotIn("assoc", self.cores[0].icache._values)
        self.binder.set("cpu.mmu.itb.size", "32")
        self.assertEqual([core.mmu.itb.size for core in self.cores], ["32", "32"])

    def test_of_two_machines_the_one_under_test_is_meant(self):
        drives, link = support.Object(cpu=[make_core()], llc_cache=support.Object(["size"])), support.Object(["delay"])
        self.binder = parameters.Binder({"testsys": self.system, "drivesys": drives, "etherlink": link}, Library)
        for axis in ("l1i.size", "cpu.icache.size", "system.cpu.icache.size", "testsys.cpu.icache.size"):
            self.binder.set(axis, axis)
            self.assertEqual([core.icache.size for core in self.cores], [axis, axis])
        self.binder.set("etherlink.delay", "5us")
        self.binder.set("drivesys.llc_cache.size", "1MiB")
        self.assertEqual((link.delay, drives.llc_cache.size), ("5us", "1MiB"))
        self.assertNotIn("size", drives.cpu[0].icache._values)
        self.assertTrue(self.refusal("etherlink.delya", "1")[1].endswith("did you mean etherlink.delay?"))

    def refusal(self, axis, value):
        with self.assertRaises(Refused) as caught:
            self.binder.set_all([(axis, value)])
        return caught.exception.cause, str(caught.exception)

    def test_unknown_names_are_refused_with_the_nearest(self):
        for axis, near in (
                ("l1i.sise", "l1i.size"), ("cpu.icache.asoc", "cpu.icache.assoc"), ("core.robs", "core.rob"),
                ("cpu.mmu.itb.sizes", "cpu.mmu.itb.size"), ("cpu.numRobEntries", "cpu.numROBEntries"),
                ("branch-predicter", "branch-predictor"), ("system.clk_domain.clok", "clk_domain.clock")):
            cause, text = self.refusal(axis, "1")
            self.assertEqual(cause, "unknown-parameter")
            self.assertTrue(text.endswith("did you mean %s?" % near), text)

    def test_all_that_is_wrong_is_told_at_once(self):
        with self.assertRaises(Refused) as caught:
            self.binder.set_all([
                ("cpu.icache.asoc", "4"), ("l1i.size", "32KiB"), ("branch-predictor", "local-bp"), ("clok", "1GHz")])
        self.assertEqual(caught.exception.cause, "unknown-parameter")
        self.assertEqual(sorted(str(caught.exception).split("; ")), sorted([
            "branch-predictor=local-bp: there is no such value", "did you mean local?",
            "there is no parameter cpu.icache.asoc", "did you mean cpu.icache.assoc?",
            "there is no parameter clok", "did you mean clock?"]))
        self.assertEqual(self.cores[0].icache.size, "32KiB", "what is right was tried, too")

    def test_a_class_that_there_is_not_is_refused_with_the_nearest(self):
        core = support.Object(kinds={"direct": LTAGE})
        with self.assertRaises(parameters.BadValue) as caught:
            self.binder.value("system.cpu0.direct", "LTAEG", core, "direct")
        self.assertTrue(str(caught.exception).endswith("made from LTAGE; did you mean LTAGE?"), caught.exception)

    def test_what_a_system_has_not_got_is_unknown(self):
        self.assertIn("this system has no l2.size", self.refusal("l2.size", "1MiB")[1])
        self.assertEqual(self.refusal("cpu2.icache.assoc", "1")[0], "unknown-parameter")

    def test_a_refused_value_says_why_in_one_line(self):
        self.assertEqual(self.refusal("l1i.size", "banana"), (
            "bad-value", "l1i.size=banana: gem5 does not take it: bad: banana"))

    def test_objects(self):
        self.binder.set_all([("branch-predictor", "ltage")])
        self.assertIsInstance(self.cores[0]._values["branchPred"], LTAGE)
        self.assertIsNot(self.cores[0]._values["branchPred"], self.cores[1]._values["branchPred"])
        self.assertEqual(self.binder.report()[0]["name"], "type")
        self.assertEqual(self.binder.report()[0]["value"], "LTAGE")
        self.assertIn("it is one of local, bimodal", self.refusal("branch-predictor", "magic")[1])
        self.assertIn("this gem5 has no TAGE_SC_L_64KB", self.refusal("branch-predictor", "tage-sc-l")[1])

    def test_report(self):
        self.binder.set("clock", "3GHz")
        self.assertEqual(self.binder.report(), [
            {"axis": "clock", "given": "3GHz", "path": "path.of.Object", "name": "clock", "value": "3GHz"}])

    def test_objects_are_replaced_before_their_parameters_are_set(self):
        given = [("btb.size", "1"), ("core.rob", "1"), ("system.cpu.branchPred", "LTAGE"), ("core", "o3"),
                 ("cpu.l2cache.prefetcher.degree", "2"), ("l2.prefetcher", "stride")]
        self.assertEqual([axis for axis, _ in names.order(given)],
                         ["core", "core.rob", "system.cpu.branchPred", "btb.size", "l2.prefetcher",
                          "cpu.l2cache.prefetcher.degree"])

    def test_what_a_choice_shows(self):
        memory = support.Object(["tCK", "device_bus_width", "other"])
        memory.tCK, memory.device_bus_width = "833", "4"
        self.binder.note_choice("memory", "ddr4-2400", [memory])
        self.assertEqual([(line["given"], line["name"], line["value"]) for line in self.binder.report()], [
            ("ddr4-2400", "type", "Object"), ("ddr4-2400", "tCK", "833"), ("ddr4-2400", "device_bus_width", "4")])

    def test_choices(self):
        self.assertEqual(parameters.choose([("core", "O3"), ("l2.size", "1")]), {"core": "o3"})
        with self.assertRaises(Refused) as caught:
            parameters.choose([("core", "fast")])
        self.assertEqual(str(caught.exception), "core=fast: there is no such value; it is one of atomic, timing, minor, o3")
        with self.assertRaises(Refused) as caught:
            parameters.choose([("core", "atomik"), ("memory", "dr4-2400")])
        self.assertEqual(str(caught.exception), (
            "core=atomik: there is no such value; did you mean atomic?; "
            "memory=dr4-2400: there is no such value; did you mean ddr4-2400?"))


if __name__ == "__main__":
    unittest.main()
