// The C ABI of the compiler library: a request names the machine that code is for.
#include "include/kiln/compiler.h"
#include "lib/Core/Ops.h"
#include "lib/Core/Trace.h"
#include "gtest/gtest.h"

#include <dlfcn.h>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <vector>

using namespace kiln;

namespace {

/// What the library says of a request: an empty text where it compiled.
std::string compile(kiln_compile_request request) {
  static void *library = dlopen(KILN_LIBRARY_FOLDER "/libkiln_compiler.so", RTLD_NOW);
  EXPECT_TRUE(library) << dlerror();
  auto compile = reinterpret_cast<decltype(&kiln_compiler_compile)>(dlsym(library, "kiln_compiler_compile"));
  auto release = reinterpret_cast<decltype(&kiln_compiler_free)>(dlsym(library, "kiln_compiler_free"));
  char *error = nullptr;
  if (!compile(&request, &error)) return "";
  std::string text = error;
  release(error);
  return text;
}

/// A program of one kernel, and where its code goes.
struct Sum {
  std::vector<int64_t> words;
  std::string path = (std::filesystem::temp_directory_path() / ("kiln-compiler-test-" + std::to_string(getpid()))).string();

  Sum() {
    Trace trace;
    int64_t x = trace.addInput({DType::F32, {1000}}), operands[] = {x, x};
    trace.outputs.push_back(trace.addOp(Op::Add, operands, {}));
    words = trace.serialize();
  }
  ~Sum() { std::filesystem::remove(path); }

  kiln_compile_request request(const char *target, const char *triple, const char *cpu = nullptr, const char *features = nullptr) const {
    kiln_compile_request request{};
    request.words = words.data(), request.count = words.size(), request.output_path = path.c_str();
    request.target = target, request.triple = triple, request.cpu = cpu, request.features = features;
    return request;
  }
  /// The processor that the file is for.
  int machine() const {
    Elf64_Ehdr header{};
    std::ifstream(path, std::ios::binary).read(reinterpret_cast<char *>(&header), sizeof header);
    return header.e_machine;
  }
};

} // namespace

TEST(Compiler, MakesCodeForTheMachineOfTheRequest) {
  Sum sum;
  EXPECT_EQ(compile(sum.request("cpu", "aarch64-linux-gnu", "neoverse-n1")), "");
  EXPECT_EQ(sum.machine(), EM_AARCH64);
  EXPECT_EQ(compile(sum.request(nullptr, "riscv64-linux-gnu", nullptr, "+m,+a,+f,+d,+v")), "");
  EXPECT_EQ(sum.machine(), EM_RISCV);
  EXPECT_EQ(compile(sum.request(nullptr, nullptr)), ""); // this machine again
  void *code = dlopen(sum.path.c_str(), RTLD_NOW);
  EXPECT_TRUE(code) << dlerror();
  dlclose(code);
}

TEST(Compiler, RefusesUnknownTargetsAndMachines) {
  Sum sum;
  EXPECT_EQ(compile(sum.request("nothing", nullptr)), "target: expected one of cpu, nvptx, got 'nothing'");
  EXPECT_EQ(compile(sum.request("cpu", "sparc-linux-gnu")),
            "target 'cpu': triple: expected one of x86-64, AArch64, RISC-V, WebAssembly or Arm (Thumb), got 'sparc-unknown-linux-gnu'");
}
