import json
import os
import sys
import tempfile
import types
import unittest

import support
from support import Event
from status import Status

sys.modules["m5"] = support.Gem5([])
import simulation  # noqa: E402  (needs the stand-in)

BEGIN, END, FAIL = simulation.WORK_BEGIN, simulation.WORK_END, simulation.FAIL
SYSTEM = types.SimpleNamespace(cpu=["cpu0", "cpu1"])
WARMERS = ["atomic0", "atomic1"]


def invocations(count, first=0):
    return [Event(cause, 100 + first + i) for i in range(count) for cause in (BEGIN, END)]


class Simulations(unittest.TestCase):
    def setUp(self):
        self.system = SYSTEM
        self.folder = tempfile.mkdtemp()
        self.recorded = []

    def run_mode(self, mode, events, heart=None, warmers=WARMERS, machines=1, more=(), **arguments):
        simulation.m5 = self.gem5 = support.Gem5(events)
        status = Status(self.folder)
        arguments = types.SimpleNamespace(**{
            "atomic_warming": 0, "num_invocations": 2, "take_checkpoints": False, "checkpoint_dir": "cpt",
            "function": "f", "state": "warm", "booted": None, **arguments})
        if mode in ("boot", "setup"):
            def write(folder, kind):
                self.recorded.append((folder, kind))
            run = simulation.Setup(self.system, arguments, status, write) if mode == "setup" else simulation.Boot(
                self.system, arguments, status, write, machines=machines)
        else:
            run = simulation.Evaluation(self.system, warmers, arguments, status, heart, *more)
        with self.assertRaises(simulation.End) as caught:
            run.run()
        with open(os.path.join(self.folder, "status.jsonl"), encoding="utf-8") as file:
            self.events = [json.loads(line) for line in file]
        self.counts = (run.begun, run.ended)
        return caught.exception.cause

    def numbers(self, event):
        return [line["number"] for line in self.events if line["event"] == event]

    def phases(self):
        return [line["phase"] for line in self.events if line["event"] == "phase"]

    def test_a_block_of_statistics_an_invocation(self):
        self.assertEqual(self.run_mode("evaluation", invocations(5)), "workend")
        self.assertEqual(self.gem5.did, ["reset", "dump", "reset"] * 2)
        self.assertEqual((self.numbers("invocation-begin"), self.numbers("invocation-end")), ([1, 2], [1, 2]))
        self.assertEqual((self.counts, self.phases()), ((2, 2), ["measure"]))

    def test_it_ends_when_enough_was_measured(self):
        asked = []

        def is_enough(number):
            asked.append((number, list(self.gem5.did)))
            return number == 3
        cause = self.run_mode("evaluation", invocations(9), more=[is_enough], atomic_warming=1, num_invocations=5)
        self.assertEqual((cause, self.counts), ("tight", (3, 3)))
        self.assertEqual([number for number, _ in asked], [1, 2, 3])
        self.assertEqual(asked[0][1][-2:], ["dump", "reset"], "only once the block is there")
        cause = self.run_mode("evaluation", invocations(9), more=[lambda number: number == 5], num_invocations=5)
        self.assertEqual((cause, self.counts), ("workend", (5, 5)))

    def test_a_panic_between_slices_ends_the_run(self):
        heart = types.SimpleNamespace(beats=[], has_panicked=lambda: len(heart.beats) > 1)
        heart.beat = heart.beats.append
        events = [Event(simulation.LIMIT, 0)] * 5 + invocations(5)
        self.assertEqual(self.run_mode("evaluation", events, heart=heart), "guest-panic")
        self.assertEqual(len(heart.beats), 2)

    def test_slices_are_no_events_of_the_guest(self):
        heart = types.SimpleNamespace(beat=lambda tick: None, has_panicked=lambda: False)
        limit = Event(simulation.LIMIT, 0)
        events = [event for pair in invocations(5) for event in (limit, pair, limit)]
        self.assertEqual(self.run_mode("evaluation", events, heart=heart), "workend")
        self.assertEqual(self.gem5.did, ["reset", "dump", "reset"] * 2)

    def test_warming_on_the_atomic_cores(self):
        self.assertEqual(self.run_mode("evaluation", invocations(9), atomic_warming=3), "workend")
        self.assertEqual(self.gem5.did[:2], ["switch to atomic0 atomic1", "switch to cpu0 cpu1"])
        self.assertEqual(self.gem5.did[2:], ["reset", "dump", "reset"] * 2)
        self.assertEqual(self.numbers("invocation-end"), [0, 0, 0, 1, 2])
        self.assertEqual(self.phases(), ["warm", "measure"])

    def test_atomic_cores_under_test_warm_themselves(self):
        self.assertEqual(self.run_mode("evaluation", invocations(9), warmers=[], atomic_warming=3), "workend")
        self.assertEqual(self.gem5.did, ["reset", "dump", "reset"] * 2)
        self.assertEqual((self.numbers("invocation-end"), self.phases()), ([0, 0, 0, 1, 2], ["warm", "measure"]))

    def test_a_restore_in_the_middle_of_an_invocation_counts_whole_ones_only(self):
        self.assertEqual(self.run_mode("evaluation", [Event(END, 104)] + invocations(3, 5)), "workend")
        self.assertEqual((self.gem5.did, self.counts), (["reset", "dump", "reset"] * 2, (2, 2)))

    def after_others(self, count, first=0):
        """Invocations before each of which the guest has others run."""
        made = invocations(count, first)
        return [event for i in range(0, 2 * count, 2) for event in self.marks(33) + made[i:i + 2]]

    def states(self):
        return [(line["state"], line["number"]) for line in self.events if line["event"] == "state"]

    def test_others_run_on_the_atomic_cores_before_each_measured_invocation(self):
        events = invocations(1) + self.after_others(4, 1)
        self.assertEqual(self.run_mode("evaluation", events, atomic_warming=1, state="lukewarm"), "workend")
        block = ["reset", "dump", "reset"]
        turn = ["switch to atomic0 atomic1", "switch to cpu0 cpu1"] + block
        self.assertEqual(self.gem5.did, turn * 2)
        self.assertEqual(self.states(), [("lukewarm", 1), ("lukewarm", 2)])

    def test_without_warming_calls_and_warmers(self):
        self.assertEqual(self.run_mode("evaluation", self.after_others(3), warmers=[], state="lukewarm"), "workend")
        self.assertEqual(self.gem5.did, ["reset", "dump", "reset"] * 2)

    def test_caches_and_buffers_are_emptied_on_the_measured_cores(self):
        cores = [types.SimpleNamespace(flushTLBs=lambda i=i: self.gem5.did.append("flush %d" % i)) for i in (0, 1)]
        self.system = types.SimpleNamespace(cpu=cores)
        self.assertEqual(self.run_mode("evaluation", self.after_others(3), warmers=[], state="cold-caches"), "workend")
        emptied = ["drain", "write back", "invalidate", "flush 0", "flush 1"]
        self.assertEqual(self.gem5.did, (emptied + ["reset", "dump", "reset"]) * 2)
        self.assertEqual(self.states(), [("cold-caches", 1), ("cold-caches", 2)])

    def test_a_guest_that_knows_no_states_is_not_measured(self):
        self.assertEqual(self.run_mode("evaluation", invocations(3), state="lukewarm"), "guest-exit")
        self.assertEqual((self.gem5.did, self.counts), ([], (0, 0)))
        events = self.after_others(1) + invocations(3, 1)
        self.assertEqual(self.run_mode("evaluation", events, state="lukewarm"), "guest-exit")
        self.assertEqual(self.counts, (1, 1))

    def test_an_interrupt_leaves_no_block(self):
        events = invocations(1) + [Event(BEGIN, 101), Event("user interrupt received")]
        self.assertEqual(self.run_mode("evaluation", events), "interrupted")
        self.assertEqual((self.gem5.did, self.counts), (["reset", "dump", "reset", "reset"], (2, 1)))

    def test_the_ends_that_are_no_success(self):
        for event, cause in (
                (Event(FAIL, 40), "wrong-answer"), (Event(FAIL, 41), "guest-exit"), (Event(FAIL, 42), "guest-exit"),
                (Event(FAIL, 43), "guest-exit"),
                (Event(FAIL, 6), "guest-exit"), (Event(FAIL, (1 << 32) - 1), "guest-exit"),
                (Event(FAIL, -1), "guest-exit"),
                (Event("m5_exit instruction encountered"), "guest-exit"), (Event("Halted"), "Halted")):
            self.assertEqual(self.run_mode("evaluation", invocations(1) + [event]), cause)
            self.assertEqual(self.counts, (1, 1))

    def marks(self, *codes):
        return [Event(FAIL, code) for code in codes]

    def test_setup(self):
        self.assertEqual(self.run_mode("setup", self.marks(1, 2, 3, 10, 20, 31, 32)), "checkpoint")
        self.assertEqual(self.phases(), ["boot", "container", "pin", "warm-up", "checkpoint"])
        self.assertEqual(self.gem5.did, ["checkpoint cpt/f/cpt.warm"])
        self.assertEqual(self.recorded, [("cpt/f/cpt.warm", "warm")])

    def test_the_checkpoint_after_boot_is_taken_on_demand(self):
        self.run_mode("setup", self.marks(1, 2, 3, 31, 32), take_checkpoints=True)
        self.assertEqual(self.recorded, [("cpt/f/cpt.boot", "boot"), ("cpt/f/cpt.warm", "warm")])

    def test_a_setup_goes_on_from_a_booted_guest(self):
        self.assertEqual(self.run_mode("setup", self.marks(1, 2, 3, 31, 32), booted="cpt.boot"), "checkpoint")
        self.assertEqual(self.phases(), ["container", "pin", "warm-up", "checkpoint"])
        self.assertEqual(self.recorded, [("cpt/f/cpt.warm", "warm")])

    def test_a_boot_ends_when_all_machines_are_up(self):
        self.assertEqual(self.run_mode("boot", self.marks(1, 2), function=""), "checkpoint")
        self.assertEqual((self.phases(), self.recorded), (["boot", "checkpoint"], [("cpt/cpt.boot", "boot")]))
        self.recorded = []
        self.assertEqual(self.run_mode("boot", self.marks(1, 1), function="", machines=2), "checkpoint")
        self.assertEqual(self.recorded, [("cpt/cpt.boot", "boot")])
        self.recorded = []
        self.assertEqual(self.run_mode("boot", self.marks(1, 43), function="", machines=2), "guest-exit")
        self.assertEqual(self.recorded, [])

    def test_a_setup_that_fails(self):
        self.assertEqual(self.run_mode("setup", self.marks(1, 42)), "guest-exit")
        self.assertEqual((self.gem5.did, self.recorded), ([], []))


if __name__ == "__main__":
    unittest.main()
