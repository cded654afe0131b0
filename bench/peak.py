"""``peak.py MODEL FRAMEWORK`` prints how many bytes value and gradient of a model over large data take at most, beside the package and the data: in the first
call, which records or compiles, and in later ones, when code is in place."""
import sys
import time

from models import LARGE, MODELS, call_of

import kiln as kn


def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


def highest(run):
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    run()
    return status("VmHWM")


def main():
    name, framework = sys.argv[1:]
    model, p, x, y = MODELS[name]
    if framework == "jax":
        from kernels import jax
        jax().config.update("jax_enable_x64", True)
    kn.set_num_threads(1)
    call_of(framework, lambda n, p, x, y: n.sum(x * p[0], None), [y[:1] * 0 + 1], y[:1], y)()  # what a first call loads
    x, y = LARGE[name.replace(",", " ").split()[0]]
    run = call_of(framework, model, p, x, y)
    before = status("VmRSS")
    print(highest(run) - before)
    for _ in range(60):
        run()
        time.sleep(0.02)  # until there is code, and what was needed before is given back
    print(highest(run) - before)


if __name__ == "__main__":
    main()
