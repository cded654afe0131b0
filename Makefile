# Front of the build. Each target installs what it needs (Debian packages, a virtual environment) and is quick when there is
# nothing to do. PRESET=dev|release|asan|tsan; release is in build/, the others in build-<preset>/.
PRESET ?= release
BUILD := $(if $(filter release,$(PRESET)),build,build-$(PRESET))
PYTHON := .venv/bin/python

.PHONY: all setup build demo test test-gpu bench-gpu soak test-asan test-tsan test-pythons test-refcounts test-machines test-bare wheel runtime test-wheel conformance interop bench npbench accuracy docs format check clean
all: build

setup:
	@tools/setup.sh

build: setup
	@[ -f $(BUILD)/build.ninja ] || cmake --preset $(PRESET)
	@cmake --build $(BUILD)

demo: build
	@$(PYTHON) examples/digits.py

test: build
	@tools/run-tests $(BUILD)

# On a machine with an NVIDIA GPU: kernels against the reference interpreter, and their times beside device copies, in RESULTS.
RESULTS ?= $(BUILD)/gpu.json
test-gpu: build
	@tools/test-gpu $(BUILD) $(RESULTS)

# Programs on the GPU beside copies and torch, in RESULTS; for a Python that has torch.
bench-gpu: build
	@PYTHONPATH=$(BUILD)/python $(PYTHON) bench/gpu/programs.py $(RESULTS)

# Under AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan/.
test-asan:
	@$(MAKE) build PRESET=asan
	@tools/run-sanitized asan

# Under ThreadSanitizer, in build-tsan/; TESTS="test/python/test_foot_guns.py" runs these alone.
TESTS ?=
test-tsan:
	@$(MAKE) build PRESET=tsan
	@tools/run-sanitized tsan $(TESTS)

# With each CPython of 3.11 to 3.13 that is found, in build-pythons/: its module, test/python, and its wheel.
test-pythons: build
	@tools/test-pythons $(BUILD)

# Each kind of call under a debug build of CPython, which counts references; in build-dbg/. CALLS= says how many.
CALLS ?= 100000
test-refcounts: build
	@tools/test-refcounts $(BUILD) --calls=$(CALLS)

# Libraries for AArch64, RISC-V, Android and a Cortex-M4 under QEMU, for WebAssembly in wasmtime; installs these and cross compilers.
test-machines: build
	@tools/test-machines $(BUILD)

# The README's two commands on a bare Debian 12, made by debootstrap; as root.
test-bare:
	@tools/test-bare

# For hours: the fuzzers, random Python programs, the tests of processes as often as a release asks, and the bare machine.
MODULES ?= 100000
FILES ?= 1000000
PROGRAMS ?= 10000
SEED ?= 0
soak: build
	@tools/run-soak $(BUILD) $(MODULES) $(FILES) $(PROGRAMS) $(SEED)

# One self-contained wheel in dist/: LLVM inside the compiler library, headers inside, tagged with the oldest glibc that it runs on.
wheel: setup
	@tools/build-wheel

# The runtime alone, in dist/: a wheel for any CPython, and an archive with headers for C and C++. Fails at 3 MB.
runtime: build
	@$(PYTHON) tools/build-runtime $(BUILD)

# The wheel in a fresh virtual environment, beside torch and Numba with their own LLVM.
test-wheel: wheel
	@tools/test-wheel

# data-apis/array-api-tests in eager and under jit: cloned, or a checkout: make conformance ARRAY_API_TESTS=DIR EXAMPLES=200
conformance: build
	@ARRAY_API_TESTS="$(ARRAY_API_TESTS)" EXAMPLES="$(EXAMPLES)" tools/conformance $(BUILD)

# The own tests of einops, opt_einsum, array-api-compat and array-api-extra with Kiln as a library; SciPy and scikit-learn over its arrays.
interop: build
	@tools/interop $(BUILD)

# With its peers, which are installed for it: torch, JAX, Numba.
bench: build
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@$(PYTHON) bench/run.py

# The kernels of a checkout of spcl/npbench: make npbench NPBENCH=DIR PRESET_OF_NPBENCH=S
npbench: build
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@$(PYTHON) bench/npbench.py $(NPBENCH) $(PRESET_OF_NPBENCH)

# Errors of the math functions against MPFR, and their costs: docs/accuracy.md. STEP=1 takes every float32.
accuracy: build
	@$(PYTHON) bench/accuracy.py $(STEP)

docs: build
	@tools/build-docs $(BUILD)

format: setup
	@tools/list-sources '*.cpp' '*.h' | xargs .venv/bin/clang-format -i

check: setup
	@$(PYTHON) tools/check-layering
	@$(PYTHON) tools/check-sizes

clean:
	@rm -rf build build-dev build-asan build-tsan
