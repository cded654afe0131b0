// The CUDA runtime on the stub of the driver (test/targets/stub), with plans that are compiled for it.
#pragma once

#include "lib/Core/LaunchPlan.h"
#include "lib/Runtime/Cuda.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace kiln::cuda {

inline const char *const kStubLibrary = KILN_LIBRARY_FOLDER "/libkiln_cuda_stub.so";

/// The stub, with variables of the environment that it reads when it starts (test/targets/stub/Stub.h).
inline const Driver &stubDriver(std::initializer_list<std::pair<const char *, const char *>> environment = {}) {
  static const Driver driver = openDriver(kStubLibrary);
  for (const char *name : {"KILN_STUB_DEVICES", "KILN_STUB_MEMORY", "KILN_STUB_SLOW", "KILN_STUB_FAIL"}) unsetenv(name);
  for (auto [name, value] : environment) setenv(name, value, 1);
  driver.init(0);
  return driver;
}

/// How often the driver's function was called.
inline int64_t stubCalls(const char *name) {
  static const auto calls = reinterpret_cast<int64_t (*)(const char *)>(dlsym(dlopen(kStubLibrary, RTLD_NOW), "kiln_stub_calls"));
  return calls(name);
}

/// Functions of MLIR, compiled for the simulator that the stub runs kernels in.
inline LaunchPlan stubPlan(const std::string &functions) {
  namespace fs = std::filesystem;
  fs::path folder = fs::temp_directory_path() / ("kiln-unit-" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "program.mlir") << functions;
  fs::path build = fs::path(KILN_LIBRARY_FOLDER).parent_path();
  std::string command = (build / "bin/kiln-translate").string() + " " + (folder / "program.mlir").string() +
                        " --mlir-to-code --target=nvptx-sim --load=" KILN_LIBRARY_FOLDER "/libkiln_target_simulator.so -o " +
                        (folder / "program.plan").string();
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::ostringstream text;
  text << std::ifstream(folder / "program.plan").rdbuf();
  fs::remove_all(folder);
  return LaunchPlan::read(text.str());
}

/// One launch; three that read what the one before has written.
inline const char *const kStubPrograms = R"(
func.func @square(%x: tensor<300xf32>) -> tensor<300xf32> {
  %r = kiln.multiply %x, %x : (tensor<300xf32>, tensor<300xf32>) -> tensor<300xf32>
  return %r : tensor<300xf32>
}
func.func @steps(%x: tensor<20x30xf32>, %y: tensor<30x20xf32>) -> tensor<20xf32> {
  %t = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} :
    (tensor<20x30xf32>, tensor<30x20xf32>) -> tensor<20x20xf32>
  %u = kiln.dot_general %t, %t {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} :
    (tensor<20x20xf32>, tensor<20x20xf32>) -> tensor<20x20xf32>
  %r = kiln.sum %u {axes = array<i64: 1>} : (tensor<20x20xf32>) -> tensor<20xf32>
  return %r : tensor<20xf32>
}
)";

/// Compiled once for all tests.
inline const LaunchPlan &stubPrograms() {
  static const LaunchPlan plan = stubPlan(kStubPrograms);
  return plan;
}

/// Skips where a build has no stub.
class OnStub : public testing::Test {
protected:
  void SetUp() override {
    if (!std::filesystem::exists(kStubLibrary)) GTEST_SKIP() << "no " << kStubLibrary;
    GTEST_FLAG_SET(death_test_style, "threadsafe"); // faults are final: each in a process of its own
  }
};

} // namespace kiln::cuda
