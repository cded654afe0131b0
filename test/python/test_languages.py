"""The programs of examples/languages: each calls one model, prints what the others print, and stands in no need of Kiln's compiler."""
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import kiln as kn
from native import compile_c

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES, INCLUDE = ROOT / "examples/languages", ROOT / "include"
X = np.array([[0.5, -1, 2, 0], [1, 1, 1, 1]], np.float32)


def checksum(y):
    total = 0
    for bits in np.asarray(y).view(np.uint32).ravel():
        total = (31 * total + int(bits)) % 2**32
    return total


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with what make.py writes, and what each program prints."""
    folder = tmp_path_factory.mktemp("scores")
    subprocess.run([sys.executable, EXAMPLES / "make.py", folder], check=True)
    scope = {"__name__": "make"}
    exec((EXAMPLES / "make.py").read_text(), scope)
    y = np.asarray(kn.jit(scope["make_model"]())(kn.asarray(X)))
    rows = "".join(" ".join(f"{v:.4f}" for v in row) + "\n" for row in y)
    return folder, f"{rows}bits {checksum(y):08x}\n", "scores_run: n: expected a size from 1 to 1000, got 1001\n"


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def jdk():
    """The folder of a JDK with the headers of JNI."""
    javac = shutil.which("javac")
    if not javac:
        pytest.skip("javac is not installed (Debian: openjdk-17-jdk-headless)")
    home = pathlib.Path(javac).resolve().parents[1]
    if not (home / "include/jni.h").exists():
        pytest.skip(f"{home} has no jni.h")
    return home


@pytest.fixture(scope="module")
def java(tmp_path_factory):
    """Runs a program of Java beside the classes of Kiln."""
    home, folder = jdk(), tmp_path_factory.mktemp("java")
    compile_c(INCLUDE / "kiln/java/kiln_jni.c", folder / "libkiln_jni.so", "-shared", "-fPIC", "-O2", "-isystem", home / "include", "-isystem", home / "include/linux", "-ldl",
              standard="-std=gnu11")

    def compile_and_run(source, *arguments):
        run(home / "bin/javac", "-Xlint:all", "-Werror", "-d", folder, "-sourcepath", INCLUDE / "kiln/java", source)
        return run(home / "bin/java", "-Xcheck:jni", f"-Djava.library.path={folder}", "-cp", folder, pathlib.Path(source).stem, *arguments)

    return compile_and_run


def test_c(model, tmp_path):
    program = compile_c(EXAMPLES / "scores.c", tmp_path / "scores", "-I", model[0], "-L", model[0], "-lscores", f"-Wl,-rpath,{model[0]}")
    assert run(program) == model[1] + model[2]


def test_cpp(model, tmp_path):
    program = compile_c(EXAMPLES / "scores.cpp", tmp_path / "scores", "-I", INCLUDE, "-I", model[0], "-L", model[0], "-lscores", f"-Wl,-rpath,{model[0]}",
                        compiler="clang++-22", standard="-std=c++17")
    assert run(program) == model[1] + model[2]


def test_python_without_kiln(model):
    # no site packages of Kiln's build: only NumPy is found
    folder = pathlib.Path(np.__file__).parents[1]
    blocked = "import sys, runpy; sys.modules['kiln'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    assert run(sys.executable, "-c", blocked, EXAMPLES / "with_ctypes.py", model[0] / "libscores.so", env={"PYTHONPATH": str(folder)}) == model[1] + model[2]


def test_java(model, java):
    assert java(EXAMPLES / "Scores.java", model[0] / "libscores.so") == model[1] + model[2]


def test_java_gets_the_shape_that_a_result_has(java, tmp_path):
    kn.export(lambda x: x[x > 0], np.zeros(5, "f"), to=tmp_path / "libselect.so")
    (tmp_path / "Select.java").write_text(r"""import java.nio.file.Path;
import java.util.Arrays;
import kiln.Failure;
import kiln.Library;
import kiln.Tensor;
import kiln.Tensor.Type;

public final class Select {
  public static void main(String[] arguments) {
    try (Library select = Library.open(Path.of(arguments[0]))) {
      Tensor y = Tensor.zeros(Type.FLOAT32, 5);
      for (float[] x : new float[][] {{1, -2, 3, -4, 5}, {-1, -1, -1, -1, -1}, {1, 2, 3, 4, 5}}) {
        select.call("run", new Tensor[] {Tensor.of(x, 5)}, new Tensor[] {y});
        System.out.println(Arrays.toString(y.shape()) + " " + Arrays.toString(y.floats()));
      }
      try {
        select.call("run", new Tensor[] {Tensor.of(new float[] {1, 2, 3, 4, 5}, 5)}, new Tensor[] {Tensor.zeros(Type.FLOAT32, 2)});
      } catch (Failure e) {
        System.out.println(e.status() + " " + e.getMessage());
      }
    }
  }
}
""")
    assert java(tmp_path / "Select.java", tmp_path / "libselect.so") == """[3] [1.0, 3.0, 5.0]
[0] []
[5] [1.0, 2.0, 3.0, 4.0, 5.0]
-15 select_run: out0: expected room for 5 elements, got 2
"""


def test_java_says_what_is_wrong(model, java, tmp_path):
    def pick(x, i, n):
        x += n
        return x[i]

    kn.export(pick, np.zeros(5), np.zeros(2, np.int64), np.int32(1), to=tmp_path / "libpick.so", weights="file")
    (tmp_path / "Misuse.java").write_text(r"""import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.stream.IntStream;
import kiln.Failure;
import kiln.Library;
import kiln.Tensor;
import kiln.Tensor.Type;

public final class Misuse {
  interface Action {
    void run();
  }

  static void say(Action action) {
    try {
      action.run();
      System.out.println("nothing");
    } catch (Failure e) {
      System.out.println(e.status() + " " + e.getMessage());
    } catch (IllegalArgumentException | IllegalStateException | UnsatisfiedLinkError e) {
      System.out.println(e.getClass().getSimpleName() + " " + e.getMessage());
    }
  }

  static Tensor[] list(Tensor... tensors) {
    return tensors;
  }

  public static void main(String[] arguments) {
    Library pick = Library.open(Path.of(arguments[0]));
    Tensor x = Tensor.of(new double[] {0, 1, 2, 3, 4}, 5), y = Tensor.zeros(Type.FLOAT64, 2), one = Tensor.of(new int[] {1});
    Tensor inside = Tensor.of(new long[] {4, -1}, 2), outside = Tensor.of(new long[] {4, 5}, 2);
    pick.call("run", list(x, inside, one), list(y));
    System.out.println(y.doubles()[0] + " " + y.doubles()[1] + " " + x.doubles()[0] + " " + pick.signature().contains("\"pick_run\""));
    say(() -> pick.call("run", list(x, outside, one), list(y)));
    say(() -> pick.call("run", list(x, inside), list(y)));
    say(() -> pick.call("run", list(x, x, one), list(y)));
    say(() -> pick.call("run", list(x, inside, one), list(x)));
    say(() -> pick.call("walk", list(x, inside, one), list(y)));
    say(() -> y.floats());
    say(() -> Tensor.of(new double[3], 2, 2));
    say(() -> Tensor.zeros(Type.INT8, -1));
    say(() -> Tensor.zeros(Type.INT8, 1 << 16, 1 << 16));
    say(() -> Tensor.wrap(Type.INT8, ByteBuffer.allocate(8), 8));
    say(() -> Tensor.wrap(Type.INT32, ByteBuffer.allocateDirect(8), 3));
    say(() -> Library.open(Path.of(arguments[0]), "other", null));
    say(() -> Library.open(Path.of("/none/libpick.so")));
    System.out.println(IntStream.range(0, 2000).parallel().mapToDouble(i -> {
      Tensor mine = Tensor.of(new double[] {0, 0, 0, 0, i}, 5), result = Tensor.zeros(Type.FLOAT64, 2);
      pick.call("run", list(mine, inside, one), list(result));
      return result.doubles()[0] - i;
    }).sum());
    pick.close();
    pick.close();
    say(() -> pick.call("run", list(x, inside, one), list(y)));
    say(() -> pick.signature());
  }
}
""")
    lines = java(tmp_path / "Misuse.java", tmp_path / "libpick.so").splitlines()
    assert lines[0] == "5.0 5.0 1.0 true"
    for line, wanted in zip(lines[1:], [
            "1 pick_run: expected data that it can compute with: an index in the data is out of range", "-12 pick_run: expected 3 inputs and 1 outputs, got 2 and 1",
            "-12 pick_run: i: expected elements of type code 0 with 64 bits, got code 2 with 64 bits", "-12 pick_run: out0: axis 0: expected size 2, got 5",
            "IllegalArgumentException expected a function of the library, got none with the symbol 'pick_walk_dlpack'",
            "IllegalStateException elements: expected a tensor of FLOAT32, got one of FLOAT64", "IllegalArgumentException shape: expected one of 3 elements, got [2, 2]",
            "IllegalArgumentException shape: expected sizes of 0 or more, got [-1]", "IllegalArgumentException shape: expected at most 2 GB, got [65536, 65536] of INT8",
            "IllegalArgumentException data: expected a direct buffer that may be written", "IllegalArgumentException data: expected 12 bytes for [3], got 8",
            "UnsatisfiedLinkError", "UnsatisfiedLinkError /none/libpick.so: cannot open", "2000.0", "IllegalStateException pick: expected a library that is open, got one that is closed",
            "IllegalStateException pick: expected"], strict=True):
        assert line.startswith(wanted), line
