// Ops that the process registered, in the dialect.
#include "dialects/kiln/Words.h"

#include "lib/Core/Infer.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace kiln::ir {

LogicalResult CustomOp::verify() {
  for (Value v : llvm::concat<Value>(SmallVector<Value>(getInputs()), SmallVector<Value>(getOutputs())))
    if (cast<RankedTensorType>(v.getType()).getRank() > kMaxRank)
      return emitOpError() << "rank: expected at most " << kMaxRank << ", got " << cast<RankedTensorType>(v.getType()).getRank();
  SmallVector<TensorType> operands, results;
  for (Value v : getInputs()) operands.push_back(typeOf(v));
  for (Value v : getOutputs()) results.push_back(typeOf(v));
  try {
    SmallVector<int64_t> words = wordsOf(*this);
    auto want = inferAll(kiln::Op::Custom, {operands.data(), operands.size()}, {words.data(), words.size()}, {}, kMostSymbols);
    if (want.size() != results.size()) return emitOpError() << "results: expected " << want.size() << ", got " << results.size();
    for (size_t i = 0; i < want.size(); ++i)
      if (!agrees(want[i], results[i]))
        return emitOpError() << "type of result " << i << ": expected " << toString(want[i]) << ", got " << toString(results[i]);
  } catch (const Error &error) { return emitOpError() << error.what(); }
  return success();
}

} // namespace kiln::ir
