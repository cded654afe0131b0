// Schedules that nobody would write, for tests: whatever is legal must give the same bits.
#include "codegen/cpu/RandomSchedule.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;

namespace kiln::cpu {
namespace {

class Draw {
public:
  Draw(ir::KernelOp kernel, const KernelLayout &layout, const Target &target, std::mt19937_64 &random)
      : kernel(kernel), layout(layout), random(random), likely(scheduleOf(kernel, layout, target)), context(kernel.getContext()) {}

  ir::ScheduleAttr schedule() {
    return TypeSwitch<Attribute, ir::ScheduleAttr>(likely)
        .Case([&](ir::NestAttr) { return nest(rankOf(kernel.getResult(0)), chance(3), numbers(kernel.getNumResults()), 256 * chance(3)); })
        .Case([&](ir::RowsAttr rows) {
          auto [space, axis] = spaceOf(kernel);
          return ir::RowsAttr::get(context, stages(rows.getStages(), true), powerOfTwo(1, 256), below(int64_t(axis) + 1) - 1, grain(),
                                   numbers(kernel.getNumResults()), hasCount() && chance(2), 64 * below(3));
        })
        .Case([&](ir::ColumnsAttr columns) { return this->columns(columns); })
        .Case<ir::ProductAttr, ir::RankUpdateAttr>([&](auto) { return product(); })
        .Case<ir::ConvolutionAttr, ir::WindowAttr>([&](auto) { return convolution(); })
        .Case([&](ir::AssembleAttr assemble) {
          SmallVector<ir::NestAttr> parts;
          for (size_t i = 0; i < assemble.getParts().size(); ++i) parts.push_back(nest(rankOf(kernel.getResult(0)), false, {}));
          return ir::AssembleAttr::get(context, parts);
        })
        .Case(
            [&](ir::ScatterAttr) { return ir::ScatterAttr::get(context, nest(rankOf(kernel.getResult(0)), false, {}), powerOfTwo(1, 32)); })
        .Case([&](ir::ScanAttr) {
          return ir::ScanAttr::get(context, powerOfTwo(1, 32), below(rankOf(kernel.getResult(0)) + 1) - 1, grain());
        })
        .Case([&](ir::SortAttr) { return ir::SortAttr::get(context, below(rankOf(kernel.getResult(0)) + 1) - 1, grain()); })
        .Case([&](ir::CompactAttr) { return ir::CompactAttr::get(context, powerOfTwo(8, 64), chance(2)); });
  }

private:
  ir::KernelOp kernel;
  const KernelLayout &layout;
  std::mt19937_64 &random;
  ir::ScheduleAttr likely;
  MLIRContext *context;

  int64_t below(int64_t n) { return int64_t(random() % uint64_t(n)); }
  bool chance(int64_t oneIn) { return below(oneIn) == 0; }
  int64_t powerOfTwo(int64_t least, int64_t most) { return least << below(llvm::Log2_64(uint64_t(most / least)) + 1); }
  int64_t grain() { return chance(4) ? ir::kOpenGrain : 1 + below(3); }
  bool hasCount() {
    return llvm::any_of(kernel.getBody().front(), [](Operation &op) { return ir::isCount(&op); });
  }
  static int64_t rankOf(Value v) { return ir::typeOf(v).shape.rank; }
  SmallVector<int64_t> numbers(int64_t count) {
    SmallVector<int64_t> some;
    for (int64_t i = 0; i < count; ++i)
      if (chance(3)) some.push_back(i);
    return some;
  }

  ir::NestAttr nest(int64_t rank, bool collapse, ArrayRef<int64_t> stream, int64_t registers = 0) {
    int64_t lanes = rank ? powerOfTwo(1, 32) : 1, parallel = below(collapse ? 2 : rank + 1) - 1, form = below(3);
    if (!collapse && rank > 1 && form == 1)
      return ir::NestAttr::get(context, lanes, false, powerOfTwo(2, 8), -1, 0, parallel, grain(), stream, registers, false);
    if (!collapse && rank > 1 && form == 2) {
      lanes = powerOfTwo(2, 16);
      return ir::NestAttr::get(context, lanes, false, 1, below(rank - 1), lanes * powerOfTwo(1, 64), std::min(parallel, rank - 2), grain(),
                               stream, registers, false);
    }
    return ir::NestAttr::get(context, lanes, collapse, 1, -1, 0, parallel, grain(), stream, registers, !collapse && rank && chance(3));
  }

  /// Other loops for the same reductions, and other values kept.
  SmallVector<ir::StageAttr> stages(ArrayRef<ir::StageAttr> given, bool isRow) {
    SmallVector<ir::StageAttr> result;
    int64_t ops = int64_t(llvm::range_size(kernel.getBody().front())) - 1;
    SmallVector<int64_t> used; // kept already
    for (ir::StageAttr stage : given) {
      SmallVector<int64_t> keep;
      for (int64_t i = 0; isRow && i < ops; ++i)
        if (chance(4) && !llvm::is_contained(used, i)) keep.push_back(i), used.push_back(i);
      bool isSplit = chance(2);
      if (!isSplit) result.push_back(ir::StageAttr::get(context, stage.getReduce(), keep));
      for (int64_t number : stage.getReduce())
        if (isSplit) result.push_back(ir::StageAttr::get(context, {number}, std::exchange(keep, {})));
    }
    return result;
  }

  ir::ScheduleAttr columns(ir::ColumnsAttr given) {
    int64_t lanes = powerOfTwo(1, 32), wide = chance(2) ? 0 : lanes * powerOfTwo(2, 8);
    return ir::ColumnsAttr::get(context, stages(given.getStages(), false), lanes, wide, below(12), chance(2) ? 0 : 64 << below(3),
                                powerOfTwo(1, 16), below(int64_t(spaceOf(kernel).first.size()) + 1) - 1, grain(),
                                numbers(kernel.getNumResults()));
  }

  int64_t epilogue() { return Planner(kernel, layout, {}).hasEpilogue() ? powerOfTwo(1, 32) : 0; }

  ir::ScheduleAttr product() {
    int64_t fold = below(std::max<int64_t>(rankOf(mainOp(kernel)->getResult(0)) - 1, 1)), lanes = powerOfTwo(2, 32);
    if (chance(3)) return ir::RankUpdateAttr::get(context, 1 + below(16), lanes, fold, epilogue());
    int64_t rows = 1 + below(12), columns = lanes * (1 + below(3));
    return ir::ProductAttr::get(context, {rows, columns}, lanes, powerOfTwo(1, 8),
                                {rows * (1 + below(4)), columns * (1 + below(4)), 1 + below(20)}, ir::Packing(below(4)), fold,
                                !fold && ir::isOfItself(cast<ir::DotGeneralOp>(mainOp(kernel))) && chance(2), chance(2), chance(2),
                                ir::ProductLoop(below(3)), grain(), epilogue(), 8 * below(3), chance(3), chance(2));
  }

  ir::ScheduleAttr convolution() {
    int64_t lanes = powerOfTwo(2, 32);
    if (chance(3)) return ir::WindowAttr::get(context, lanes, below(rankOf(kernel.getResult(0))) - 1, grain());
    return ir::ConvolutionAttr::get(context, {1 + below(12), lanes * (1 + below(3))}, lanes, chance(2), chance(2), ir::WindowLoop(below(3)),
                                    grain(), epilogue());
  }
};

} // namespace

ir::ScheduleAttr randomSchedule(ir::KernelOp kernel, const KernelLayout &layout, const Target &target, std::mt19937_64 &random) {
  constexpr int kAttempts = 20;
  ir::ScheduleAttr likely = scheduleOf(kernel, layout, target), drawn;
  ScopedDiagnosticHandler silent(kernel.getContext(), [](Diagnostic &) { return success(); });
  for (int i = 0; likely && i < kAttempts; ++i) {
    drawn = Draw(kernel, layout, target, random).schedule();
    kernel.setScheduleAttr(drawn);
    bool isLegal = succeeded(drawn.verifyFor(kernel)) && succeeded(checkSchedule(kernel, layout));
    kernel.removeScheduleAttr();
    if (isLegal) return drawn;
  }
  return likely;
}

} // namespace kiln::cpu
