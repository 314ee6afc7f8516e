"""Gradient flow of small networks with diffrax and SciPy: reads problem.json, prints a JSON object a run.

    python flows.py problem.json rounds

The flow is dθ/dν = u g/‖g‖² in the clock ν = log u, u = log(1/L), g = -∇ log L, from a separated start. The
gradient is written out, so that the slopes of rounded rectifiers are what they are in qhnet and Jacobians exact.
diffrax compiles it by JAX; SciPy calls NumPy, which is faster for it than a compiled function, and compiled Jacobians.
"""
import json, math, os, signal, sys, time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import diffrax, jax, optimistix, scipy
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

jax.config.update("jax_enable_x64", True)
LIMIT = 2.0  # CPU seconds of a run


def tanh(h, xp):
    t = xp.tanh(h)
    return t, 1 - t * t


def softplus(h, xp):
    e = xp.exp(-xp.abs(h))
    return xp.maximum(h, 0) + xp.log1p(e), xp.where(h > 0, 1, e) / (1 + e)


def relu(h, xp):
    reach = 1e-3 * xp.sqrt(xp.mean(h * h, axis=1, keepdims=True))
    if xp is jnp:
        reach = jax.lax.stop_gradient(reach)
    slope = xp.clip((1 + h / reach) / 2, 0, 1)
    return h * slope, slope


def field(activation, x, signs, xp):
    d, w = x.shape[1], 8
    cuts = [w * d, w * d + w, w * d + w + w * w, w * d + 2 * w + w * w, w * d + 3 * w + w * w]

    def gradient(theta):  # log(1/L) and g
        a, b, c, e, v, z = [theta[i:j] for i, j in zip([0, *cuts], [*cuts, len(theta)])]
        a, c = a.reshape(w, d), c.reshape(w, w)
        y1, s1 = activation(x @ a.T + b, xp)
        y2, s2 = activation(y1 @ c.T + e, xp)
        q = signs * (y2 @ v + z[0])
        least = q.min()
        p = xp.exp(least - q)
        total = p.sum()
        r = signs * p / total
        d2 = r[:, None] * v[None, :] * s2
        d1 = (d2 @ c) * s1
        parts = [d1.T @ x, d1.sum(0), d2.T @ y1, d2.sum(0), r @ y2, r.sum()]
        return least - xp.log(total / len(signs)), xp.concatenate([p.reshape(-1) for p in parts])

    def speed(nu, theta, args=None):
        _, g = gradient(theta)
        return xp.exp(nu) * g / (g @ g)

    return gradient, speed


def diffrax_runs(speed, start, begin):
    def solver(method, controller, steps):
        @jax.jit
        def run(end, tol):
            s = diffrax.diffeqsolve(
                diffrax.ODETerm(speed), method, begin, end, None, start, max_steps=steps, throw=False,
                stepsize_controller=controller(tol), saveat=diffrax.SaveAt(t1=True))
            return s.ys[0], s.stats["num_steps"], s.result == diffrax.RESULTS.successful
        return run

    plain = lambda tol: diffrax.PIDController(rtol=tol, atol=1e-3 * tol)
    pi = lambda tol: diffrax.PIDController(rtol=tol, atol=1e-3 * tol, pcoeff=0.3, icoeff=0.4)
    full = lambda: diffrax.Kvaerno5(root_finder=diffrax.with_stepsize_controller_tols(optimistix.Newton)())
    yield "diffrax Tsit5", solver(diffrax.Tsit5(), plain, 30_000)
    yield "diffrax Tsit5, PI", solver(diffrax.Tsit5(), pi, 30_000)
    yield "diffrax Kvaerno5", solver(full(), pi, 500)


def scipy_runs(rhs, speed, start, begin):
    j = jax.jit(jax.jacfwd(speed, argnums=1))
    jac = lambda t, y: np.asarray(j(t, y))
    jac(begin, start)
    for method in ["LSODA", "BDF", "Radau"]:
        def run(end, tol, method=method):
            s = solve_ivp(rhs, (begin, end), start, method, rtol=tol, atol=1e-3 * tol, jac=jac)
            return s.y[:, -1], len(s.t), s.success
        yield "SciPy " + method, run


class Slow(Exception):
    pass


def expire(*_):
    raise Slow


def main():
    problem, rounds = json.load(open(sys.argv[1])), int(sys.argv[2])
    signal.signal(signal.SIGPROF, expire)
    x, signs = np.array(problem["Points"]), np.array(problem["Signs"])
    versions = {"diffrax": diffrax.__version__, "jax": jax.__version__, "scipy": scipy.__version__}
    print(json.dumps({"versions": versions}), flush=True)
    for case in problem["Cases"]:
        activation = globals()[case["Activation"]]
        gradient, speed = field(activation, x, signs, jnp)
        rhs = field(activation, x, signs, np)[1]
        start = np.array(case["Start"])
        u = float(gradient(start)[0])
        assert abs(u / case["LogInverse"] - 1) < 1e-12, (u, case["LogInverse"])
        begin = math.log(u)
        for name, run in [*diffrax_runs(speed, start, begin), *scipy_runs(rhs, speed, start, begin)]:
            implicit = name in ("diffrax Kvaerno5", "SciPy Radau", "SciPy BDF")  # slow, and more accurate than asked
            for tol in problem["Tolerances"][1::2] if implicit else problem["Tolerances"]:
                for end in problem["Ends"]:
                    best, compile = math.inf, 0
                    try:
                        for k in range(rounds + 1):  # the first one compiles
                            signal.setitimer(signal.ITIMER_PROF, LIMIT + (60 if "diffrax" in name else 0))
                            began = time.process_time()
                            theta, steps, ok = run(math.log(end), tol)
                            theta = np.asarray(theta)
                            took = time.process_time() - began
                            compile, best = (took, best) if k == 0 else (compile, min(best, took))
                            if k == 1 and took > LIMIT / 4:
                                break
                    except Slow:
                        ok = False
                    finally:
                        signal.setitimer(signal.ITIMER_PROF, 0)
                    if not ok or best > LIMIT:
                        print(json.dumps({"activation": case["Activation"], "end": end, "name": name, "tolerance": tol}), flush=True)
                        break  # larger ends take longer
                    print(json.dumps({"activation": case["Activation"], "end": end, "name": name, "tolerance": tol, "steps": int(steps),
                                      "seconds": best, "compile": compile - best, "theta": theta.tolist()}), flush=True)


main()
