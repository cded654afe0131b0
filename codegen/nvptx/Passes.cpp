#include "codegen/nvptx/Passes.h"

#include "codegen/nvptx/Emit.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Transforms/DialectConversion.h"

namespace kiln {
#define GEN_PASS_DEF_SCHEDULENVPTX
#define GEN_PASS_DEF_EMITNVPTX
#define GEN_PASS_DEF_LOWERTONVVM
#include "kiln/NvptxPasses.h.inc"
} // namespace kiln

using namespace mlir;

namespace kiln {
namespace {

struct ScheduleNvptx : impl::ScheduleNvptxBase<ScheduleNvptx> {
  void runOnOperation() override {
    if (failed(nvptx::scheduleProgram(getOperation()))) signalPassFailure();
  }
};

struct EmitNvptx : impl::EmitNvptxBase<EmitNvptx> {
  void runOnOperation() override {
    if (failed(nvptx::emitPrograms(getOperation()))) signalPassFailure();
  }
};

struct LowerToNvvm : impl::LowerToNvvmBase<LowerToNvvm> {
  void runOnOperation() override {
    LLVMConversionTarget target(getContext());
    target.addLegalDialect<NVVM::NVVMDialect>();
    target.addLegalOp<gpu::GPUModuleOp>();
    target.addIllegalOp<NVVM::WgmmaMmaAsyncOp>(); // becomes inline assembly
    LowerToLLVMOptions options(&getContext());
    LLVMTypeConverter types(&getContext(), options);
    configureGpuToNVVMTypeConverter(types);
    RewritePatternSet patterns(&getContext());
    // Before those of the device, which know functions of NVIDIA's library.
    constexpr unsigned kFirst = 10;
    populateMathToLLVMConversionPatterns(types, patterns, /*approximateLog1p=*/true, kFirst);
    arith::populateArithToLLVMConversionPatterns(types, patterns);
    populateSCFToControlFlowConversionPatterns(patterns);
    cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
    populateFuncToLLVMConversionPatterns(types, patterns);
    populateGpuToNVVMConversionPatterns(types, patterns);
    populateNVVMToLLVMConversionPatterns(patterns);
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns)))) signalPassFailure();
  }
};

} // namespace
} // namespace kiln
