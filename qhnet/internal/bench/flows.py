"""Gradient flow of small networks: the method that a qhnet.Flow chooses itself against diffrax and SciPy.

    python flows.py [rounds]

The flow is dθ/dν = u g/‖g‖² in the clock ν = log u, u = log(1/L), g = -∇ log L, from a separated start. Its
gradient is written out, so that rounded rectifiers are those of qhnet. JAX compiles it, and its
Jacobian, also for SciPy, for which NumPy is slower. Programs take turns, on one core; processor time, the best
of all rounds, without compilation. A run that takes over 2 s, or 20 times as long as ours, is cut.
"""

import functools
import math
import os
import statistics
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import diffrax  # noqa: E402, reads the variables above
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optimistix  # noqa: E402
import scipy  # noqa: E402
from scipy.integrate import odeint, solve_ivp  # noqa: E402

from ours import Ours, milliseconds, publish  # noqa: E402

jax.config.update("jax_enable_x64", True)
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
ENDS, TOLERANCES = [1e2, 1e3, 1e4, 1e5], [1e-6, 1e-8]
LADDER = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10]  # of the peers
SLOW = {"diffrax Kvaerno5", "SciPy BDF", "SciPy Radau"}  # every other tolerance
WIDTH = 8


def tanh(h):
    t = jnp.tanh(h)
    return t, lambda dz: (1 - t * t) * dz


def softplus(h):
    e = jnp.exp(-jnp.abs(h))
    return jnp.maximum(h, 0) + jnp.log1p(e), lambda dz: jnp.where(h > 0, 1, e) / (1 + e) * dz


def relu(h):
    reach = 1e-3 * jnp.sqrt((h * h).mean(axis=1, keepdims=True))
    a = jnp.clip((1 + h / reach) / 2, 0, 1)

    def back(dz):
        swollen = (3 * a * a * (1 - a) ** 2 * dz).sum(axis=1, keepdims=True)
        return a * a * (3 - 2 * a) * dz + 1e-6 / WIDTH / reach * swollen * h
    return jnp.where(a < 1, reach * a * a * a * (2 - a), h), back


def field(activation, x, signs):
    d, w = x.shape[1], WIDTH
    cuts = [0, *np.cumsum([w * d, w, w * w, w, w]), None]

    def gradient(theta):  # log(1/L) and g
        a, b, c, e, v, z = [theta[i:j] for i, j in zip(cuts, cuts[1:])]
        c = c.reshape(w, w)
        y1, back1 = activation(x @ a.reshape(w, d).T + b)
        y2, back2 = activation(y1 @ c.T + e)
        q = signs * (y2 @ v + z)
        least = q.min()
        p = jnp.exp(least - q)
        total = p.sum()
        r = signs * p / total
        d2 = back2(r[:, None] * v)
        d1 = back1(d2 @ c)
        parts = [(d1.T @ x).ravel(), d1.sum(axis=0), (d2.T @ y1).ravel(), d2.sum(axis=0), r @ y2, r.sum(keepdims=True)]
        return least - jnp.log(total / len(signs)), jnp.concatenate(parts)

    def speed(nu, theta, args=None):
        _, g = gradient(theta)
        return jnp.exp(nu) * g / (g @ g)

    return gradient, speed


class Slow(Exception):
    pass


def diffrax_peer(speed, start, begin, method, most, **pi):
    """A function of an end, a tolerance and a limit, and the seconds to compile it."""
    @jax.jit
    def run(end, tol):
        s = diffrax.diffeqsolve(
            diffrax.ODETerm(speed), method, begin, end, None, start, max_steps=most, throw=False,
            stepsize_controller=diffrax.PIDController(rtol=tol, atol=1e-3 * tol, **pi), saveat=diffrax.SaveAt(t1=True))
        return s.ys[0], s.stats["num_steps"], s.result == diffrax.RESULTS.successful

    began = time.process_time()
    program = run.lower(1.0, 1e-3).compile()
    compile = time.process_time() - began

    def solve(end, tol, limit):
        theta, steps, ok = program(jnp.array(end), jnp.array(tol))
        if not ok:
            raise Slow
        return np.asarray(theta), int(steps)
    return solve, compile


def scipy_peer(rhs, jac, start, begin, method):
    def solve(end, tol, limit):
        deadline = time.process_time() + limit

        def f(t, y):
            if time.process_time() > deadline:
                raise Slow
            return rhs(t, y)

        options = dict(rtol=tol, atol=1e-3 * tol)
        if method == "LSODA":  # with less of Python than in solve_ivp
            ys, info = odeint(f, start, [begin, end], Dfun=jac, tfirst=True, mxstep=10**6, full_output=True, tcrit=[end], **options)
            return ys[-1], int(info["nst"][-1])
        s = solve_ivp(f, (begin, end), start, method, jac=jac, **options)
        if not s.success:
            raise Slow
        return s.y[:, -1], len(s.t) - 1
    return solve, 0


def peers_of(activation, x, signs, start, u):
    begin = math.log(u)
    gradient, speed = field(activation, x, signs)
    assert abs(float(gradient(start)[0]) / u - 1) < 1e-12, "this is not the network of qhnet"
    jitted, jitted_jac = jax.jit(speed), jax.jit(jax.jacfwd(speed, argnums=1))
    rhs, jac = (lambda t, y: np.asarray(jitted(float(t), y))), (lambda t, y: np.asarray(jitted_jac(float(t), y)))
    rhs(begin, start), jac(begin, start)  # compile
    explicit = functools.partial(diffrax_peer, speed, start, begin, diffrax.Tsit5(), 60_000)
    newton = diffrax.with_stepsize_controller_tols(optimistix.Newton)()
    peers = {"diffrax Tsit5": explicit(), "diffrax Tsit5, PI": explicit(pcoeff=0.3, icoeff=0.4),
             "diffrax Kvaerno5": diffrax_peer(speed, start, begin, diffrax.Kvaerno5(root_finder=newton), 200, pcoeff=0.3, icoeff=0.4)}
    return peers | {"SciPy " + m: scipy_peer(rhs, jac, start, begin, m) for m in ["LSODA", "BDF", "Radau"]}


def measure(ours, net, end, peers, cut):
    """Runs by name and tolerance: seconds, steps and θ, which is None if the run was cut."""
    best = {}

    def keep(key, seconds, steps, theta):
        best[key] = (min(seconds, best.get(key, (math.inf,))[0]), steps, theta)

    for k in range(rounds):
        for tol in TOLERANCES:
            seconds, steps, *theta = ours.numbers("process", "rings", net, end, tol)
            keep(("ours", tol), seconds, int(steps), np.array(theta))
        limit = min(2, 20 * best["ours", TOLERANCES[-1]][0])
        for name, (solve, _) in peers.items():
            gone = 0  # seconds at which a larger tolerance, or a smaller end, was cut: this one takes longer
            for tol in LADDER[1::2] if name in SLOW else LADDER:
                gone = max(gone, cut.get((name, tol), 0))
                if gone > limit:
                    keep((name, tol), gone, 0, None)
                if gone > limit or k > 0 and best[name, tol][0] > limit / 4:
                    continue
                began = time.process_time()
                try:
                    theta, steps = solve(math.log(end), tol, limit)
                except Slow:
                    theta, steps = None, 0
                    gone = cut[name, tol] = time.process_time() - began
                keep((name, tol), time.process_time() - began, steps, theta)
    return best


def rows_of(net, end, best, exact):
    """The table's rows of one network and end, and their ratios."""
    ratios = []
    wrong = lambda theta: np.linalg.norm(theta - exact) / np.linalg.norm(exact)
    for tol in TOLERANCES:
        seconds, steps, theta = best.pop(("ours", tol))
        error, runs = wrong(theta), []
        best["ours", tol] = seconds, steps, theta
        for (name, t), (s, _, th) in best.items():
            if name != "ours" and (th is None or wrong(th) <= error):
                runs.append((s, name, t, th))
        row = f"| {net} | {end:.0e} | {tol:.0e} | {steps} | {error:.0e} | {milliseconds(seconds)} |"
        if not runs:
            yield f"{row} none | | | |", None
            continue
        s, name, t, th = min(runs, key=lambda r: r[0])
        bound = "" if th is not None else "< "
        ratios.append(seconds / s)
        peer = f"{name}, {t:.0e} | {wrong(th):.0e}" if th is not None else "cut | "
        yield f"{row} {peer} | {'> ' if bound else ''}{milliseconds(s)} | {bound}{seconds / s:.2f} |", seconds / s


def main():
    ours = Ours()
    lines = ["| network | u | tolerance | steps | error | time | fastest peer as accurate | its error | its time | ratio |",
             "| --- |" + " ---: |" * 5 + " --- |" + " ---: |" * 3]
    ratios, compile, closest = [], {}, {}
    for activation in [tanh, softplus, relu]:
        net = activation.__name__
        about = np.array(ours.numbers("rings", net))
        u, start, x, signs = about[0], about[1:-90], about[-90:-30].reshape(30, 2), about[-30:]
        peers, cut = peers_of(activation, x, signs, start, u), {}
        for name, (_, seconds) in peers.items():
            compile[name] = max(seconds, compile.get(name, 0))
        for end in ENDS:
            best = measure(ours, net, end, peers, cut)
            exact = np.array(ours.numbers("process", "rings", net, end, 1e-11)[2:])
            for row, ratio in rows_of(net, end, best, exact):
                lines.append(row)
                ratios += [ratio] if ratio else []
                print(row, file=sys.stderr, flush=True)
    versions = ", ".join(f"{m.__name__} {m.__version__}" for m in [diffrax, optimistix, jax, np, scipy])
    compiled = ", ".join(f"{name} {s:.1f} s" for name, s in compile.items() if s)
    lines += ["", f"Of {len(ENDS) * len(TOLERANCES) * 3} runs, {len(ratios)} have a peer as accurate, or only slower ones that were cut: "
              f"the median of the ratios is {statistics.median(ratios):.2f}, the largest {max(ratios):.2f}.",
              "", f"{versions}. Compilation, not counted: at most {compiled}; ours none."]
    publish("flows.py", "\n".join(lines))


main()
