// Large modules in parts, so that code generation takes memory for a part at a time and can be ended between them.
#include "codegen/cpu/Native.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// A function of one part is seen by the others, but not outside the shared object. Of those that only their own part calls nothing is
/// left where LLVM puts them into their callers.
void showToParts(LLVM::LLVMFuncOp fn) {
  if (fn.getLinkage() != LLVM::Linkage::Internal) return;
  fn.setLinkage(LLVM::Linkage::External);
  fn.setVisibility_(LLVM::Visibility::Hidden);
}

/// Whether LLVM puts a function into those that call it, which stand behind it.
bool isInlined(LLVM::LLVMFuncOp fn) {
  auto attributes = fn.getPassthrough();
  return fn.getAlwaysInline() || (attributes && llvm::is_contained(*attributes, StringAttr::get(fn.getContext(), "alwaysinline")));
}

/// A function without its body.
Operation *declare(OpBuilder &b, LLVM::LLVMFuncOp fn) {
  Operation *copy = fn->cloneWithoutRegions();
  b.insert(copy);
  return copy;
}

} // namespace

SmallVector<OwningOpRef<ModuleOp>> splitModule(ModuleOp module, size_t functions) {
  SmallVector<LLVM::LLVMFuncOp> defined;
  llvm::StringMap<Operation *> symbols;
  for (Operation &op : *module.getBody()) {
    if (auto fn = dyn_cast<LLVM::LLVMFuncOp>(op); fn && !fn.isExternal()) defined.push_back(fn);
    if (auto symbol = dyn_cast<SymbolOpInterface>(op)) symbols[symbol.getName()] = &op;
  }
  SmallVector<OwningOpRef<ModuleOp>> parts;
  if (size_t(llvm::count_if(defined, [](LLVM::LLVMFuncOp fn) { return !isInlined(fn); })) <= functions) return parts;
  size_t left = 0; // of the part under way
  for (LLVM::LLVMFuncOp fn : defined) {
    if (!left) {
      parts.push_back(ModuleOp::create(module.getLoc()));
      (*parts.back())->setAttrs(module->getAttrs());
      left = functions;
    }
    fn->moveBefore(parts.back()->getBody(), parts.back()->getBody()->end());
    left -= !isInlined(fn);
  }
  for (OwningOpRef<ModuleOp> &part : parts) {
    OpBuilder b = OpBuilder::atBlockBegin(part->getBody());
    llvm::StringSet<> known;
    for (auto fn : part->getOps<LLVM::LLVMFuncOp>()) known.insert(fn.getName());
    SmallVector<StringRef> used;
    part->walk([&](SymbolUserOpInterface op) {
      for (NamedAttribute a : op->getAttrs())
        if (auto name = dyn_cast<FlatSymbolRefAttr>(a.getValue()); name && known.insert(name.getValue()).second)
          used.push_back(name.getValue());
    });
    for (StringRef name : used) {
      Operation *symbol = symbols.lookup(name);
      if (auto fn = dyn_cast<LLVM::LLVMFuncOp>(symbol)) showToParts(fn), declare(b, fn);
      else b.clone(*symbol); // a constant of the module: each part has its own
    }
  }
  // What is for outside goes with the first part.
  for (auto global : llvm::make_early_inc_range(module.getOps<LLVM::GlobalOp>()))
    if (global.getLinkage() == LLVM::Linkage::External) global->moveBefore(parts[0]->getBody(), parts[0]->getBody()->end());
  return parts;
}

} // namespace kiln::cpu
