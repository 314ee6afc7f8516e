"""A very stiff flow of six parameters: package ode against CVODE's BDF in C, and SciPy's RK45 and Radau.

    python solvers.py [rounds]

All have the exact Jacobian. Programs take turns; processor time, the best of all rounds. CVODE is
Debian's libsundials-dev.
"""

import ctypes
import sys
import time

import numpy as np
import scipy
from scipy.integrate import solve_ivp

from ours import HERE, Ours, compiled, milliseconds, publish

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
ours = Ours()
about = np.array(ours.numbers("product"))
begin, start, features = about[0], about[1:7], np.ascontiguousarray(about[7:].reshape(20, 3))
of = np.array([0, 1, 1, 2, 2, 2])
cvode = compiled(HERE / "peers" / "cvode.c", "-lsundials_cvode", "-lsundials_nvecserial",
                 "-lsundials_sunlinsoldense", "-lsundials_sunmatrixdense", "-lsundials_generic", "-lm")
cvode.solve.restype = ctypes.c_double


def slope(th):
    q = features @ np.array([th[0], th[1] * th[2], th[3] * th[4] * th[5]])
    p = np.exp(q.min() - q)
    p /= p.sum()
    mean = p @ features
    d = np.array([1, th[2], th[1], th[4] * th[5], th[3] * th[5], th[3] * th[4]])
    return p, mean, d, mean[of] * d


def derivative(_, th):
    g = slope(th)[3]
    return g / (g @ g)


def jacobian(_, th):
    p, mean, d, g = slope(th)
    centred = features - mean
    cov = centred.T @ (p[:, None] * centred)
    h = -cov[np.ix_(of, of)] * np.outer(d, d)
    for i, j, v in ((1, 2, mean[1]), (3, 4, mean[2] * th[5]), (3, 5, mean[2] * th[4]), (4, 5, mean[2] * th[3])):
        h[i, j] += v
        h[j, i] += v
    size = g @ g
    return (h - 2 * np.outer(g, g @ h) / size) / size


def by_scipy(method, end, tol):
    began = time.process_time()
    options = {"jac": jacobian} if method == "Radau" else {}
    s = solve_ivp(derivative, (begin, end), start, method, rtol=tol, atol=tol, **options)
    return [time.process_time() - began, s.nfev, len(s.t) - 1, *s.y[:, -1]]


def by_cvode(_, end, tol):
    theta, counts, c = start.copy(), [ctypes.c_long(), ctypes.c_long()], ctypes.c_double
    at = lambda a: ctypes.c_void_p(a.ctypes.data)
    seconds = cvode.solve(at(features), c(begin), c(end), c(tol), at(theta), *map(ctypes.byref, counts))
    return [seconds, *(n.value for n in counts), *theta]


def by_ode(method, end, tol):
    return ours.numbers("process", "product", method, end, tol, 1)


def version():
    text = ctypes.create_string_buffer(32)
    cvode.version(text, 32)
    return text.value.decode()


def measure(runs, end):
    """The best of some rounds: rows of seconds, evaluations, steps, and the error of θ."""
    best = {}
    for k in range(rounds):
        for name, tol in runs:
            if name.startswith("SciPy") and k > 1:
                continue
            program = {"SciPy": by_scipy, "CVODE": by_cvode, "ode": by_ode}[name.split()[0]]
            row = program(name.split()[1], end, tol)
            best[name, tol] = min(row, best.get((name, tol), row))
    return best


def main():
    ladder = [1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12]
    runs = [("CVODE BDF", t) for t in ladder] + [("SciPy Radau", t) for t in ladder[:2]] + \
           [("ode RadauIIA", t) for t in ladder + [3e-13]]
    explicit = measure([("SciPy RK45", 1e-8), ("ode DormandPrince", 1e-8)], 1e3)
    stiff = measure(runs, 1e6)
    exact = np.array(by_ode("RadauIIA", 1e6, 1e-13)[3:])
    wrong = lambda row: np.abs(np.array(row[3:]) / exact - 1).max()
    versions = f"SciPy {scipy.__version__}, CVODE of SUNDIALS {version()}."
    lines = [versions, "", "To u = 1e3:", "", "| | tolerance | evaluations | time |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {name} | {tol:.0e} | {row[1]:.0f} | {milliseconds(row[0])} |" for (name, tol), row in explicit.items()]
    lines += ["", "To u = 1e6, with the fastest run of ours that is at least as accurate:", "",
              "| | tolerance | steps | evaluations | error | time | ours | ratio |", "| --- |" + " ---: |" * 7]
    for (name, tol), row in stiff.items():
        mine = [r[0] for (n, _), r in stiff.items() if n.startswith("ode") and wrong(r) <= wrong(row)]
        versus = f"{milliseconds(min(mine))} | {min(mine) / row[0]:.2g}" if mine and not name.startswith("ode") else "|"
        lines.append(f"| {name} | {tol:.0e} | {row[2]:.0f} | {row[1]:.0f} | {wrong(row):.1e} | {milliseconds(row[0])} | {versus} |")
    other = wrong(by_cvode("BDF", 1e6, 1e-13))
    lines += ["", f"The reference is RadauIIA at tolerance 1e-13; CVODE at the same tolerance agrees with it to {other:.1e}."]
    publish("solvers.py", "\n".join(lines))


main()
