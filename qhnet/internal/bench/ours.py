"""Our side of the comparison: one process that runs what it is asked to."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Ours:
    """The bench command under a kernel: avx512, avx2, portable or the default."""

    def __init__(self, kernel="", procs=1, pin=()):
        binary = ROOT / ".tools" / "bench"
        subprocess.run(["go", "build", "-o", binary, "./qhnet/internal/bench"], cwd=ROOT, check=True)
        env = dict(os.environ, QHLAB_KERNEL=kernel, GOMAXPROCS=str(procs))
        self.process = subprocess.Popen([*pin, binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def seconds(self, *request):
        self.ask(*request)
        return self.answer()

    def ask(self, *request):
        self.process.stdin.write(" ".join(map(str, request)) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return float(self.process.stdout.readline())
