// Constants of LLVM IR, as the tables of a library consist of them.
#pragma once

#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"

namespace kiln::library {

/// Constants of a module. A record is a struct, a list the address of an array.
class Constants {
public:
  explicit Constants(llvm::Module &module) : module(module), context(module.getContext()) {}
  llvm::Constant *number(int64_t n) { return llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), uint64_t(n), /*IsSigned=*/true); }
  llvm::Constant *none() { return llvm::ConstantPointerNull::get(pointer()); }
  llvm::PointerType *pointer() { return llvm::PointerType::getUnqual(context); }
  llvm::Constant *record(llvm::ArrayRef<llvm::Constant *> fields) { return llvm::ConstantStruct::getAnon(fields); }
  llvm::Constant *text(llvm::StringRef text) { return place(llvm::ConstantDataArray::getString(context, text), llvm::Align(1)); }
  llvm::Constant *bytes(llvm::ArrayRef<uint8_t> bytes) { return place(llvm::ConstantDataArray::get(context, bytes), llvm::Align(64)); }
  llvm::Constant *numbers(llvm::ArrayRef<int64_t> list) {
    return list.empty()
               ? none()
               : place(llvm::ConstantDataArray::get(context, llvm::ArrayRef(reinterpret_cast<const uint64_t *>(list.data()), list.size())),
                       llvm::Align(8));
  }
  llvm::Constant *list(llvm::ArrayRef<llvm::Constant *> records) {
    return records.empty()
               ? none()
               : place(llvm::ConstantArray::get(llvm::ArrayType::get(records[0]->getType(), records.size()), records), llvm::Align(8));
  }
  /// Of the type that it is called with, which some machines compare.
  llvm::Constant *function(const std::string &name, llvm::Type *result, llvm::ArrayRef<llvm::Type *> types) {
    return name.empty()
               ? none()
               : llvm::cast<llvm::Constant>(module.getOrInsertFunction(name, llvm::FunctionType::get(result, types, false)).getCallee());
  }
  llvm::Constant *code(const std::string &name) {
    return function(name, llvm::Type::getInt32Ty(context), llvm::SmallVector<llvm::Type *, 4>(4, pointer()));
  }
  llvm::Constant *workspace(const std::string &name) { return function(name, llvm::Type::getInt64Ty(context), {pointer()}); }
  llvm::GlobalVariable *place(llvm::Constant *value, llvm::Align align) {
    auto global = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true, llvm::GlobalValue::PrivateLinkage, value);
    global->setAlignment(align);
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return global;
  }

private:
  llvm::Module &module;
  llvm::LLVMContext &context;
};

} // namespace kiln::library
