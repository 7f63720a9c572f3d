"""Of which packages a guest is made, with stand-ins for apt and dpkg: what the digest names is what is built from."""
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
STAND_INS = {
    "apt-cache": "echo '  Installed: (none)'; echo \"  Candidate: $(cat versions/$2)\"",
    "dpkg-query": "exit 1",
    "cc": "echo cc 12",
    # Names of files have no colons.
    "apt-get": "name=${2%%=*} version=${2#*=}; echo new >${name}_$(echo $version | sed s/:/%3a/)_amd64.deb",
}


class Packages(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        for name, text in STAND_INS.items():
            path = self.folder / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("#!/bin/sh\ncd %s\n" % (self.folder if name != "apt-get" else ".") + text + "\n")
            path.chmod(0o755)
        (self.folder / "versions").mkdir()
        for name in self.run_shell('printf "%s\\n" "${programs[@]}" kernel libnghttp2-dev').split():
            self.version(name, "1")

    def version(self, name, version):
        (self.folder / "versions" / name).write_text(version)

    def run_shell(self, script):
        lines = ["set -euo pipefail", "kernel_package=kernel cache=cache out=out", ". %s/ops/guest/parts.sh" % ROOT,
                 "has_http2() { false; }", ". %s/ops/guest/gem5.sh" % ROOT, script]
        path = "%s:%s" % (self.folder / "bin", os.environ["PATH"])
        done = subprocess.run(["bash", "-c", "\n".join(lines)], cwd=self.folder, env=dict(os.environ, PATH=path),
                              capture_output=True, text=True, check=True)
        return done.stdout

    def test_versions(self):
        before = self.run_shell("package_versions")
        for name in "kernel", "crun", "libnghttp2-dev":
            self.version(name, "2")
            self.assertIn("%s 2\n" % name, self.run_shell("package_versions"))
            self.version(name, "1")
        self.assertEqual(before, self.run_shell("package_versions"))

    def test_cache(self):
        cache = self.folder / "cache"
        cache.mkdir()
        (cache / "kernel_1_amd64.deb").write_text("old")
        self.assertEqual(self.run_shell("download kernel; cat $(deb_of kernel)"), "old")
        self.version("kernel", "1:2")
        self.assertEqual(self.run_shell("download kernel; cat $(deb_of kernel)"), "new\n")
        self.assertEqual((cache / "kernel_1_amd64.deb").read_text(), "old")

    def test_kept_kernel(self):
        tree = self.folder / "tree"
        (tree / "arch/x86/boot").mkdir(parents=True)
        for name in "vmlinux", "arch/x86/boot/bzImage":
            (tree / name).write_text("kernel")
        kept = self.folder / "kernels/kept"

        def keep():
            self.run_shell("keep_kernel tree kernels/kept")
            self.assertEqual(sorted(path.name for path in kept.iterdir()), ["bzImage", "digests", "vmlinux"])
            self.assertEqual([path.name for path in kept.parent.iterdir()], ["kept"])
            return (kept / "vmlinux").stat().st_ino

        first = keep()
        self.assertEqual(keep(), first, "another clone may copy it just now")
        (kept / "vmlinux").write_text("cut")
        keep()
        self.assertEqual((kept / "vmlinux").read_text(), "kernel")


if __name__ == "__main__":
    unittest.main()
