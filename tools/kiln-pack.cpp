// kiln-pack OUTPUT.so OBJECT_DIR [CPU [heavy]]: compiles the eager kernels, for every op, dtype and layout class, with Kiln's own
// compiler. Objects are kept in OBJECT_DIR under the hash of their final LLVM IR, so a change rebuilds what it changed.
//
// Kernels run over two axes of any size; the runtime loops over further ones (frontend/Eager.cpp). In a form, each letter
// says how an operand lies along the inner axis: c consecutive, 0 one element for all, s any stride.
//
// With `heavy` only those kernels are made whose time is arithmetic, on consecutive memory: a pack for wider registers, which
// the runtime asks first.
#include "lib/Core/Stats.h"
#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "codegen/cpu/InstructionSet.h"
#include "codegen/cpu/Native.h"
#include "dialects/trace/Convert.h"
#include "lib/Runtime/Executable.h"
#include "passes/Passes.h"
#include "tools/FirstDType.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"
#include "llvm/ADT/StringExtras.h"

#include <cstdio>
#include <map>

namespace kiln {
namespace {

using mlir::Builder, mlir::DialectRegistry, mlir::MLIRContext, mlir::ModuleOp, mlir::OwningOpRef, mlir::UnknownLoc;
namespace func = mlir::func;

constexpr Size kS0 = Size::symbol(0), kS1 = Size::symbol(1), kS2 = Size::symbol(2), kS3 = Size::symbol(3);

struct Kernel {
  std::string name;
  Trace trace;
  std::optional<Dims> resultStrides;
  std::optional<int64_t> inPlace = {}; // the argument that the result replaces
};

/// Kernels by op: one LLVM module each.
using Pack = std::map<std::string, std::vector<Kernel>>;

Dims stridesFor(char form) {
  Dims strides;
  strides.push(kDynamicStride);
  strides.push(form == 'c' ? 1 : form == '0' ? 0 : kDynamicStride);
  return strides;
}

std::string dtypeName(DType t) { return info(t).shortName; }

void addElementwise(Pack &pack, Op op) {
  const OpInfo &record = info(op);
  static const char *const forms[4][4] = {{}, {"c", "s"}, {"cc", "c0", "0c", "ss"}, {"ccc", "c0c", "cc0", "sss"}};
  for (int t = 0; t < kNumDTypes; ++t) {
    DType dtype = DType(t);
    if (!accepts(record.accepts, dtype) || (record.ufunc && accepts(Accepts::Any, dtype) && isStorage(dtype))) continue;
    for (const char *form : forms[record.operands]) {
      if (!form) break;
      for (int r = 0; r < (op == Op::Cast ? kNumDTypes : 1); ++r) {
        if (op == Op::Cast && r == t) continue;
        Kernel k;
        k.name = std::string(record.name) + "_" + dtypeName(dtype) + "_" + (op == Op::Cast ? dtypeName(DType(r)) + "_" : "") + form;
        std::vector<int64_t> slots, words;
        for (int i = 0; form[i]; ++i)
          slots.push_back(k.trace.addInput({i == 0 ? firstDType(op, dtype) : dtype, {kS0, kS1}}, stridesFor(form[i])));
        if (op == Op::Cast) words = {r};
        try {
          k.trace.outputs = {k.trace.addOp(op, slots, words)};
        } catch (const Error &) { continue; } // a dtype that the rule refuses
        pack[op == Op::Cast ? "cast_" + dtypeName(dtype) : record.name].push_back(std::move(k));
      }
    }
  }
}

/// From columns to rows, in tiles.
void addCopies(Pack &pack) {
  for (DType t : {DType::U8, DType::U16, DType::U32, DType::U64}) {
    Kernel k;
    k.name = "copy_" + std::to_string(8 * byteSize(t)) + "_t";
    int64_t x = k.trace.addInput({t, {kS0, kS1}}, {1, kDynamicStride}), word = int64_t(t);
    k.trace.outputs = {k.trace.addOp(Op::Cast, {&x, 1}, {&word, 1})};
    k.resultStrides = stridesFor('c');
    pack["copy"].push_back(std::move(k));
  }
}

void addReduction(Pack &pack, Op op) {
  for (int t = 0; t < kNumDTypes; ++t) {
    if (!accepts(info(op).accepts, DType(t))) continue;
    for (bool isRow : {true, false}) {
      Kernel k;
      k.name = std::string(info(op).name) + "_" + dtypeName(DType(t)) + (isRow ? "_row" : "_col");
      Shape shape = isRow ? Shape{kS0, kS1} : Shape{kS0, kS1, kS2};
      int64_t x = k.trace.addInput({DType(t), shape});
      std::vector<int64_t> words = info(op).kind == Kind::Reduce ? std::vector<int64_t>{1, 1} : std::vector<int64_t>{1};
      k.trace.outputs = {k.trace.addOp(op, {&x, 1}, words)};
      pack[info(op).name].push_back(std::move(k));
    }
  }
}

void addProducts(Pack &pack) {
  for (int t = 0; t < kNumDTypes; ++t) {
    DType dtype = DType(t);
    if (!accepts(info(Op::DotGeneral).accepts, dtype)) continue;
    auto add = [&](const char *form, const Shape &x, const Dims &xs, const Shape &y, const Dims &ys, int64_t xAxis, int64_t yAxis,
                   const Dims &batch = {}) {
      Kernel k;
      k.name = std::string(info(Op::DotGeneral).name) + "_" + dtypeName(dtype) + form;
      int64_t slots[] = {k.trace.addInput({dtype, x}, xs), k.trace.addInput({dtype, y}, ys)};
      std::vector<int64_t> words;
      for (int i = 0; i < 2; ++i) appendWords(words, batch);
      words.insert(words.end(), {xAxis, yAxis});
      k.trace.outputs = {k.trace.addOp(Op::DotGeneral, slots, words)};
      pack["dot_general"].push_back(std::move(k));
    };
    Dims any = stridesFor('s'), rows = stridesFor('c'), one = {1}, step = {kDynamicStride};
    add("_nn", {kS0, kS1}, any, {kS1, kS2}, rows, 1, 0);
    add("_nt", {kS0, kS1}, any, {kS1, kS2}, any, 1, 0);
    add("_row", {kS0, kS1}, rows, {kS1}, one, 1, 0);
    add("_row_s", {kS0, kS1}, any, {kS1}, step, 1, 0);
    add("_col", {kS0, kS1}, rows, {kS0}, one, 0, 0);
    add("_col_s", {kS0, kS1}, any, {kS0}, step, 0, 0);
    Dims matrices = {kDynamicStride, kDynamicStride, 1};
    add("_each_nn", {kS0, kS1, kS2}, matrices, {kS0, kS2, kS3}, matrices, 2, 1, {0});
    for (int64_t n : {2, 3, 4}) add(("_each_" + std::to_string(n)).c_str(), {kS0, n, n}, matrices, {kS0, n, n}, matrices, 2, 1, {0});
    add("_each_row", {kS0, kS1}, rows, {kS0, kS1}, rows, 1, 1, {0});
  }
}

void addIotaAndGather(Pack &pack) {
  for (int t = 0; t < kNumDTypes; ++t) {
    if (!accepts(info(Op::Iota).accepts, DType(t))) continue;
    Kernel k;
    k.name = std::string(info(Op::Iota).name) + "_" + dtypeName(DType(t));
    int64_t words[] = {0, t, 1, kS0.word()};
    k.trace.outputs = {k.trace.append(Op::Iota, {}, words, TensorType{DType(t), {kS0}})};
    pack["iota"].push_back(std::move(k));
  }
  for (DType t : {DType::U8, DType::U16, DType::U32, DType::U64})
    for (bool isRow : {true, false}) {
      Kernel k;
      k.name = std::string(info(Op::Gather).name) + "_" + std::to_string(8 * byteSize(t)) + (isRow ? "_row" : "");
      int64_t slots[] = {k.trace.addInput({t, isRow ? Shape{kS0, kS1} : Shape{kS0, kS1, kS2}}),
                         k.trace.addInput({DType::I64, {isRow ? kS2 : kS3}})};
      int64_t axis = 1;
      k.trace.outputs = {k.trace.addOp(Op::Gather, slots, {&axis, 1})};
      pack["gather"].push_back(std::move(k));
    }
}

void addScatter(Pack &pack, Op op) {
  auto add = [&](DType dtype, const std::string &name) {
    for (bool isRow : {true, false}) { // whether nothing lies behind the axis
      Kernel k;
      k.name = std::string(info(op).name) + "_" + name + (isRow ? "_row" : "");
      Shape shape = isRow ? Shape{kS0, kS1} : Shape{kS0, kS1, kS2}, updates = shape;
      updates[1] = isRow ? kS2 : kS3;
      int64_t slots[] = {k.trace.addInput({dtype, shape}), k.trace.addInput({DType::I64, {updates[1]}}),
                         k.trace.addInput({dtype, updates})};
      int64_t axis = 1;
      k.trace.outputs = {k.trace.addOp(op, slots, {&axis, 1})};
      k.inPlace = 0;
      pack["scatter"].push_back(std::move(k));
    }
  };
  if (op == Op::Scatter) // only moves
    for (DType t : {DType::U8, DType::U16, DType::U32, DType::U64}) add(t, std::to_string(8 * byteSize(t)));
  else
    for (int t = 0; t < kNumDTypes; ++t)
      if (accepts(info(op).accepts, DType(t))) add(DType(t), dtypeName(DType(t)));
}

void addScan(Pack &pack, Op op) {
  for (int t = 0; t < kNumDTypes; ++t) {
    if (!accepts(info(op).accepts, DType(t))) continue;
    for (bool isRow : {true, false}) {
      Kernel k;
      k.name = std::string(info(op).name) + "_" + dtypeName(DType(t)) + (isRow ? "_row" : "_col");
      int64_t x = k.trace.addInput({DType(t), isRow ? Shape{kS0, kS1} : Shape{kS0, kS1, kS2}}), axis = 1;
      k.trace.outputs = {k.trace.addOp(op, {&x, 1}, {&axis, 1})};
      pack["scan"].push_back(std::move(k));
    }
  }
}

void addSort(Pack &pack, Op op) {
  for (int t = 0; t < kNumDTypes; ++t) {
    if (!accepts(info(op).accepts, DType(t))) continue;
    for (int64_t descending : {0, 1}) {
      Kernel k;
      k.name = std::string(info(op).name) + "_" + dtypeName(DType(t)) + (descending ? "_down" : "_up");
      int64_t x = k.trace.addInput({DType(t), {kS0, kS1}}), words[] = {1, descending};
      k.trace.outputs = {k.trace.addOp(op, {&x, 1}, words)};
      pack["sort"].push_back(std::move(k));
    }
  }
}

void addCompact(Pack &pack, Op op) {
  for (int t = 0; t < kNumDTypes; ++t) {
    if (!accepts(info(op).accepts, DType(t))) continue;
    Kernel k;
    k.name = std::string(info(op).name) + "_" + dtypeName(DType(t));
    int64_t mask = k.trace.addInput({DType(t), {kS0}}), count = kS1.word();
    k.trace.outputs = {k.trace.append(op, {&mask, 1}, {&count, 1}, TensorType{DType::I64, {kS1}})};
    pack["compact"].push_back(std::move(k));
  }
  for (DType t : {DType::U8, DType::U16, DType::U32, DType::U64}) { // the elements there
    Kernel k;
    k.name = "compress_" + std::to_string(8 * byteSize(t));
    int64_t x = k.trace.addInput({t, {kS0}}), mask = k.trace.addInput({DType::Bool, {kS0}}), count = kS1.word(), axis = 0;
    int64_t slots[] = {x, k.trace.append(op, {&mask, 1}, {&count, 1}, TensorType{DType::I64, {kS1}})};
    k.trace.outputs = {k.trace.addOp(Op::Gather, slots, {&axis, 1})};
    pack["compact"].push_back(std::move(k));
  }
}

/// Everything that eager execution calls, from the op table.
Pack makePack() {
  Pack pack;
  for (int i = 0; i < int(Op::Count); ++i) {
    Op op = Op(i);
    if (!info(op).eager) continue;
    switch (info(op).kind) {
    case Kind::Elementwise: addElementwise(pack, op); break;
    case Kind::Reduce:
    case Kind::Argreduce: addReduction(pack, op); break;
    case Kind::Scatter: addScatter(pack, op); break;
    case Kind::Scan: addScan(pack, op); break;
    case Kind::Sort: addSort(pack, op); break;
    case Kind::Compact: addCompact(pack, op); break;
    default: break;
    }
  }
  addCopies(pack);
  addProducts(pack);
  addIotaAndGather(pack);
  return pack;
}

/// Conversions that processors without them do element by element.
bool isWideConversion(DType from, DType to) {
  auto isWide = [](DType t) { return isInteger(t) && byteSize(t) == 8; };
  return (isFloat(from) && isWide(to)) || (isWide(from) && isFloat(to));
}

/// Whether wider registers pay: arithmetic, comparisons or products take the time, not memory or strides.
bool isHeavy(const Kernel &kernel) {
  constexpr int kHeavy = 8;
  std::span<const int64_t> entries = kernel.trace.words;
  bool result = false;
  DType given{};
  for (size_t at = 0; at < entries.size();) {
    TraceOp entry = Trace::decode(entries, at);
    if (entry.op == Op::Input) {
      given = DType(entry.words[0]);
      bool isStrided = entry.words.size() > 3 + size_t(entry.words[1]) && entry.words.back() == kDynamicStride;
      if (isStrided && kernel.trace.outputs.size() == 1 && kernel.name.ends_with("s")) return false;
      continue;
    }
    const OpInfo &record = info(entry.op);
    result |= entry.op == Op::Cast && isWideConversion(given, DType(entry.words[0]));
    result |= record.cost >= kHeavy || record.kind == Kind::Argreduce || record.kind == Kind::Compact ||
              (record.kind == Kind::Reduce && record.needsElement);
  }
  return result;
}

/// The object of a module, from OBJECT_DIR where its IR is unchanged.
std::string objectFor(llvm::Module &module, llvm::TargetMachine &machine, const std::string &folder, bool &isNew) {
  std::string ir;
  llvm::raw_string_ostream out(ir);
  module.print(out, nullptr);
  auto hash = llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(ir)), true);
  std::string path = folder + "/" + hash.substr(0, 32) + ".o";
  isNew = !llvm::sys::fs::exists(path);
  if (isNew) {
    auto object = cpu::CodeGeneration(machine).run(module);
    std::error_code error;
    llvm::raw_fd_ostream file(path + ".tmp", error);
    if (error) throw Error(ErrorKind::Compile, "pack: expected a writable folder, got " + folder + ": " + error.message());
    file.write(object.data(), object.size());
    file.close();
    llvm::sys::fs::rename(path + ".tmp", path);
  }
  return path;
}

void build(const std::string &output, const std::string &folder, const char *cpu, bool isHeavyOnly) {
  DialectRegistry registry;
  codegen::registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  const codegen::Target &target = codegen::targetOf("cpu");
  auto machine = cpu::makeTargetMachine({"", cpu ? cpu : "", ""});
  llvm::sys::fs::create_directories(folder);
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> files;
  std::vector<llvm::ArrayRef<char>> objects;
  int kernels = 0, compiled = 0;
  for (auto &[name, list] : makePack()) {
    if (isHeavyOnly) std::erase_if(list, [](const Kernel &k) { return !isHeavy(k); });
    if (list.empty()) continue;
    OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
    cpu::describeMachine(*module, *machine);
    for (Kernel &k : list) {
      importTrace(*module, k.trace, k.name);
      if (k.resultStrides)
        module->lookupSymbol<func::FuncOp>(k.name).setResultAttr(
            0, ir::kStrides, Builder(&context).getDenseI64ArrayAttr({k.resultStrides->begin(), size_t(k.resultStrides->rank)}));
      if (k.inPlace)
        module->lookupSymbol<func::FuncOp>(k.name).setResultAttr(0, ir::kInPlace, Builder(&context).getI64IntegerAttr(*k.inPlace));
      ++kernels;
    }
    codegen::runPipeline(*module, [&](mlir::OpPassManager &pm) {
      codegen::buildKernelPipeline(pm, target);
      codegen::buildTargetPipeline(pm, target);
    });
    if ((*module)->getAttrOfType<mlir::IntegerAttr>(ir::kWorkspaceBytes).getInt() > int64_t(kPackWorkspace))
      throw Error(ErrorKind::Compile, "pack: " + name + ": expected a workspace of at most " + std::to_string(kPackWorkspace) + " bytes");
    llvm::LLVMContext llvmContext;
    auto native = cpu::toLlvm(*module, llvmContext, *machine);
    bool isNew;
    auto file = llvm::MemoryBuffer::getFile(objectFor(*native, *machine, folder, isNew));
    if (!file) throw Error(ErrorKind::Compile, "pack: expected to read an object that was just written");
    compiled += isNew;
    objects.push_back({(*file)->getBufferStart(), (*file)->getBufferSize()});
    files.push_back(std::move(*file));
  }
  cpu::linkShared(objects, *machine, output + ".tmp");
  llvm::sys::fs::rename(output + ".tmp", output);
  std::printf("kiln-pack: %d kernels, %zu objects, %d compiled\n", kernels, objects.size(), compiled);
}

} // namespace
} // namespace kiln

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: kiln-pack OUTPUT.so OBJECT_DIR [CPU [heavy]]\n");
    return 2;
  }
  try {
    kiln::build(argv[1], argv[2], argc > 3 ? argv[3] : nullptr, argc > 4 && std::string_view(argv[4]) == "heavy");
  } catch (const std::exception &error) {
    std::fprintf(stderr, "kiln-pack: %s\n", error.what());
    return 1;
  }
}
