// What the CPU decides about the loops of a kernel: a function of its operations, how its arrays lie and the processor. Emitters read the
// schedule and decide nothing.
#pragma once

#include "codegen/cpu/Layout.h"
#include "codegen/cpu/Target.h"
#include "dialects/kiln/Schedule.h"

namespace kiln::cpu {

/// Elements that one task computes at the least, in units of a cheap operation: 10 to 20 microseconds.
inline constexpr int64_t kTaskWork = 32768;
/// What an element of a sort and of a scan costs in such units.
inline constexpr int64_t kSortWork = 32, kScanWork = 4;

/// The schedule of a kernel; null for one of a kind that has none, as it calls a routine of the library or bodies, which decide for
/// themselves.
ir::ScheduleAttr scheduleOf(ir::KernelOp kernel, const KernelLayout &layout, const Target &target);
/// Whether a schedule that fits the kernel (ScheduleAttr::verifyFor) can be emitted for these layouts; a diagnostic where not.
llvm::LogicalResult checkSchedule(ir::KernelOp kernel, const KernelLayout &layout);

/// The operation that gives a kernel its kind.
mlir::Operation *mainOp(ir::KernelOp kernel);
/// The number of the result that holds the main operation's, at least on the way to its own.
size_t mainResult(ir::KernelOp kernel);
/// The loops that the reductions of a kernel run in, one after the other, and what each keeps for the next.
llvm::SmallVector<ir::StageAttr> stagesOf(ir::KernelOp kernel, const KernelLayout &layout);
/// The shape that the reductions of a kernel run over, and their axis.
std::pair<llvm::SmallVector<Extent, 4>, size_t> spaceOf(ir::KernelOp kernel);
/// What one element costs, in cheap operations.
int64_t elementCost(ir::KernelOp kernel);
/// A power of two of at least `n`, at most `limit`.
int64_t lanesFor(Extent n, int64_t limit);

/// A kernel under scheduling.
struct Planner {
  mutable ir::KernelOp kernel; // a handle, whose methods are not const
  const KernelLayout &layout;
  const Target &target;
  int64_t lanes; // that suit the dtypes and accesses of the kernel
  Extent cost;   // of an element

  Planner(ir::KernelOp kernel, const KernelLayout &layout, const Target &target);
  mlir::MLIRContext *context() const { return kernel.getContext(); }
  mlir::ValueRange yielded() const { return kernel.getBody().front().getTerminator()->getOperands(); }
  bool hasEpilogue() const { return yielded().size() > 1 || yielded()[0] != mainOp(kernel)->getResult(0); }
  int64_t epilogueLanes() const { return hasEpilogue() ? lanes : 0; }
  llvm::SmallVector<int64_t> streams() const;
};

/// The axis whose iterations threads share, -1 for none, and how many of them a task takes at the least.
struct Sharing {
  int64_t axis = -1, grain = 1;
  /// That of the loop along an axis; none: it is not shared.
  std::optional<int64_t> along(int64_t other) const { return other == axis ? std::optional(grain) : std::nullopt; }
};
/// The grain of a loop of `count` iterations that cost `work` each; none where there is not enough to share, as far as one can know.
std::optional<int64_t> grainOf(Extent count, Extent work);
/// Loops over `shape` but the axes in `skip`: the outermost of enough iterations is shared; `work` is that of one iteration of all of them.
Sharing shareOuter(llvm::ArrayRef<Extent> shape, llvm::ArrayRef<int64_t> skip, Extent work);
/// A loop over parts of `step` elements along `axis`; `work` is that of an element.
Sharing shareLoop(int64_t axis, Extent size, int64_t step, Extent work);
/// The same over vectors, of which the last one, where it is masked, stands behind the loop.
Sharing shareVectors(int64_t axis, Extent size, int64_t lanes, Extent work);
/// Whether the loops over `shape` without the axes in `skip` have enough iterations to share, as far as one can know.
bool hasOuterLoop(llvm::ArrayRef<Extent> shape, llvm::ArrayRef<int64_t> skip);

/// Whether every array is read and written in the order of memory alone, so that the axes are one.
bool isFlat(ir::KernelOp kernel, const KernelLayout &layout);
/// Loops that store `values` at all positions of `shape`.
ir::NestAttr nestOf(const Planner &p, llvm::ArrayRef<Extent> shape, mlir::ValueRange values);
ir::ScheduleAttr scheduleNest(const Planner &p);
ir::ScheduleAttr scheduleReduction(const Planner &p);
ir::ScheduleAttr scheduleContraction(const Planner &p);
ir::ScheduleAttr scheduleConvolution(const Planner &p);

/// What tiles of two products have alike that one function computes.
struct TileForm {
  DType dtype;
  int64_t rows, parts, lanes; // of the result, `parts` vectors a row
  bool prefetches;            // the rows of the result behind these
  bool continues;             // from what the result holds, where there have been steps before
  auto operator<=>(const TileForm &) const = default;
};
TileForm tileFormOf(ir::KernelOp kernel, ir::ProductAttr schedule);
/// Of kernels that may share the code of their tiles those that no other has tiles like: each keeps it to itself.
void dropLoneShared(llvm::ArrayRef<ir::KernelOp> kernels);
llvm::LogicalResult checkContraction(ir::KernelOp kernel, const KernelLayout &layout);
llvm::LogicalResult checkConvolution(ir::KernelOp kernel, const KernelLayout &layout);
/// A diagnostic at a kernel whose schedule cannot be emitted.
mlir::InFlightDiagnostic refuse(ir::KernelOp kernel, llvm::StringRef field);

} // namespace kiln::cpu
