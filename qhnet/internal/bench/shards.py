"""One training step on two processors against one, by the clock on the wall.

    python shards.py [rounds]

First shows that two processors are two cores: small matrix products that stay
in the first cache run on both at once as fast as on one alone. Two threads of one core
would share its multipliers and take twice as long.
"""

import statistics
import sys

from ours import Ours

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 31
median = statistics.median


def cores():
    pair = [Ours(pin=("taskset", "-c", str(cpu))) for cpu in range(2)]
    request = ("wall", "gemm", "NN", 48, 48, 48, 1000)
    alone, both = [], []
    for _ in range(rounds):
        alone += [one.seconds(*request) for one in pair]
        for one in pair:
            one.ask(*request)
        both += [one.answer() for one in pair]
    print(f"48x48 products: alone {1e6 * median(alone):.2f} us, both at once {1e6 * median(both):.2f} us, "
          f"ratio of medians {median(both) / median(alone):.2f}, of minima {min(both) / min(alone):.2f}")


def shards():
    one, two = Ours(procs=1), Ours(procs=2)
    for network, points in [("10-64-64-1", 500), ("64-256-256-10", 2000), ("conv", 64)]:
        request = ("wall", "step", network, points, 1)
        a, b = [], []
        for _ in range(rounds):
            a.append(one.seconds(*request))
            b.append(two.seconds(*request))
        print(f"{network}, {points} points: {1e3 * median(a):.2f} ms on one, {1e3 * median(b):.2f} ms on two, "
              f"ratio {median(y / x for x, y in zip(a, b)):.2f}, of minima {min(b) / min(a):.2f}")


cores()
shards()
