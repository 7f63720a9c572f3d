import json
import os
import stat
import tempfile
import unittest

import support  # noqa: F401  (finds the package)
from status import Status
from until import Until


class Questions(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.program = os.path.join(self.folder, "agent")

    def answering(self, script):
        """Asked after each of five invocations: the answers, and what was asked."""
        asked = os.path.join(self.folder, "asked")
        with open(self.program, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho \"$@\" >>%s\n%s\n" % (asked, script))
        os.chmod(self.program, stat.S_IRWXU)
        until = Until(self.program, "{rule}", "m5out", Status(self.folder))
        answers = [until(number) for number in range(1, 6)]
        with open(asked, encoding="utf-8") as file:
            questions = file.read().splitlines()
        with open(os.path.join(self.folder, "status.jsonl"), encoding="utf-8") as file:
            self.events = [json.loads(line) for line in file]
        return answers, questions

    def test_it_is_asked_when_it_was_said(self):
        script = """n=$(wc -l <%s/asked)
            [ $n -lt 3 ] && tight=false || tight=true
            echo "{\\"tight\\":$tight,\\"next\\":$((n * 2))}" """
        answers, questions = self.answering(script % self.folder)
        self.assertEqual(answers, [False, False, False, True, False])
        self.assertEqual(questions, ["gem5 enough {rule} m5out"] * 3)
        self.assertEqual([(event["event"], event["number"], event["tight"]) for event in self.events],
                         [("interval", 1, False), ("interval", 2, False), ("interval", 4, True)])

    def test_without_an_answer_nothing_is_ended_and_it_is_not_asked_again(self):
        for script, said in (("echo 'gem5: no such rule' >&2; exit 64", "no such rule"), ("echo x", "Expecting value")):
            with self.subTest(script):
                self.setUp()
                answers, questions = self.answering(script)
                self.assertEqual((answers, len(questions)), ([False] * 5, 1))
                self.assertIn(said, self.events[0]["message"])

    def test_a_program_that_is_not_there(self):
        until = Until(self.program, "{rule}", "m5out", Status(self.folder))
        self.assertEqual((until(1), until(2)), (False, False))


if __name__ == "__main__":
    unittest.main()
