// The tables of support/library.h, and the functions of C that run by them, as LLVM IR.
#include "codegen/library/DeviceTables.h"

#include "include/kiln/executable.h"
#include "lib/Core/Control.h"
#include "lib/Core/Dlpack.h"
#include "lib/Core/Generalize.h"
#include "llvm/IR/IRBuilder.h"

#include <algorithm>

using namespace llvm;

namespace kiln::library {
namespace {

// As support/library.h has them.
enum class Source { Argument, Weight, Size, Kept };
enum : int64_t { kMiss = -1, kCount = -2, kFirstKept = -3 };

Source sourceOf(Role role) {
  if (role == Role::Weight) return Source::Weight;
  if (role == Role::Kept) return Source::Kept;
  return role == Role::Size ? Source::Size : Source::Argument;
}

/// A DLDataType in 32 bits.
int64_t tensorType(DType dtype) {
  dlpack::DataType type = dlpack::dataTypeOf(dtype);
  return type.code | type.bits << 8 | type.lanes << 16;
}

class TableWriter {
public:
  TableWriter(Module &module, const Interface &interface) : c(module), it(interface) {}

  Constant *function(const kiln::library::Function &f, ArrayRef<Code> &codes, size_t processors) {
    SmallVector<Constant *> sizes, stages, variants;
    for (const Dimension &d : f.dimensions()) {
      SmallVector<Constant *> fields{c.text(d.name), c.number(d.least), c.number(d.most)};
      fields.append(expressionFields(d.bound));
      sizes.push_back(c.record(fields));
    }
    auto own = [&] { return std::exchange(codes, codes.drop_front(processors)).take_front(processors); };
    ArrayRef<const PackageEntry *> before;
    for (const auto &stage : f.stages) {
      SmallVector<Constant *> counting;
      for (const PackageEntry *entry : stage) counting.push_back(variant(*entry, before, {}, {}, own()));
      stages.push_back(c.record({size(counting), c.list(counting)}));
      before = stage;
    }
    SmallVector<int64_t> rooms; // the capacity of each argument
    for (const Argument &a : f.arguments[0])
      rooms.push_back(a.capacity.empty() ? -1 : llvm::count_if(rooms, [](int64_t room) { return room >= 0; }));
    for (size_t v = 0; v < f.variants.size(); ++v) {
      std::vector<SizeExpression> found;
      for (const FoundSize &size : f.found) found.push_back(size.size[v]);
      variants.push_back(variant(*f.variants[v], before, argumentsOf(f.arguments[v], rooms), found, own()));
    }
    return c.record({c.text(f.symbol), size(sizes), c.list(sizes), size(f.arguments[0]), c.number(int64_t(f.given)), size(variants),
                     c.list(variants), size(stages), c.list(stages), size(f.found)});
  }

  Constant *library(const Machines &machines, Weights mode, const std::string &file, ArrayRef<Code> codes) {
    SmallVector<Constant *> processors, weights;
    for (auto [number, p] : llvm::enumerate(machines.processors)) {
      SmallVector<Constant *> words;
      for (int64_t word : p.needs) words.push_back(c.number(word));
      SmallVector<Constant *> fields{c.text(p.name), ConstantArray::get(llvm::ArrayType::get(words[0]->getType(), words.size()), words)};
      if (machines.device) fields.append(device.kernelsOf(number, codes, machines.processors.size()));
      processors.push_back(c.record(fields));
    }
    WeightsFile layout = mode == Weights::File ? layoutOf(*it.package) : WeightsFile{};
    for (auto [i, w] : llvm::enumerate(it.package->weights)) {
      Constant *data = mode == Weights::Embedded ? c.bytes({w.bytes.data(), w.bytes.size()}) : c.none();
      weights.push_back(c.record({c.text(w.name), c.number(byteSize(realType(w.type.dtype))), data,
                                  c.number(mode == Weights::File ? layout.offsets[i] : 0), c.number(int64_t(w.bytes.size()))}));
    }
    bool hasFile = mode == Weights::File && !weights.empty();
    return c.record({c.text(it.name), size(processors), c.list(processors), size(weights), c.list(weights),
                     hasFile ? c.text(file) : c.none(), c.number(int64_t(layout.head.size())), c.text(layout.head), c.number(layout.bytes),
                     c.number(it.threads)});
  }

  Constants c;

private:
  const Interface &it;
  DeviceTables device{c};

  template <typename List> Constant *size(const List &list) { return c.number(int64_t(list.size())); }

  SmallVector<Constant *, 2> expressionFields(const SizeExpression &e) {
    SmallVector<int64_t> items;
    for (const SizeExpression::Item &item : e.items) items.append({int64_t(item.step), item.value});
    return {size(e.items), c.numbers(items)};
  }
  Constant *expression(const SizeExpression &e) { return c.record(expressionFields(e)); }

  /// Bytes of an array whose size is always the same.
  static int64_t fixedBytes(const Argument &a) {
    int64_t bytes = byteSize(a.dtype);
    for (const SizeExpression &size : a.shape) {
      if (size.items.size() != 1 || size.items[0].step != SizeExpression::Step::Number) return -1;
      bytes *= size.items[0].value;
    }
    return bytes;
  }

  Constant *argument(const Argument &a, int64_t room = -1) {
    SmallVector<Constant *> shape;
    for (const SizeExpression &size : a.shape) shape.push_back(expression(size));
    return c.record({c.text(a.name), c.number(int64_t(a.use)), c.number(byteSize(a.dtype)), c.number(byteSize(realType(a.dtype))),
                     c.number(tensorType(a.dtype)), size(shape), c.list(shape), c.number(fixedBytes(a)), c.number(room)});
  }
  SmallVector<Constant *> argumentsOf(ArrayRef<Argument> arguments, ArrayRef<int64_t> rooms) {
    SmallVector<Constant *> table;
    for (auto [a, room] : llvm::zip(arguments, rooms)) table.push_back(argument(a, room));
    return table;
  }
  /// An array of an entry's program.
  Constant *array(const PackageEntry &entry, const TensorType &type) { return argument({"", Use::Read, type.dtype, shapeOf(entry, type)}); }
  SmallVector<Constant *> keptBy(const PackageEntry &entry) {
    SmallVector<Constant *> kept;
    for (size_t i = 0; entry.counts && i < countOf(entry); ++i)
      kept.push_back(array(entry, entry.program.types[size_t(entry.program.outputs[i])]));
    return kept;
  }

  /// The arrays of a program whose sizes are open, and of its bodies, each shape once. `symbols`: what the program's stand for in the
  /// entry.
  static void findWidest(const Trace &program, const std::vector<Size> &symbols, std::vector<TensorType> &widest) {
    auto inEntry = [&](Size size) { return size.isSymbol() ? symbols.at(size_t(size.symbol())) : size; };
    for (TensorType type : program.types) {
      if (type.shape.isStatic()) continue;
      for (int i = 0; i < type.shape.rank; ++i) type.shape[i] = inEntry(type.shape[i]);
      auto known = std::ranges::find(widest, type.shape, &TensorType::shape);
      if (known == widest.end()) widest.push_back(type);
      else if (byteSize(type.dtype) > byteSize(known->dtype)) known->dtype = type.dtype;
    }
    for (size_t at = 0; at < program.words.size();) {
      TraceOp op = Trace::decode(program.words, at);
      if (op.op == Op::Input || info(op.op).kind != Kind::Control) continue;
      for (int64_t number : bodyNumbers(info(op.op), op.words)) {
        const Trace &body = *program.bodies[size_t(number)];
        std::vector<Size> own; // the sizes that the operation computes, at their largest, then those around it
        for (int64_t i = 0; i < body.given; ++i) own.push_back(inEntry(*Size::ofWord(op.words[size_t(2 + i)], program.symbols)));
        own.insert(own.end(), symbols.begin(), symbols.end());
        findWidest(body, own, widest);
      }
    }
  }
  SmallVector<Constant *> innerArrays(const PackageEntry &entry) {
    std::vector<TensorType> widest;
    std::vector<Size> symbols;
    for (int64_t i = 0; i < entry.program.symbols; ++i) symbols.push_back(Size::symbol(i));
    findWidest(entry.program, symbols, widest);
    SmallVector<Constant *> arrays;
    for (const TensorType &type : widest) arrays.push_back(array(entry, type));
    return arrays;
  }

  /// Where something is kept by those of the entries of a stage that keep it.
  static int64_t placeIn(ArrayRef<const PackageEntry *> stage, const std::string &name) {
    int64_t place = 0;
    for (const PackageEntry *entry : stage) place = int64_t(keptAs(*entry, name).value_or(size_t(place)));
    return place;
  }
  /// `before`: the entries of the stage before.
  Constant *variant(const PackageEntry &entry, ArrayRef<const PackageEntry *> before, ArrayRef<Constant *> arguments,
                    ArrayRef<SizeExpression> foundSizes, ArrayRef<Code> codes) {
    SmallVector<Constant *> symbols, inputs, byProcessor, misses, kept = keptBy(entry), found;
    for (const SizeExpression &size : foundSizes) found.push_back(expression(size));
    for (const SizeExpression &e : entry.symbols) symbols.push_back(expression(e));
    SmallVector<int64_t> bounds, outputs, placeOf(entry.inputs.size(), -1);
    int64_t boxes = 0, place = 0, nextKept = kFirstKept;
    for (const SizeBox &box : llvm::concat<const SizeBox>(entry.checked, entry.assumed)) {
      ++boxes;
      for (auto [least, most] : box) bounds.append({least, most});
    }
    std::vector<TensorType> types = inputTypesOf(entry.program);
    for (auto [i, input] : llvm::enumerate(entry.inputs)) {
      Source source = sourceOf(input.role);
      int64_t at = source == Source::Weight ? input.weight : source == Source::Argument ? placeOf[i] = place++ : 0;
      if (source == Source::Kept) at = placeIn(before, input.name);
      DType dtype = types[i].dtype;
      SmallVector<Constant *> fields{c.number(int64_t(source)), c.number(at)};
      fields.append(expressionFields(input.number));
      fields.push_back(c.number(isFloat(dtype) ? -byteSize(dtype) : byteSize(dtype)));
      fields.push_back(source == Source::Kept ? c.list(array(entry, types[i])) : c.none());
      inputs.push_back(c.record(fields));
    }
    for (const PackageOutput &o : entry.outputs)
      if (isMiss(entry, o)) outputs.push_back(kMiss);
      else if (entry.counts) outputs.push_back(outputs.size() == countOf(entry) ? kCount : nextKept--);
      else outputs.push_back(o.writes >= 0 ? placeOf[size_t(o.writes)] : place++);
    for (const std::string &question : entry.misses) misses.push_back(c.text(question));
    for (auto [processor, code] : llvm::enumerate(codes))
      byProcessor.push_back(it.isDevice
                                ? device.codeOf(processor, code)
                                : c.record({c.code(code.run), c.workspace(code.workspace), c.number(code.bytes), c.numbers(code.inPlace)}));
    SmallVector<Constant *> inner = innerArrays(entry);
    return c.record({c.number(boxes), size(entry.checked), c.numbers(bounds), c.list(arguments), size(symbols), c.list(symbols),
                     c.numbers(leastOf(entry.program)), size(inputs), c.list(inputs), size(outputs), c.numbers(outputs),
                     c.list(byProcessor), size(inner), c.list(inner), size(misses), c.list(misses), size(kept), c.list(kept),
                     c.list(found)});
  }
};

/// The functions of C.
class FunctionWriter {
public:
  FunctionWriter(Module &module, const Interface &interface, const TargetMachine &machine, Constant *library, Constant *signature)
      : module(module), it(interface), machine(machine), b(module.getContext()), pointer(PointerType::getUnqual(module.getContext())),
        size(module.getDataLayout().getIntPtrType(module.getContext())), library(library), signature(signature) {}

  void writeLibrary(System system, bool standsAlone) {
    Type *i32 = b.getInt32Ty();
    define(it.name + "_signature", pointer, {}, [&](auto) { return signature; });
    define(it.name + "_status_text", pointer, {i32}, [&](auto a) { return support("status_text", pointer, {a[0]}); });
    define(it.name + "_abi_version", i32, {}, [&](auto) { return b.getInt32(1); });
    if (system == System::None) {
      define(it.name + "_init", i32, {pointer, pointer}, [&](auto a) { return support("init", i32, {library, a[0], a[1]}); });
      return;
    }
    if (standsAlone) { // memory for what callers give
      define(it.name + "_alloc", pointer, {size}, [&](auto a) { return support("alloc", pointer, {a[0]}); });
      define(it.name + "_free", b.getVoidTy(), {pointer}, [&](auto a) { return support("free", b.getVoidTy(), {a[0]}); });
    }
    define(it.name + "_open", i32, {pointer, pointer, pointer, size},
           [&](auto a) { return support("open", i32, {library, a[0], a[1], a[2], a[3]}); });
    define(it.name + "_close", b.getVoidTy(), {pointer}, [&](auto a) { return support("close", b.getVoidTy(), {a[0]}); });
    define(it.name + "_set_weights", i32, {pointer, pointer, pointer, size},
           [&](auto a) { return support("set_weights", i32, {a[0], library, a[1], a[2], a[3]}); });
    define(it.name + "_get_weights", i32, {pointer, pointer, pointer, size},
           [&](auto a) { return support("get_weights", i32, {a[0], library, a[1], a[2], a[3]}); });
  }

  void writeFunction(const kiln::library::Function &f, Constant *table, System system) {
    const std::vector<Argument> &arguments = f.arguments[0];
    SmallVector<Type *> types{pointer}, sizes(f.chosen(), b.getInt64Ty());
    for (const Argument &a : arguments)
      if (a.isInput()) types.push_back(typeOf(a));
    types.append(sizes);
    for (const Argument &a : ArrayRef(arguments).drop_front(f.given)) {
      types.push_back(pointer);
      if (!a.capacity.empty()) types.push_back(b.getInt64Ty());
      types.append(a.found.size(), pointer);
    }
    types.append({pointer, size, pointer, size});
    if (it.isDevice) types.push_back(pointer);
    define(f.symbol, b.getInt32Ty(), types, [&](ArrayRef<Value *> given) {
      SmallVector<Value *> all, rooms, found;
      auto take = [&](size_t count) { return std::exchange(given, given.drop_front(count)).take_front(count); };
      Value *handle = take(1)[0];
      for (auto [a, value] : llvm::zip(arguments, take(f.given))) all.push_back(a.use == Use::Value ? spill(value) : value);
      Value *allSizes = sizesOf(f, take(sizes.size()));
      for (const Argument &a : ArrayRef(arguments).drop_front(f.given)) {
        all.push_back(take(1)[0]);
        if (!a.capacity.empty()) rooms.push_back(take(1)[0]);
        llvm::append_range(found, take(a.found.size()));
      }
      return support("call", b.getInt32Ty(),
                     {handle, table, list(all, pointer), allSizes, list(rooms, b.getInt64Ty()), list(found, pointer), given[0], given[1],
                      given[2], given[3], it.isDevice ? given[4] : none()});
    });
    types.assign(1, pointer);
    types.append(sizes);
    define(f.symbol + "_workspace_size", b.getInt64Ty(), types, [&](ArrayRef<Value *> given) {
      return support("workspace_size", b.getInt64Ty(), {given[0], table, sizesOf(f, given.drop_front())});
    });
    if (system == System::None) return;
    types.assign({pointer, pointer, size, pointer, size, pointer, size, pointer, size});
    if (it.isDevice) types.push_back(pointer);
    define(f.symbol + "_dlpack", b.getInt32Ty(), types, [&](ArrayRef<Value *> given) {
      SmallVector<Value *> all{given[0], table};
      llvm::append_range(all, given.drop_front());
      if (!it.isDevice) all.push_back(none());
      return support("call_tensors", b.getInt32Ty(), all);
    });
  }

private:
  Module &module;
  const Interface &it;
  const TargetMachine &machine;
  IRBuilder<> b;
  PointerType *pointer;
  IntegerType *size;
  Constant *library, *signature;

  Constant *none() { return ConstantPointerNull::get(pointer); }

  Type *typeOf(const Argument &a) {
    if (a.use != Use::Value) return pointer;
    if (a.dtype == DType::F32) return b.getFloatTy();
    return a.dtype == DType::F64 ? b.getDoubleTy() : static_cast<Type *>(b.getIntNTy(unsigned(8 * byteSize(a.dtype))));
  }

  void define(const std::string &name, Type *result, ArrayRef<Type *> types, function_ref<Value *(ArrayRef<Value *>)> body) {
    auto fn = llvm::Function::Create(FunctionType::get(result, types, false), GlobalValue::ExternalLinkage, name, module);
    fn->addFnAttr("target-cpu", machine.getTargetCPU());
    fn->addFnAttr("target-features", machine.getTargetFeatureString());
    fn->addFnAttr(Attribute::NoUnwind);
    b.SetInsertPoint(BasicBlock::Create(module.getContext(), "", fn));
    SmallVector<Value *> arguments;
    for (llvm::Argument &a : fn->args()) arguments.push_back(&a);
    Value *returned = body(arguments);
    if (result->isVoidTy()) b.CreateRetVoid();
    else b.CreateRet(returned);
  }

  Value *support(StringRef name, Type *result, ArrayRef<Value *> arguments) {
    SmallVector<Type *> types;
    for (Value *a : arguments) types.push_back(a->getType());
    auto callee = module.getOrInsertFunction(supportName(it.name, name), FunctionType::get(result, types, false));
    cast<llvm::Function>(callee.getCallee())->setVisibility(GlobalValue::HiddenVisibility);
    return b.CreateCall(callee, arguments);
  }

  /// With room for those that values decide.
  Value *sizesOf(const kiln::library::Function &f, ArrayRef<Value *> chosen) {
    SmallVector<Value *> all(chosen);
    all.append(f.stages.size(), b.getInt64(0));
    return list(all, b.getInt64Ty());
  }
  Value *spill(Value *value) {
    Value *memory = b.CreateAlloca(value->getType());
    b.CreateStore(value, memory);
    return memory;
  }
  /// Values in memory.
  Value *list(ArrayRef<Value *> values, Type *type) {
    if (values.empty()) return ConstantPointerNull::get(pointer);
    Value *memory = b.CreateAlloca(type, b.getInt32(uint32_t(values.size())));
    for (auto [i, value] : llvm::enumerate(values)) b.CreateStore(value, b.CreateConstInBoundsGEP1_32(type, memory, unsigned(i)));
    return memory;
  }
};

} // namespace

std::unique_ptr<Module> tablesOf(const Interface &interface, ArrayRef<Code> codes, const Machines &machines, Weights weights,
                                 const std::string &weightsFile, bool standsAlone, LLVMContext &context) {
  auto module = std::make_unique<Module>(interface.name, context);
  module->setTargetTriple(machines.any->getTargetTriple());
  module->setDataLayout(machines.any->createDataLayout());
  TableWriter tables(*module, interface);
  std::vector<std::string> processors;
  for (const Processor &p : machines.processors) processors.push_back(p.name);
  Constant *library = tables.c.list(tables.library(machines, weights, weightsFile, codes));
  FunctionWriter functions(*module, interface, *machines.any, library, tables.c.text(signatureOf(interface, machines.triple, processors)));
  functions.writeLibrary(machines.system, standsAlone);
  for (const kiln::library::Function &f : interface.functions)
    functions.writeFunction(f, tables.c.list(tables.function(f, codes, machines.processors.size())), machines.system);
  for (llvm::Function &f : *module)
    if (f.isDeclaration()) f.setVisibility(GlobalValue::HiddenVisibility);
  return module;
}

} // namespace kiln::library
