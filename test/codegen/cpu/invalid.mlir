// RUN: kiln-opt %s --kiln-emit-cpu --verify-diagnostics --split-input-file

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
