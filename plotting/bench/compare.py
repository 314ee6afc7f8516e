"""Compare the time and the size of five figures with matplotlib's.

Usage, from the root of the project, in a virtual environment with
bench/requirements.txt installed:

    go test -c -o /tmp/plotting.test ./plotting
    cd plotting && python bench/compare.py /tmp/plotting.test [/tmp/earlier.test]

With a second program, built from an earlier commit, its figures are measured as
well. Times are those of the processor. Rounds alternate between the programs and the
least time of each is kept, so that other work on the machine touches all alike.
matplotlib's time is that of savefig alone, without building the figure and, for
PGF, without the LaTeX that it starts; ours is that of Encode, which lays the
figure out as well.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
import time

import matplotlib

matplotlib.use("agg")
matplotlib.rcParams["pgf.texsystem"] = "pdflatex"
import matplotlib.pyplot as plt
import numpy as np

ROUNDS = 5
FORMATS = ["png", "svg", "pdf", "pgf"]


def canvas():
    fig, ax = plt.subplots(figsize=(6.75, 4.2), dpi=300)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    return fig, ax


def lines():
    fig, ax = canvas()
    x = np.linspace(0, 10, 1001)
    for k in range(5):
        y = np.sin(x + k) * np.exp(-x / 10)
        ax.plot(x, y)
        ax.annotate(f"line {k}", (x[-1], y[-1]))
    return fig


def heatmap():
    fig, ax = plt.subplots(figsize=(4.1, 3.2), dpi=300)
    i, j = np.mgrid[0:100, 0:100]
    image = ax.imshow(np.sin(i / 9) * np.cos(j / 7))
    fig.colorbar(image, label="value")
    ax.set_axis_off()
    return fig


def contour():
    fig, ax = canvas()
    x, y = np.meshgrid(np.linspace(-3, 3, 214), np.linspace(-2, 2, 129))
    z = np.sin(2 * x) * np.cos(3 * y) * np.exp(-(x * x + y * y) / 8)
    ax.contour(x, y, z, levels=[-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6], colors="k")
    return fig


def scatter():
    fig, ax = canvas()
    rng = np.random.default_rng(1)
    ax.scatter(rng.normal(size=10000), rng.normal(size=10000), s=8, linewidths=0)
    return fig


def stacked():
    fig, axes = plt.subplots(4, 1, sharex=True, figsize=(6.75, 4.44), dpi=300)
    x = np.logspace(0, 6, 201)
    for k, ax in enumerate(axes):
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_ylabel("norm")
        ax.loglog(x, x ** (1 / (k + 1)))
        ax.axhline(10, linestyle=":")
        ax.annotate("flow", (x[-1], x[-1] ** (1 / (k + 1))))
    axes[-1].set_xlabel("log(1/L)")
    return fig


FIGURES = {f.__name__: f for f in [lines, heatmap, contour, scatter, stacked]}


def measure_matplotlib(best, sizes):
    for name, build in FIGURES.items():
        fig = build()
        fig.savefig(io.BytesIO(), format="png")  # warm
        for form in FORMATS:
            with tempfile.TemporaryDirectory() as folder:  # PGF writes images beside
                start = time.process_time()
                fig.savefig(os.path.join(folder, "f." + form), dpi=300)
                spent = time.process_time() - start
                sizes[name, form] = sum(f.stat().st_size for f in os.scandir(folder))
            best[name, form] = min(best.get((name, form), 1e9), spent)
        plt.close(fig)


def measure_go(binary, best, sizes):
    out = subprocess.run(
        [binary, "-test.run", "xxx", "-test.bench", "Encode", "-test.benchtime", "3x"],
        check=True, capture_output=True, text=True,
    ).stdout
    for name, form, size, ns in re.findall(r"Encode/(\w+)/(\w+)\S*\s+\d+\s+[\d.]+ ns/op\s+([\d.]+) bytes\s+([\d.]+) cpu-ns", out):
        best[name, form] = min(best.get((name, form), 1e9), float(ns) * 1e-9)
        sizes[name, form] = int(float(size))


def main():
    programs = sys.argv[1:3]
    theirs, their_sizes = {}, {}
    ours, our_sizes = [{} for _ in programs], [{} for _ in programs]
    for _ in range(ROUNDS):
        measure_matplotlib(theirs, their_sizes)
        for program, best, sizes in zip(programs, ours, our_sizes):
            measure_go(program, best, sizes)
    print(f"matplotlib {matplotlib.__version__}, least of {ROUNDS} rounds\n")
    earlier = len(programs) > 1
    print("| figure | format | matplotlib ms |" + " before |" * earlier + " now | ratio | matplotlib kB |" + " before |" * earlier + " now | ratio |")
    print("| --- | --- |" + " ---: |" * (6 + 2 * earlier))
    for name in FIGURES:
        for form in FORMATS:
            row = [name, form]
            for scale, base, runs in [(1e3, theirs, ours), (1e-3, their_sizes, our_sizes)]:
                row += [f"{base[name, form] * scale:.1f}"] + [f"{r[name, form] * scale:.1f}" for r in runs[::-1]]
                row.append(f"{runs[0][name, form] / base[name, form]:.2f}")
            print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
