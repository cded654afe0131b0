// Ops from outside: one op of the dialect stands for all that a process registers (lib/Core/Registry.h).
#ifndef KILN_CUSTOM
#define KILN_CUSTOM
include "dialects/kiln/KilnBase.td"

def Kiln_CustomOp : Op<Kiln_Dialect, "custom", [Pure, Kiln_ArrayOpInterface]> {
  let summary = "An op that the process registered, by name.";
  let description = [{
    The registry says what operands, attributes and results the op has; a name that is not registered does not verify. It is computed by
    the function that was registered with it, which the runtime's table calls. Its other attributes are those of the registered op:
    `kiln.custom "mylib.scaled_add"(%x, %y) {scale = 2.0 : f32} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>`.
  }];
  let arguments = (ins StrAttr:$name, Variadic<Kiln_Tensor>:$inputs);
  let results = (outs Variadic<Kiln_Tensor>:$outputs);
  let assemblyFormat = "$name `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    static ::kiln::Op getId() { return ::kiln::Op::Custom; }
    ::llvm::SmallVector<int64_t, 2> getAlong() { return {}; }
    unsigned getMainIndex() { return 0; }
    ::kiln::ir::Access getAccess(unsigned) { return ::kiln::ir::Access::Memory; }
  }];
}

#endif
