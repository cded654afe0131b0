#include "codegen/cpu/InstructionSet.h"

#include "llvm/Analysis/VectorUtils.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"

#include <numeric>

using namespace llvm;

namespace kiln::cpu {

static bool owns(const Triple &triple) { return triple.getArch() == Triple::wasm32; }

static void initialize() {
  LLVMInitializeWebAssemblyTargetInfo();
  LLVMInitializeWebAssemblyTarget();
  LLVMInitializeWebAssemblyTargetMC();
  LLVMInitializeWebAssemblyAsmPrinter();
  LLVMInitializeWebAssemblyAsmParser();
}

/// Registers of 16 bytes; engines have as many of them as the machine below. A fused multiply-add is there in no form that is the same
/// everywhere.
static Target describe(const TargetMachine &) {
  Target target;
  target.unfused = {4, 8};
  return target;
}

static codegen::MachineName host() { return {}; }

//===-- vectors wider than registers ---------------------------------------------------------------------------------===//

static bool isMask(const Type *type) { return type->isVectorTy() && type->getScalarType()->isIntegerTy(1); }

/// Those that LLVM's own pass leaves whole: elements of several widths, masks, and fences.
static bool isLeftWhole(const Instruction &i) {
  if (auto call = dyn_cast<IntrinsicInst>(&i)) return call->getIntrinsicID() == Intrinsic::arithmetic_fence;
  if (isa<CastInst>(i)) return !isa<BitCastInst>(i);
  return isa<CmpInst>(i) || (isa<SelectInst>(i) && isMask(i.getOperand(0)->getType())) || (isa<BinaryOperator>(i) && isMask(i.getType()));
}

/// Lanes of a register of what an instruction works on; 0 where it fits into one, or is of another kind.
static unsigned lanesOf(const Instruction &i) {
  constexpr unsigned kRegister = 128, kLeast = 32;
  auto type = dyn_cast<FixedVectorType>(i.getType());
  if (!type || !isLeftWhole(i)) return 0;
  unsigned bits = kLeast;
  for (const Type *t : {i.getType(), i.getOperand(0)->getType(), i.getOperand(i.getNumOperands() > 1)->getType()})
    bits = std::max(bits, t->getScalarSizeInBits());
  unsigned lanes = kRegister / std::min(bits, kRegister);
  return lanes < type->getNumElements() ? lanes : 0;
}

/// The instruction on some lanes of its operands.
static Value *part(IRBuilder<> &b, Instruction &i, ArrayRef<int> lanes) {
  SmallVector<Value *> operands;
  for (Value *v : i.operands()) operands.push_back(v->getType()->isVectorTy() ? b.CreateShuffleVector(v, lanes) : v);
  if (auto compare = dyn_cast<CmpInst>(&i)) return b.CreateCmp(compare->getPredicate(), operands[0], operands[1]);
  if (isa<SelectInst>(i)) return b.CreateSelect(operands[0], operands[1], operands[2]);
  if (auto binary = dyn_cast<BinaryOperator>(&i)) return b.CreateBinOp(binary->getOpcode(), operands[0], operands[1]);
  auto type = FixedVectorType::get(i.getType()->getScalarType(), unsigned(lanes.size()));
  if (auto cast = dyn_cast<CastInst>(&i)) return b.CreateCast(cast->getOpcode(), operands[0], type);
  return b.CreateIntrinsic(Intrinsic::arithmetic_fence, {type}, {operands[0]});
}

static bool hasHalves(const Module &module) {
  auto isHalves = [](const Type *type) { return type->isVectorTy() && type->getScalarType()->isHalfTy(); };
  for (const Function &f : module)
    for (const Instruction &i : instructions(f))
      if (isHalves(i.getType()) || any_of(i.operands(), [&](const Use &u) { return isHalves(u->getType()); })) return true;
  return false;
}

/// LLVM 22 has no instructions for comparisons whose operands are wider than a register, and its own pass that cuts vectors to registers
/// (which runs next) leaves some operations whole. Vectors of halves, for which it takes minutes, become scalars.
static const char *legalize(Module &module, const TargetMachine &) {
  if (hasHalves(module)) return "function(scalarizer<load-store;variable-insert-extract>,instcombine<no-verify-fixpoint>)";
  for (Function &f : module)
    for (Instruction &i : make_early_inc_range(instructions(f))) {
      unsigned width = lanesOf(i), all = width ? cast<FixedVectorType>(i.getType())->getNumElements() : 0;
      if (!width) continue;
      IRBuilder<> b(&i);
      SmallVector<Value *> parts;
      for (unsigned from = 0; from < all; from += width) {
        SmallVector<int> lanes(std::min(width, all - from));
        std::iota(lanes.begin(), lanes.end(), int(from));
        parts.push_back(part(b, i, lanes));
      }
      i.replaceAllUsesWith(concatenateVectors(b, parts));
      i.eraseFromParent();
    }
  return "function(scalarizer<load-store;min-bits=128>,instcombine<no-verify-fixpoint>)";
}

const InstructionSet kWasm = {"WebAssembly", owns, initialize, "", describe, nullptr, host, {}, kWasmLibrary, Reloc::Static, legalize};

} // namespace kiln::cpu
