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

// -----

// What a program and a body of it need together.
// expected-error@+1 {{workspace: expected at most 72057594037927936 bytes, got 72057594037928192}}
func.func @with_body(%f: tensor<i1>, %x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 256 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 0>}
  %1 = kiln.kernel "control"(%a = %f : tensor<i1>, %b = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.branch [@large](%a, %b) : (tensor<i1>, tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}
func.func private @large(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 72057594037927936 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.abs %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0 : tensor<64xf32>
}

// -----

// A carried value of 2^52 bytes that the body writes anew, and the body's own.
func.func @carries(%x: tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>> {
  %0 = kiln.kernel "control"(%a = %x : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    // expected-error@+1 {{in a kernel: expected scratch memory of at most 72057594037927936 bytes}}
    %n = kiln.loop @never, @step(%a) : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  } {workspace = array<i64: -1>}
  return %0 : tensor<281474976710656xcomplex<f64>>
}
func.func private @never(%x: tensor<281474976710656xcomplex<f64>>) -> tensor<i1> {
  %0 = kiln.kernel "elementwise"() -> (tensor<i1>) {
    %n = kiln.constant false : tensor<i1>
    kiln.yield %n : tensor<i1>
  } {workspace = array<i64: -1>}
  return %0 : tensor<i1>
}
func.func private @step(%x: tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>> attributes {kiln.workspace_bytes = 72057594037927936 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  } {workspace = array<i64: -1>}
  return %0 : tensor<281474976710656xcomplex<f64>>
}
