import os

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
