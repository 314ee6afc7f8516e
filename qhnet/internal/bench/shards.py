"""One training step on two processors against one, by the clock on the wall.

    python shards.py [rounds]

Two processors are two cores only while nobody else has one of them, which on a
virtual machine no load average shows. So before and after the steps of a round a small
matrix product, which stays in the first cache, runs on each processor alone and on both
at once. Two threads of one core would share its multipliers and take twice as long.
Rounds in which both at once took over a tenth longer are not counted.
"""

import statistics
import sys

from ours import Ours

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 31
median = statistics.median
PRODUCT = ("wall", "gemm", "NN", 48, 48, 48, 20000)
STEPS = 10  # in a row, as in training


class Cores:
    def __init__(self):
        self.pair = [Ours(pin=("taskset", "-c", str(cpu))) for cpu in range(2)]

    def slowdown(self):
        alone = max(one.seconds(*PRODUCT) for one in self.pair)
        for one in self.pair:
            one.ask(*PRODUCT)
        return max(one.answer() for one in self.pair) / alone


def main():
    cores, one, two = Cores(), Ours(procs=1), Ours(procs=2)
    for network, points in [("10-64-64-1", 500), ("64-256-256-10", 2000), ("conv", 64)]:
        request = ("wall", "step", network, points, STEPS)
        a, b, tried = [], [], 0
        while len(a) < rounds and tried < 20 * rounds:
            tried += 1
            before = cores.slowdown()
            times = [one.seconds(*request), two.seconds(*request)]
            if max(before, cores.slowdown()) < 1.1:
                a.append(times[0])
                b.append(times[1])
        if not a:
            sys.exit("the two processors are never two cores here")
        print(f"{network}, {points} points: {1e3 * median(a):.2f} ms on one, {1e3 * median(b):.2f} ms on two, "
              f"ratio {median(y / x for x, y in zip(a, b)):.2f}, of minima {min(b) / min(a):.2f} "
              f"({len(a)} rounds of {tried})")


main()
