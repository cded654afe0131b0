// Between traces and the dialects: the only place of the compiler that knows how a trace says an operation.
#pragma once

#include "dialects/trace/TraceDialect.h"
#include "lib/Core/Trace.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace kiln {

/// A function `name` of kiln ops in `module` that says what the trace says. Throws Error (compile) for one with bodies.
void importTrace(mlir::ModuleOp module, const Trace &trace, llvm::StringRef name);
/// The same as a tree of one segment.
void importTree(mlir::ModuleOp module, const Trace &trace, llvm::StringRef name);
/// The trace of a function of kiln ops; throws Error (compile) for any other op.
Trace exportTrace(mlir::func::FuncOp fn);
/// The trace of a tree that is straight: segments one behind the other. Throws Error (compile) for one with guards.
Trace exportTree(ir::TreeOp tree);
/// The trace of one segment by itself.
Trace exportSegment(ir::SegmentOp segment);
/// The trace of the first function or tree of a module; throws Error (compile) for a module without one.
Trace exportFirst(mlir::ModuleOp module);

} // namespace kiln
