// LLVM 22 orders zeros and passes nans on in six instructions. One of AVX-512DQ (vrangeps) orders zeros, and gives the other operand where
// one is a quiet nan, or a signaling one as a quiet one: three are enough.
#include "codegen/cpu/x86/Extremes.h"

#include "llvm/Analysis/VectorUtils.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/IR/ValueHandle.h"
#include "llvm/Transforms/Utils/Local.h"

#include <numeric>

using namespace llvm;
using namespace llvm::PatternMatch;

namespace kiln::cpu {
namespace {

constexpr unsigned kWhole = 512, kLeast = 128; // bits of a register, and of the least part

unsigned registerOf(const Instruction &i) { // that LLVM cuts the vectors of its function into
  return unsigned(i.getFunction()->getFnAttributeAsParsedInteger("min-legal-vector-width", kWhole));
}

Intrinsic::ID intrinsicOf(unsigned bits, bool isDouble) {
  switch (bits) {
  case 128: return isDouble ? Intrinsic::x86_avx512_mask_range_pd_128 : Intrinsic::x86_avx512_mask_range_ps_128;
  case 256: return isDouble ? Intrinsic::x86_avx512_mask_range_pd_256 : Intrinsic::x86_avx512_mask_range_ps_256;
  default: return isDouble ? Intrinsic::x86_avx512_mask_range_pd_512 : Intrinsic::x86_avx512_mask_range_ps_512;
  }
}

/// vrange of a register, or part of one.
Value *range(IRBuilder<> &b, Value *x, Value *y, bool isMaximum) {
  constexpr int kMinimum = 4, kMaximum = 5, kRoundingOfNow = 4; // with the sign of what is chosen
  auto type = cast<FixedVectorType>(x->getType());
  unsigned bits = unsigned(type->getPrimitiveSizeInBits()), lanes = std::max(type->getNumElements(), 8u);
  SmallVector<Value *> operands = {x, y, b.getInt32(isMaximum ? kMaximum : kMinimum), PoisonValue::get(type),
                                   ConstantInt::getAllOnesValue(b.getIntNTy(lanes))};
  if (bits == kWhole) operands.push_back(b.getInt32(kRoundingOfNow));
  return b.CreateIntrinsic(intrinsicOf(bits, type->getElementType()->isDoubleTy()), {}, operands);
}

/// The larger or smaller of two vectors.
struct Extreme {
  Instruction *result;
  WeakTrackingVH x, y; // which may be other extremes, and be replaced before
  bool isMaximum;
  bool ignoresNan; // gives the other operand for one
  bool hasNan = true;

  Value *of(IRBuilder<> &b, Value *a, Value *c) const {
    // A nan that is quiet is ignored already: what would come of a signaling one is left out.
    if (ignoresNan) {
      Value *quiet = range(b, a, a, isMaximum);
      return b.CreateSelect(b.CreateFCmpORD(c, c), range(b, quiet, c, isMaximum), quiet);
    }
    Value *isNan = hasNan ? b.CreateFCmpUNO(a, c) : nullptr; // first: then the result may take the place of an operand
    Value *extreme = range(b, a, c, isMaximum);
    return hasNan ? b.CreateSelect(isNan, ConstantFP::getNaN(a->getType()), extreme) : extreme;
  }

  /// Register by register.
  void replace() const {
    auto type = cast<FixedVectorType>(x->getType());
    unsigned all = type->getNumElements(), each = std::min(all, registerOf(*result) / type->getScalarSizeInBits());
    IRBuilder<> b(result);
    SmallVector<Value *> parts;
    for (unsigned from = 0; from < all; from += each) {
      SmallVector<int> lanes(each);
      std::iota(lanes.begin(), lanes.end(), int(from));
      auto part = [&](Value *v) { return each == all ? v : b.CreateShuffleVector(v, lanes); };
      parts.push_back(of(b, part(x), part(y)));
    }
    result->replaceAllUsesWith(concatenateVectors(b, parts));
    RecursivelyDeleteTriviallyDeadInstructions(result);
  }
};

/// Whole registers or parts of 16 bytes and more.
bool fits(Type *type) {
  auto vector = dyn_cast<FixedVectorType>(type);
  if (!vector || !(vector->getElementType()->isFloatTy() || vector->getElementType()->isDoubleTy())) return false;
  return isPowerOf2_32(vector->getNumElements()) && vector->getPrimitiveSizeInBits() >= kLeast;
}

/// The choice of `otherwise` where `x` is nan, of which `chosen` is the other value; null: it is used for something else, too.
Instruction *chosenUnlessNan(Value *chosen, Value *x, Value *otherwise) {
  if (!chosen->hasOneUse()) return nullptr;
  auto choice = cast<Instruction>(*chosen->user_begin());
  CmpPredicate predicate;
  auto isNan = m_FCmp(predicate, m_Specific(x), m_CombineOr(m_Specific(x), m_AnyZeroFP()));
  if (match(choice, m_Select(isNan, m_Specific(otherwise), m_Specific(chosen))) && predicate == CmpInst::FCMP_UNO) return choice;
  if (match(choice, m_Select(isNan, m_Specific(chosen), m_Specific(otherwise))) && predicate == CmpInst::FCMP_ORD) return choice;
  return nullptr;
}

std::optional<Extreme> extremeOf(Instruction &i) {
  auto call = dyn_cast<IntrinsicInst>(&i);
  if (!call || !fits(i.getType())) return std::nullopt;
  bool isMaximum = call->getIntrinsicID() == Intrinsic::maximum;
  if (!isMaximum && call->getIntrinsicID() != Intrinsic::minimum) return std::nullopt;
  Value *x = call->getArgOperand(0), *y = call->getArgOperand(1);
  // LLVM does better where it knows an operand, or does not have to order zeros.
  if (isa<Constant>(x) || isa<Constant>(y) || call->hasNoSignedZeros()) return std::nullopt;
  for (auto [a, b] : {std::pair(x, y), std::pair(y, x)})
    if (Instruction *inner = chosenUnlessNan(call, b, a))
      if (Instruction *outer = chosenUnlessNan(inner, a, b)) return Extreme{outer, a, b, isMaximum, true};
  return Extreme{call, x, y, isMaximum, false, !call->hasNoNaNs()};
}

} // namespace

void useRangeInstructions(Module &module) {
  SmallVector<Extreme> found;
  for (Function &f : module)
    for (Instruction &i : instructions(f))
      if (auto extreme = extremeOf(i)) found.push_back(*extreme);
  for (const Extreme &extreme : found) extreme.replace();
}

} // namespace kiln::cpu
