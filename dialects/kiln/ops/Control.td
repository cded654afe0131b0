// Control flow: ops that run bodies, which are programs of their own: in a trace its bodies by number, in a module private functions by name.
// A body sees its own inputs alone.
#ifndef KILN_CONTROL
#define KILN_CONTROL
include "dialects/kiln/KilnBase.td"
include "mlir/IR/SymbolInterfaces.td"

class Kiln_Control<string mnemonic> : Kiln_Op<mnemonic, [NoMemoryEffect, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let results = (outs Variadic<Kiln_Tensor>:$outputs);
  let gradient = NonDifferentiable<"under a gradient or a batch its bodies run as Python, operation by operation">;
  let kind = "control"; let eager = 0; let cost = 1000;
}

def Kiln_LoopOp : Kiln_Control<"loop"> {
  let summary = "Runs a body while a condition holds, on the values that it gave the last time.";
  let description = [{
    The operands are the carried values, of which there are as many as results, then values that both bodies read. The condition gives
    one bool of rank 0; the body gives the carried values of the next trip, of the same types. The results are the carried values for which
    the condition does not hold: after no trip the operands themselves.
    `%n, %x = kiln.loop @less, @step(%i, %y, %a) : (tensor<i64>, tensor<4xf32>, tensor<4xf32>) -> (tensor<i64>, tensor<4xf32>)`.
  }];
  let arguments = (ins Variadic<Kiln_Tensor>:$inputs, FlatSymbolRefAttr:$condition, FlatSymbolRefAttr:$body);
  let assemblyFormat = "$condition `,` $body `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)";
  let infer = "inferLoop";
  let example = "kn.while_loop(lambda x: x < 100.0, lambda x: x * 2.0, kn.asarray(1.0))";
}

def Kiln_BranchOp : Kiln_Control<"branch"> {
  let summary = "Runs one of several bodies, chosen by a number.";
  let description = [{
    The first operand is a bool or an int64 of rank 0: the place of the body that is run, moved into the range of bodies that there are.
    The others are what all bodies read. All bodies give values of the same types.
    `%y = kiln.branch [@negative, @positive](%test, %x) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>`.
  }];
  let arguments = (ins Variadic<Kiln_Tensor>:$inputs, FlatSymbolRefArrayAttr:$bodies);
  let assemblyFormat = "$bodies `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)";
  let infer = "inferBranch";
  let example = "kn.cond(kn.asarray(2.0) > 1.0, lambda x: x + 1.0, lambda x: -x, kn.asarray(3.0))";
}

def Kiln_SizedOp : Kiln_Control<"sized"> {
  let summary = "Runs a body in which some sizes are numbers that the program computes.";
  let description = [{
    The first operands, as many as `most` has entries, are int64 of rank 0: the sizes that the body's first symbols stand for. Each is 2 to
    what `most` says, which may be a symbol around the operation; else the program fails. The other operands are the inputs of the body. The
    symbols of the program around it are the body's behind its own. Operands and results are of sizes that are known outside.
    `%s = kiln.sized @product(%n, %x, %y) {most = array<i64: 100>} : (tensor<i64>, tensor<100xf64>, tensor<100xf64>) -> tensor<f64>`.
  }];
  let arguments = (ins Variadic<Kiln_Tensor>:$inputs, FlatSymbolRefAttr:$body, Kiln_Sizes:$most);
  let assemblyFormat = "$body `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)";
  let infer = "inferSized";
  let example = "kn.jit(lambda x: [x[:i] @ x[:i] for i in range(40)][-1])(kn.ones(40))";
}

#endif
