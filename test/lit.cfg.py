import os
import pathlib
import shutil

import lit.formats

config.name = "kiln"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".filecheck.py"]
config.excludes = ["python", "unit", "Inputs"]
config.test_source_root = os.path.join(config.source, "test")
config.test_exec_root = os.path.join(config.build, "test")
config.environment["PATH"] = os.pathsep.join([os.path.join(config.build, "bin"), config.llvm_bin, config.environment["PATH"]])
for name in ("KILN_CACHE_DIR", "KILN_VERIFY"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.substitutions += [("%python", config.python), ("%build", config.build)]

# NVIDIA's assembler, of the toolkit or of PyPI's nvidia-cuda-nvcc: where it is missing, tests that need it are skipped as unsupported.
packages = pathlib.Path(config.python).parents[1].glob("lib/python*/site-packages/nvidia/**/bin/ptxas")
ptxas = shutil.which("ptxas", path=config.environment["PATH"]) or next(map(str, packages), None)
if ptxas:
    config.available_features.add("ptxas")
    config.substitutions.append(("%ptxas", ptxas))
library = {name: os.path.join(config.build, "lib", f"libkiln_{name}.so") for name in ("target_simulator", "target_device", "cuda_stub")}
config.substitutions.append(("%simulated", f"--target=nvptx-sim --load={library['target_simulator']}"))
# Through the runtime, on the stub of NVIDIA's driver.
config.substitutions.append(("%on_stub", f"env KILN_CUDA_DRIVER={library['cuda_stub']} KILN_DEVICE_TARGET=nvptx-sim"))
config.substitutions.append(("%stubbed", f"--target=nvptx-device --load={library['target_simulator']} --load={library['target_device']}"))
