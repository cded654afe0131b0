"""bench/npbench.py, over a checkout of two kernels made here."""
import json
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).parents[2] / "bench" / "npbench.py"


def checkout(folder):
    def kernel(name, init, source):
        info = {"short_name": name, "relative_path": name, "module_name": name, "func_name": "kernel", "parameters": {"S": {"N": 40}},
                "init": {"func_name": "initialize", "input_args": ["N"], "output_args": ["A"]}, "input_args": ["N", "A"], "output_args": ["A"]}
        (folder / "bench_info").mkdir(exist_ok=True)
        (folder / "bench_info" / f"{name}.json").write_text(json.dumps({"benchmark": info}))
        where = folder / "npbench" / "benchmarks" / name
        where.mkdir(parents=True)
        (where / f"{name}.py").write_text("import numpy as np\ndef initialize(N): return " + init)
        (where / f"{name}_numpy.py").write_text("import numpy as np\n" + source)
        return name

    kernel("scaled", "np.arange(float(N))", "def kernel(N, A):\n    A[1:] = A[:-1] * 2 + N\n    return np.sum(A)\n")
    kernel("unknown", "np.ones(N)", "def kernel(N, A):\n    return np.no_such_name(A)\n")


def run(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_a_kernel_is_checked_and_timed(tmp_path):
    checkout(tmp_path)
    ended = run(tmp_path, "S", "scaled")
    assert ended.returncode == 0, ended.stderr
    assert "optimized" in ended.stdout and "wrong" not in ended.stdout and "1 of 1 ran under jit, 1 with optimized code" in ended.stdout


def test_what_fails_is_said(tmp_path):
    checkout(tmp_path)
    assert "no_such_name" in run(tmp_path, "S", "unknown").stdout
    assert "expected a checkout of spcl/npbench" in run(tmp_path / "none").stderr
    assert "expected the folder of a checkout" in run().stderr
