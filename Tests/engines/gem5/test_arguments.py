import os
import tempfile
import unittest

import support  # noqa: F401  (finds the package)
import arguments
from status import Refused


class Arguments(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        for name in ("vmlinux", "disk.img"):
            self.file(name)
        self.machine = ["--kernel", self.path("vmlinux"), "--disk", self.path("disk.img")]

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, text=""):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def parse(self, *words):
        return arguments.parse(self.machine + list(words), self.folder)

    def refusal(self, *words):
        with self.assertRaises(Refused) as caught:
            self.parse(*words)
        return caught.exception.cause, str(caught.exception)

    def test_trials_need_no_guest(self):
        self.assertEqual(arguments.parse(["--mode", "kvm"], self.folder).mode, "kvm")
        self.assertEqual(arguments.parse(["--mode", "bind", "--pairs", "p"], self.folder).mode, "bind")

    def test_what_usweep_asks_for(self):
        parsed = self.parse(
            "--mode", "evaluation", "--system", "skylake", "--function", "aes-python", "--num-invocations", "7",
            "--atomic-warming", "2", "--checkpoint-dir", "checkpoint", "--set", "l2.size=256KiB",
            "--set", "cpu.branchPred.tage.maxHist=10", "--digest", "disk=" + 64 * "a")
        self.assertEqual((parsed.mode, parsed.system, parsed.num_invocations), ("evaluation", "skylake", 7))
        self.assertEqual(parsed.settings, [("l2.size", "256KiB"), ("cpu.branchPred.tage.maxHist", "10")])
        self.assertEqual(parsed.digests, {"disk": 64 * "a"})
        self.assertEqual(arguments.checkpoint_folder(parsed, "warm"), "checkpoint/aes-python/cpt.warm")

    def test_what_vswarm_scripts_ask_for(self):
        parsed = self.parse("--function", "fibonacci-go", "--mode=evaluation", "--atomic-warming", "10",
                            "--num-invocation", "10", "--use-checkpoint", "boot", "--take-checkpoints")
        self.assertEqual((parsed.num_invocations, parsed.use_checkpoint), (10, "boot"))
        self.assertTrue(parsed.take_checkpoints)
        self.assertEqual((parsed.system, parsed.functional_warming), ("simple", 5000))
        self.assertEqual(arguments.checkpoint_folder(parsed, "boot"), "cpt_1m/fibonacci-go/cpt.boot")

    def test_sizes(self):
        for text, size in (
                ("512MiB", 512 << 20), ("2GB", 2 << 30), ("64kB", 65536), ("4096", 4096), ("3 GiB", 3 << 30)):
            self.assertEqual(arguments.bytes_of(text), size, text)
        cause, text = self.refusal("--function", "f", "--memory", "lots")
        self.assertEqual(cause, "bad-arguments")
        self.assertIn("'lots' is not a size", text)

    def test_the_only_function_in_the_list_is_taken(self):
        self.file("functions.list", "# all\n#aes-go\n  fibonacci-python  # this one\n\n")
        self.assertEqual(self.parse().function, "fibonacci-python")

    def test_several_functions_or_none_are_refused(self):
        self.assertIn("there is no functions.list", self.refusal()[1])
        self.file("functions.list", "fibonacci-go\naes-go\n")
        self.assertEqual(self.refusal(), (
            "bad-arguments", "which function? give --function NAME (functions.list has fibonacci-go, aes-go)"))

    def test_a_script_needs_no_function(self):
        self.file("run.sh")
        self.assertEqual(self.parse("--script", self.path("run.sh")).function, "")
        self.assertEqual(self.refusal("--script", self.path("gone.sh"))[0], "missing-file")

    def test_a_disk_of_the_workload(self):
        self.file("workload.squashfs", "hsqs and so on")
        disk = ["--function", "f", "--workload-disk", self.path("workload.squashfs")]
        parsed = self.parse(*disk, "--digest", "workload-disk=" + 64 * "b")
        self.assertEqual(parsed.digests, {"workload-disk": 64 * "b"})
        self.assertEqual(arguments.files(parsed), {
            "kernel": self.path("vmlinux"), "disk": self.path("disk.img"),
            "workload-disk": self.path("workload.squashfs")})
        self.assertEqual(list(arguments.files(self.parse("--function", "f"))), ["kernel", "disk"])

    def test_a_disk_that_is_not_a_workloads(self):
        cause, text = self.refusal("--function", "f", "--workload-disk", self.path("disk.img"))
        self.assertEqual(cause, "bad-value")
        self.assertIn("disk.img is not the disk of a workload; usweep workload add makes one", text)
        self.assertEqual(self.refusal("--function", "f", "--workload-disk", self.path("gone")), (
            "missing-file", "the workload disk %s is not a file" % self.path("gone")))

    def test_this_projects_guest_holds_no_function(self):
        with open(self.path("disk.img"), "wb") as file:
            file.write((bytes(1080) + b"\x53\xef").ljust(1144, b"\0") + b"usweep".ljust(16, b"\0"))
        cause, text = self.refusal("--function", "f")
        self.assertEqual(cause, "bad-arguments")
        self.assertIn("disk.img holds no function: give --workload-disk FILE", text)
        self.assertEqual(self.parse("--script", self.path("vmlinux")).function, "")

    def test_a_boot_is_of_no_function(self):
        self.file("functions.list", "f")
        boot = self.parse("--mode", "boot", "--for-workload-disks")
        self.assertEqual((boot.function, arguments.has_workload(boot)), ("", True))
        self.assertEqual(self.parse("--mode", "boot", "--system", "two-machine").function, "")
        self.assertEqual(self.parse("--function", "f", "--booted", "cpt.boot").booted, "cpt.boot")
        for words in (["--mode", "boot", "--function", "f"], ["--mode", "setup", "--for-workload-disks"],
                      ["--mode", "evaluation", "--function", "f", "--booted", "c"]):
            self.assertEqual(self.refusal(*words)[0], "bad-arguments", words)

    def test_what_is_forced(self):
        words = ["--mode", "evaluation", "--function", "f", "--forced", "kernel", "--forced", "workload-disk"]
        self.assertEqual(self.parse(*words).forced, ["kernel", "workload-disk"])
        self.assertEqual(self.refusal("--function", "f", "--forced", "kernel")[0], "bad-arguments")
        self.assertEqual(
            self.refusal("--mode", "evaluation", "--function", "f", "--forced", "memory")[0], "bad-arguments")

    def test_refusals(self):
        for words, cause in (
                (["--function", "f", "--kernel", self.path("gone")], "missing-file"),
                (["--function", "f", "--cores", "1"], "bad-value"),
                (["--function", "f", "--cores", "11"], "bad-value"),
                (["--function", "f", "--mode", "evaluation", "--num-invocations", "0"], "bad-value"),
                (["--function", "f", "--set", "l2.size"], "bad-arguments"),
                (["--function", "f", "--digest", "disk=abc"], "bad-arguments"),
                (["--function", "f", "--mode", "both"], "bad-arguments"),
                (["--system", "two-machine", "--script", self.path("vmlinux")], "bad-arguments"),
                (["--mode", "bind"], "bad-arguments"), (["--mode", "kvmm"], "bad-arguments")):
            self.assertEqual(self.refusal(*words)[0], cause, words)


if __name__ == "__main__":
    unittest.main()
