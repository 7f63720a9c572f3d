import os
import tempfile
import unittest

import support  # noqa: F401
import pulse


class Core:
    def __init__(self):
        self.instructions = 0

    def totalInsts(self):
        return self.instructions


class Lines:
    def __init__(self):
        self.events = []

    def timed(self, event, tick, **fields):
        self.events.append((event, tick, fields["instructions"]))


class PulseTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.terminal = os.path.join(self.folder.name, "terminal")
        self.status, self.core, self.now = Lines(), Core(), 0
        terminals = [self.terminal, self.terminal + ".other"]
        self.pulse = pulse.Pulse(self.status, [self.core], 400, terminals, clock=lambda: self.now)

    def tearDown(self):
        self.folder.cleanup()

    def beat(self, tick, instructions):
        self.now += pulse.PAUSE
        self.core.instructions = instructions
        self.pulse.beat(tick)

    def test_a_guest_that_works_makes_progress(self):
        self.beat(400_000, 500)
        self.beat(800_000, 900)
        self.assertEqual(self.status.events, [("progress", 400_000, 500), ("progress", 800_000, 900)])

    def test_an_idle_guest_says_so_once_until_it_works_again(self):
        self.beat(400_000_000, 100)
        self.beat(800_000_000, 200)
        self.beat(1_200_000_000, 300)
        self.beat(1_600_000_000, 900_000)
        self.assertEqual([event for event, _, _ in self.status.events], ["idle", "progress"])

    def test_lines_do_not_come_more_often_than_need_be(self):
        self.beat(400_000, 500)
        self.core.instructions = 5_000
        self.pulse.beat(500_000)
        self.assertEqual(len(self.status.events), 1)

    def test_a_panic_is_seen_also_across_two_looks(self):
        self.assertFalse(self.pulse.has_panicked())
        with open(self.terminal, "wb") as file:
            file.write(b"booting\n[ 1.0] Kernel panic - not sy")
            file.flush()
            self.assertFalse(self.pulse.has_panicked())
            file.write(b"ncing: no init\n")
        self.assertTrue(self.pulse.has_panicked())

    def test_either_machine_may_panic(self):
        for text, panicked in ((b"booting\n", False), (b"Kernel panic - not syncing: no init\n", True)):
            with open(self.terminal + ".other", "ab") as file:
                file.write(text)
            self.assertEqual(self.pulse.has_panicked(), panicked)


if __name__ == "__main__":
    unittest.main()
