// The launch plan of an emitted module, read off its programs.
#include "codegen/nvptx/Control.h"
#include "codegen/nvptx/Custom.h"
#include "codegen/nvptx/Emit.h"
#include "codegen/nvptx/PlanNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace kiln::nvptx {

using cpu::Index;

PlanNumber PlanNumbers::ofValue(Value v) const {
  APInt constant;
  if (matchPattern(v, m_ConstantInt(&constant))) return constant.getSExtValue();
  if (auto argument = dyn_cast<BlockArgument>(v)) return PlanNumber::size(int64_t(argument.getArgNumber()) - first);
  Operation *op = v.getDefiningOp();
  if (auto cast = dyn_cast<arith::IndexCastUIOp>(op)) return ofValue(cast.getIn());
  PlanNumber x = ofValue(op->getOperand(0)), y = ofValue(op->getOperand(1));
  return llvm::TypeSwitch<Operation *, PlanNumber>(op)
      .Case([&](arith::AddIOp) { return x + y; })
      .Case([&](arith::SubIOp) { return x + y * -1; })
      .Case([&](arith::MulIOp) { return x * y; })
      .Case([&](arith::DivUIOp) { return x / y; })
      .Case([&](arith::MinSIOp) { return PlanNumber::least(x, y); })
      .Case([&](arith::MaxSIOp) { return PlanNumber::greatest(x, y); });
}

Attribute extentAttribute(OpBuilder &b, const PlanNumber &low, const PlanNumber &high) {
  if (low.isConstant() && high.isConstant()) return b.getDenseI64ArrayAttr({low.constant(), high.constant()});
  return b.getStrArrayAttr({low.text(), high.text()});
}

namespace {

/// What a plan says of a program.
class ProgramReader {
public:
  ProgramReader(func::FuncOp fn, SymbolTableCollection &symbols, const llvm::StringMap<int64_t> &bodies)
      : fn(fn), symbols(symbols), bodies(bodies), inputs(fn->getAttrOfType<IntegerAttr>(kInputs).getInt()), sizes(sizesOf(fn)),
        arrays(int64_t(fn.getNumArguments()) - 2 - sizes), numbers(&fn.getBody().front(), sizes) {}

  LaunchPlan::Program run() {
    LaunchPlan::Program program;
    program.name = fn.getName().str(), program.inputs = inputs, program.outputs = arrays - inputs, program.sizes = sizes;
    if (sizes) program.workspaceBytes = numbers.of(Index(fn.getBody().front().getTerminator()->getOperand(0)));
    else program.workspaceBytes = fn->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes).getInt();
    program.canFail = fn->getAttrOfType<BoolAttr>(kCanFail).getValue();
    if (auto inPlace = fn->getAttrOfType<DenseI64ArrayAttr>(ir::kInPlace))
      program.inPlace.assign(inPlace.asArrayRef().begin(), inPlace.asArrayRef().end());
    Builder b(fn.getContext());
    auto ofBytes = [&](Value pointer, int64_t bytes) { return argumentOf(pointer, b.getDenseI64ArrayAttr({0, bytes})); };
    for (Operation &op : fn.getBody().front()) {
      if (auto launched = dyn_cast<gpu::LaunchFuncOp>(op)) {
        program.launches.push_back(launchOf(launched));
      } else if (auto step = stepOf(op, ofBytes, bodies)) {
        step->at = int64_t(program.launches.size());
        program.steps.push_back(*step);
      }
    }
    return program;
  }

private:
  func::FuncOp fn;
  SymbolTableCollection &symbols;
  const llvm::StringMap<int64_t> &bodies;
  int64_t inputs, sizes, arrays;
  PlanNumbers numbers;

  static int64_t sizesOf(func::FuncOp fn) {
    auto sizes = fn->getAttrOfType<IntegerAttr>(kSizes);
    return sizes ? sizes.getInt() : 0;
  }

  LaunchPlan::Launch launchOf(gpu::LaunchFuncOp op) {
    if (isa<gpu::BinaryOp>(symbols.lookupSymbolIn(fn->getParentOp(), op.getKernelModuleName())))
      return opLaunchOf(op, numbers, [&](Value pointer, Attribute extent) { return argumentOf(pointer, extent); });
    Operation *kernel = symbols.lookupSymbolIn(fn->getParentOp(), op.getKernel());
    auto shared = kernel->getAttrOfType<IntegerAttr>(kSharedBytes);
    LaunchPlan::Launch launch{op.getKernelName().str(),
                              numbers.of(Index(op.getGridSizeX())),
                              numbers.of(Index(op.getBlockSizeX())).constant(),
                              shared ? shared.getInt() : 0,
                              {}};
    auto extents = kernel->getAttrOfType<ArrayAttr>(kExtents);
    for (auto [i, value] : llvm::enumerate(op.getKernelOperands()))
      launch.arguments.push_back(i < extents.size() ? argumentOf(value, extents[i]) : sizeOf(value));
    return launch;
  }

  LaunchPlan::Argument sizeOf(Value value) {
    return {LaunchPlan::Memory::Size, int64_t(cast<BlockArgument>(value).getArgNumber()) - arrays - 2, 0, 0};
  }

  /// Where a pointer that a program hands to a kernel comes from.
  LaunchPlan::Argument argumentOf(Value value, Attribute extent) {
    using Memory = LaunchPlan::Memory;
    PlanNumber offset;
    if (auto address = value.getDefiningOp<LLVM::GEPOp>()) {
      offset = numbers.of(Index(address.getDynamicIndices().front()));
      value = address.getBase();
    }
    int64_t number = int64_t(cast<BlockArgument>(value).getArgNumber());
    LaunchPlan::Argument argument{Memory::Input, number, 0, 0};
    if (number == arrays + 1) argument.memory = Memory::Status, argument.number = 0;
    else if (number == arrays) argument.memory = Memory::Workspace, argument.number = offset;
    else if (number >= inputs) argument.memory = Memory::Output, argument.number = number - inputs;
    if (auto known = dyn_cast<DenseI64ArrayAttr>(extent)) {
      argument.low = known[0], argument.high = known[1];
    } else {
      auto text = [&](unsigned i) { return *PlanNumber::parse(cast<StringAttr>(cast<ArrayAttr>(extent)[i]).str(), sizes); };
      argument.low = text(0), argument.high = text(1);
    }
    return argument;
  }
};

} // namespace

LaunchPlan planOf(ModuleOp module) {
  LaunchPlan plan;
  SymbolTableCollection symbols;
  llvm::StringMap<int64_t> bodies;
  for (auto fn : module.getOps<func::FuncOp>())
    if (fn.isPrivate() && !fn.isDeclaration()) bodies.insert({fn.getName(), int64_t(bodies.size())});
  for (auto fn : module.getOps<func::FuncOp>())
    if (!fn.isDeclaration()) (fn.isPrivate() ? plan.bodies : plan.programs).push_back(ProgramReader(fn, symbols, bodies).run());
  return plan;
}

} // namespace kiln::nvptx
