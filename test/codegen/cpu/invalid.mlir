// RUN: kiln-opt %s --kiln-schedule --kiln-emit-cpu --verify-diagnostics --split-input-file

func.func @not_fused(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expected only kernels: run kiln-fuse first}}
  %0 = kiln.negative %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @not_planned(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expected a planned workspace: run kiln-plan-memory first}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<4xf32>) -> (tensor<4xf32>) {
    %n = kiln.negative %a : (tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @reads_across(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<4x4xf32>) -> (tensor<4x4xf32>) {
    // expected-error@+1 {{in a kernel: expected reads of its result at the kernel's own positions}}
    %s = kiln.sum %a {axes = array<i64: 1>} : (tensor<4x4xf32>) -> tensor<4xf32>
    %b = kiln.broadcast %s {axes = array<i64: 1>} : (tensor<4xf32>) -> tensor<4x4xf32>
    kiln.yield %b : tensor<4x4xf32>
  } {workspace = array<i64: -1>}
  return %0 : tensor<4x4xf32>
}
