"""Our side of the comparisons, and what they share."""

import ctypes
import datetime
import os
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]


class Ours:
    """One process of the bench command, under a kernel: avx512, avx2, portable or the default."""

    def __init__(self, kernel="", procs=1, pin=()):
        binary = ROOT / ".tools" / "bench"
        subprocess.run(["go", "build", "-o", binary, "./qhnet/internal/bench"], cwd=ROOT, check=True)
        env = dict(os.environ, QHLAB_KERNEL=kernel, GOMAXPROCS=str(procs))
        self.process = subprocess.Popen([*pin, binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def seconds(self, *request):
        return self.numbers(*request)[0]

    def numbers(self, *request):
        self.ask(*request)
        return self.answer()

    def ask(self, *request):
        self.process.stdin.write(" ".join(map(str, request)) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return [float(v) for v in self.process.stdout.readline().split()]


def compiled(source, *libraries):
    """The functions of a file in C."""
    with tempfile.TemporaryDirectory() as d:
        target = pathlib.Path(d, "peer.so")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", target, source, *libraries], check=True)
        return ctypes.CDLL(target)


def milliseconds(s):
    return f"{1e3 * s:.{2 if s < 0.01 else 1 if s < 0.1 else 0}f} ms"


def publish(script, text):
    """Prints results, and puts them into the README between the marks of a script, with the day and the machine."""
    model = next(line for line in open("/proc/cpuinfo") if line.startswith("model name")).split(":")[1].strip()
    text = f"{datetime.date.today():%-d %B %Y}, {os.cpu_count()} processors {model}, load {os.getloadavg()[1]:.0f}.\n\n{text}"
    print(text)
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(f"<!-- {script} -->\n")
    after = rest[rest.index("<!-- end -->"):]
    readme.write_text(f"{before}<!-- {script} -->\n{text.rstrip()}\n{after}")
