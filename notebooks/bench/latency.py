"""What a reader waits for: GoNB with package plotting, ipykernel with matplotlib.

    python latency.py [rounds]

Waits are measured from sending a cell until the kernel is idle again, the figure
received: the first figure of a new kernel, imports included; the same cell again with
one number changed; and a cell that declares a function again. The floor is a cell that
does nothing but print a number, in a kernel without imports: what compiling, linking and
starting any program takes. The kernels take turns. Everything is warm: run
`go run ./notebooks prepare` before.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

from jupyter_client import KernelManager

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ["JUPYTER_PATH"] = str(ROOT / ".jupyter")
os.environ["GONB_FLAGS"] = "-logtostderr=false -log_file=/dev/null -stderrthreshold=3"
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15

GO_IMPORTS = '%noautoget\nimport (\n\t"math"\n\t"qhlab/plotting"\n)\n'
GO_CELL = """%%%%
x, y := make([]float64, 500), make([]float64, 500)
for i := range x {
	x[i] = float64(i) / 50
	y[i] = math.Sin(%g * x[i])
}
plotting.Show(plotting.Figure{
	Caption: "A sine.",
	Panels: []plotting.Panel{{Layers: []plotting.Layer{plotting.Line{X: x, Y: y, Role: plotting.Highest}}}},
})"""
GO_FUNCTION = "func wave(x float64) float64 { return math.Sin(%g * x) }"
PYTHON_FUNCTION = "def wave(x):\n    return np.sin(%g * x)"
GO_EMPTY = "%%%%\nprintln(%g)"
PYTHON_EMPTY = "print(%g)"
PYTHON_IMPORTS = "import numpy as np\nimport matplotlib.pyplot as plt\n"
PYTHON_CELL = """x = np.arange(500) / 50
plt.plot(x, np.sin(%g * x))
plt.show()"""


class Kernel:
    def __init__(self, name):
        begun = time.perf_counter()
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel(cwd=ROOT / "notebooks", stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.started = time.perf_counter() - begun

    def seconds(self, source, figure=True):
        figures, failures = [], []

        def hook(message):
            content = message["content"]
            if "image/png" in content.get("data", {}):
                figures.append(message)
            if message["msg_type"] == "error":
                failures.append(content["evalue"])

        begun = time.perf_counter()
        self.client.execute_interactive(source, output_hook=hook, timeout=120, store_history=False)
        took = time.perf_counter() - begun
        if failures or figure and len(figures) != 1:
            sys.exit(f"{self.manager.kernel_name}: {len(figures)} figures, {failures}")
        return took

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def main():
    first, again = {"gonb": [], "python3": []}, {"gonb": [], "python3": []}
    for n in range(3):
        for name, imports, cell in ("gonb", GO_IMPORTS, GO_CELL), ("python3", PYTHON_IMPORTS, PYTHON_CELL):
            kernel = Kernel(name)
            wait = kernel.seconds(imports, figure=False) + kernel.seconds(cell % (1 + n / 1000))
            first[name].append(kernel.started + wait)
            kernel.stop()
    floor, declared = {"gonb": [], "python3": []}, {"gonb": [], "python3": []}
    kernels = {name: Kernel(name) for name in again}
    bare = {name: Kernel(name) for name in again}
    kernels["gonb"].seconds(GO_IMPORTS, figure=False)
    kernels["python3"].seconds(PYTHON_IMPORTS, figure=False)
    for n in range(rounds + 1):
        number = 2 + n / 1000
        for name, cell, function, empty in (("gonb", GO_CELL, GO_FUNCTION, GO_EMPTY),
                                            ("python3", PYTHON_CELL, PYTHON_FUNCTION, PYTHON_EMPTY)):
            took, least = kernels[name].seconds(cell % number), bare[name].seconds(empty % number, figure=False)
            changed = kernels[name].seconds(function % number, figure=False)
            if n > 0:  # the first is warm-up
                again[name].append(took)
                declared[name].append(changed)
                floor[name].append(least)
    for kernel in [*kernels.values(), *bare.values()]:
        kernel.stop()
    print("| wait | GoNB, s | ipykernel, s | ratio | GoNB, least | ipykernel, least |\n|" + " --- |" * 6)
    for what, times in (("kernel, imports and first figure", first), ("one number changed", again),
                        ("a function changed", declared), ("the floor", floor)):
        ours, theirs = times["gonb"], times["python3"]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        print(f"| {what} | {statistics.median(ours):.2f} | {statistics.median(theirs):.2f} | {ratio:.2f} "
              f"| {min(ours):.2f} | {min(theirs):.2f} |")


main()
