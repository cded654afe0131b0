// The passes of the CPU target: emission, and one combined conversion to the LLVM dialect.
#include "codegen/cpu/Passes.h"

#include "codegen/cpu/EmitCpu.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Transforms/DialectConversion.h"

namespace kiln {
#define GEN_PASS_DEF_SCHEDULE
#define GEN_PASS_DEF_EMITCPU
#define GEN_PASS_DEF_LOWERTOLLVM
#include "kiln/CpuPasses.h.inc"
} // namespace kiln

using namespace mlir;

namespace kiln {
namespace {

struct Schedule : impl::ScheduleBase<Schedule> {
  using ScheduleBase::ScheduleBase;
  void runOnOperation() override {
    if (failed(cpu::scheduleCpu(getOperation(), seed))) signalPassFailure();
  }
};

struct EmitCpu : impl::EmitCpuBase<EmitCpu> {
  void runOnOperation() override {
    if (failed(cpu::emitCpu(getOperation()))) signalPassFailure();
  }
};

struct LowerToLlvm : impl::LowerToLlvmBase<LowerToLlvm> {
  /// The patterns are the same for any number of modules.
  LogicalResult initialize(MLIRContext *context) override {
    types = std::make_shared<LLVMTypeConverter>(context, LowerToLLVMOptions(context));
    RewritePatternSet all(context);
    populateSCFToControlFlowConversionPatterns(all);
    arith::populateArithToLLVMConversionPatterns(*types, all);
    populateMathToLLVMConversionPatterns(*types, all);
    populateVectorToLLVMConversionPatterns(*types, all);
    cf::populateControlFlowToLLVMConversionPatterns(*types, all);
    populateFuncToLLVMConversionPatterns(*types, all);
    patterns = std::move(all);
    return success();
  }

  void runOnOperation() override {
    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp>();
    ConversionConfig config; // upstream's patterns never take back what they did, and LLVM folds
    config.allowPatternRollback = false, config.foldingMode = DialectConversionFoldingMode::Never;
    if (failed(applyFullConversion(getOperation(), target, patterns, config))) signalPassFailure();
  }

private:
  std::shared_ptr<LLVMTypeConverter> types; // that the patterns refer to
  FrozenRewritePatternSet patterns;
};

} // namespace
} // namespace kiln
