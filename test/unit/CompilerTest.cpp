// The C ABI of the compiler library: a request names the machine that code is for.
#include "include/kiln/compiler.h"
#include "lib/Core/LaunchPlan.h"
#include "lib/Core/NativeOps.h"
#include "lib/Core/Ops.h"
#include "lib/Core/Trace.h"
#include "gtest/gtest.h"

#include <algorithm>
#include <cstring>
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
  reinterpret_cast<decltype(&kiln_compiler_use_registry)>(dlsym(library, "kiln_compiler_use_registry"))(registry());
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
  /// All of the file.
  std::string content() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// The processor that the file is for.
  int machine() const {
    Elf64_Ehdr header{};
    std::ifstream(path, std::ios::binary).read(reinterpret_cast<char *>(&header), sizeof header);
    return header.e_machine;
  }
};

/// The names in the symbol tables of a shared object of one kind, as a debugger or a process reads them.
std::vector<std::string> namesIn(const std::string &file, uint32_t kind) {
  Elf64_Ehdr header;
  memcpy(&header, file.data(), sizeof header);
  auto sectionAt = [&](size_t i) {
    Elf64_Shdr section;
    memcpy(&section, file.data() + header.e_shoff + i * sizeof section, sizeof section);
    return section;
  };
  std::vector<std::string> names;
  for (size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr table = sectionAt(i);
    if (table.sh_type != kind) continue;
    Elf64_Shdr text = sectionAt(table.sh_link);
    for (size_t at = 0; at < table.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      memcpy(&symbol, file.data() + table.sh_offset + at, sizeof symbol);
      names.push_back(file.data() + text.sh_offset + symbol.st_name);
    }
  }
  return names;
}

/// Products, each of the one before: a kernel each, in several objects.
Trace longChain(int count) {
  Trace trace;
  std::vector<int64_t> words{0, 0, 1, 0}; // no batch axes; the contracted ones
  int64_t x = trace.addInput({DType::F32, {3, 3}}), y = x;
  for (int i = 0; i < count; ++i) {
    int64_t operands[] = {y, x};
    y = trace.addOp(Op::DotGeneral, operands, words);
  }
  trace.outputs.push_back(y);
  return trace;
}

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

/// What the target nvptx makes of twice of a negated row, by a custom op that is launched so.
static std::string compileLaunch(std::array<int64_t, 3> shape, const Dims &strides, LaunchPlan *plan = nullptr) {
  const RegisteredOp &op =
      declareNative({"compilertest.twice_1_1", "twice", 1, 1, {"by", "launch_blocks", "launch_threads", "launch_shared"}});
  std::vector<kiln_attribute> numbers = {{KILN_INT64, -7}};
  for (int64_t number : shape) numbers.push_back({KILN_INT64, number});
  Sum sum;
  Trace trace;
  TensorType row{DType::F32, {300}};
  int64_t x = trace.addInput(row, strides), y = strides.rank ? x : trace.addOp(Op::Negative, std::array{x}, {});
  trace.outputs.push_back(trace.addOp(Op::Custom, std::array{y}, nativeWords(op, std::array{row}, numbers)));
  sum.words = trace.serialize();
  std::string said = compile(sum.request("nvptx", nullptr, "sm_80"));
  if (plan) *plan = LaunchPlan::read(sum.content());
  return said;
}

TEST(Compiler, LaunchesKernelsOfCustomOps) {
  LaunchPlan plan;
  EXPECT_EQ(compileLaunch({-1, 128, 1000}, {}, &plan), "");
  ASSERT_EQ(plan.programs.at(0).launches.size(), 2u);
  const LaunchPlan::Launch &launch = plan.programs[0].launches[1];
  EXPECT_TRUE(launch.isOp && launch.kernel == "compilertest.twice_1_1" && launch.threads == 128 && launch.askedBytes() == 1000);
  EXPECT_EQ(launch.blocks, 3) << "a thread for each element";
  ASSERT_EQ(launch.arguments.size(), 4u);
  EXPECT_EQ(launch.arguments[0].high, 1200);
  EXPECT_EQ(launch.arguments[2].number, 300);
  EXPECT_EQ(launch.arguments[3].number, -7);
  EXPECT_EQ(compileLaunch({5, 32, 0}, {}, &plan), "");
  EXPECT_EQ(plan.programs.at(0).launches.at(1).blocks, 5);
  EXPECT_EQ(compileLaunch({0, 32, 0}, {}, &plan), "");
  EXPECT_EQ(plan.programs.at(0).launches.size(), 1u) << "one that starts nothing";
  for (std::array<int64_t, 3> shape : {std::array<int64_t, 3>{-2, 32, 0}, {1, 1025, 0}, {1, 0, 0}, {1, 32, -1}})
    EXPECT_NE(compileLaunch(shape, {}).find("expected a kind of kernel that it can run, got 'library'"), std::string::npos);
  std::string said = compileLaunch({1, 32, 0}, {2});
  EXPECT_NE(said.find("expected arrays row by row for the kernel of a custom op, got one with strides"), std::string::npos) << said;
}

TEST(Compiler, ProgramsAreSharedObjectsWithNamesForThoseWhoLook) {
  Sum sum;
  ASSERT_EQ(compile(sum.request(nullptr, nullptr)), "");
  std::string file = sum.content();
  std::vector<std::string> given = namesIn(file, SHT_DYNSYM), functions = namesIn(file, SHT_SYMTAB);
  std::ranges::sort(given);
  EXPECT_EQ(given, (std::vector<std::string>{"", "kiln_entry", "kiln_info"}));
  EXPECT_EQ(std::ranges::count(functions, "kiln_entry"), 1);
  EXPECT_EQ(std::ranges::count(functions, "kiln_entry.kernel_0.slot_1"), 1);
}

TEST(Compiler, ObjectsOfLongProgramsFindEachOther) {
  constexpr int kCount = 100;
  Sum chain;
  chain.words = longChain(kCount).serialize();
  ASSERT_EQ(compile(chain.request(nullptr, nullptr)), "");
  void *code = dlopen(chain.path.c_str(), RTLD_NOW);
  ASSERT_TRUE(code) << dlerror();
  auto entry = reinterpret_cast<int32_t (*)(const void *, void *const *, const int64_t *, void *)>(dlsym(code, "kiln_entry"));
  const int64_t *info = static_cast<int64_t *>(dlsym(code, "kiln_info"));
  ASSERT_TRUE(entry && info);
  alignas(64) float x[9] = {0, 1, 0, 0, 0, 1, 1, 0, 0}, y[9] = {}; // a permutation, whose third power is one
  std::vector<char> workspace(size_t(info[1]) + 64);
  void *buffers[] = {x, y};
  EXPECT_EQ(entry(nullptr, buffers, nullptr, reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(workspace.data()) + 63) / 64 * 64)), 0);
  float expected[9] = {0, 0, 1, 1, 0, 0, 0, 1, 0}; // to the power of 101, which is 2
  for (int i = 0; i < 9; ++i) EXPECT_EQ(y[i], expected[i]) << i;
  dlclose(code);
}

TEST(Compiler, SaysWhereItCannotWrite) {
  Sum sum;
  sum.path = "/proc/none/program.so";
  std::string said = compile(sum.request(nullptr, nullptr));
  EXPECT_NE(said.find("linking failed: cannot write /proc/none/program.so: "), std::string::npos) << said;
}
