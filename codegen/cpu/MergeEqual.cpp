#include "codegen/cpu/MergeEqual.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// Whether only the module refers to a function.
bool isInternal(FunctionOpInterface fn) {
  auto linkage = fn->getAttrOfType<LLVM::LinkageAttr>("llvm.linkage"); // of a func.func
  if (auto lowered = dyn_cast<LLVM::LLVMFuncOp>(fn.getOperation())) linkage = lowered.getLinkageAttr();
  return linkage && linkage.getLinkage() == LLVM::Linkage::Internal;
}

/// All that a function is beside its name and its body.
DictionaryAttr attributesOf(FunctionOpInterface fn) {
  NamedAttrList attributes(fn->getAttrDictionary());
  attributes.erase(SymbolTable::getSymbolAttrName());
  return attributes.getDictionary(fn->getContext());
}

/// Functions in the order of their calls, so that those that call equal ones are equal.
class Merger {
public:
  explicit Merger(ModuleOp module) : module(module) {
    for (auto fn : module.getOps<FunctionOpInterface>()) byName[fn.getName()] = fn;
  }

  int64_t run() {
    for (auto fn : module.getOps<FunctionOpInterface>()) visit(fn);
    for (FunctionOpInterface fn : merged) fn.erase();
    return int64_t(merged.size());
  }

private:
  ModuleOp module;
  llvm::StringMap<FunctionOpInterface> byName;
  DenseMap<Operation *, FlatSymbolRefAttr> kept; // what stands for a function that was visited
  DenseMap<llvm::hash_code, SmallVector<FunctionOpInterface, 1>> byHash;
  SmallVector<FunctionOpInterface> merged;

  FlatSymbolRefAttr visit(FlatSymbolRefAttr name) {
    FunctionOpInterface fn = byName.lookup(name.getValue());
    return fn ? visit(fn) : name;
  }

  FlatSymbolRefAttr visit(FunctionOpInterface fn) {
    if (auto known = kept.lookup(fn)) return known;
    fn.getFunctionBody().walk([&](Operation *op) { renameIn(op); });
    return kept[fn] = FlatSymbolRefAttr::get(equalOf(fn).getNameAttr());
  }

  void renameIn(Operation *op) {
    if (!isa<SymbolUserOpInterface>(op)) return; // of all others the list of attributes would be built
    for (NamedAttribute a : op->getAttrs())
      if (auto name = dyn_cast<FlatSymbolRefAttr>(a.getValue()))
        if (auto other = visit(name); other != name) op->setAttr(a.getName(), other);
  }

  /// The function itself, where there is none before it.
  FunctionOpInterface equalOf(FunctionOpInterface fn) {
    if (fn.isExternal() || !isInternal(fn)) return fn;
    Region &body = fn.getFunctionBody();
    auto &candidates = byHash[llvm::hash_combine(fn.getFunctionType(), attributesOf(fn), hashOf(body))];
    for (FunctionOpInterface other : candidates)
      if (fn->getName() == other->getName() && attributesOf(fn) == attributesOf(other) &&
          OperationEquivalence::isRegionEquivalentTo(&body, &other.getFunctionBody(), OperationEquivalence::IgnoreLocations)) {
        merged.push_back(fn);
        return other;
      }
    candidates.push_back(fn);
    return fn;
  }
};

} // namespace

llvm::hash_code hashOf(Region &body) {
  llvm::hash_code hash = 0;
  DenseMap<Value, size_t> numbers;
  auto define = [&](Value v) {
    numbers.try_emplace(v, numbers.size());
    hash = llvm::hash_combine(hash, v.getType());
  };
  llvm::for_each(body.getArguments(), define);
  body.walk<WalkOrder::PreOrder>([&](Operation *op) {
    hash = llvm::hash_combine(hash, op->getName(), op->getRawDictionaryAttrs(), op->hashProperties());
    for (Value v : op->getOperands()) hash = llvm::hash_combine(hash, numbers.lookup(v));
    llvm::for_each(op->getResults(), define);
    for (Region &region : op->getRegions())
      for (Block &block : region) llvm::for_each(block.getArguments(), define);
  });
  return hash;
}

int64_t mergeEqual(ModuleOp module) { return Merger(module).run(); }

} // namespace kiln::cpu
