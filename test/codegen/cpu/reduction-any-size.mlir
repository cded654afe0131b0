// What the emitter of reductions makes of a row whose size is not known.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s

// A row of any size: where it is long, 64 results so far in registers, else 32.
// CHECK-LABEL: func.func @longest.kernel_0
// CHECK: arith.cmpi uge
// CHECK: scf.if
// CHECK: vector<64xf32>
// CHECK: } else {
// CHECK: vector<32xf32>
// CHECK: return
func.func @longest(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32> attributes {kiln.symbols = 1 : i64, kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<f32>) {
    %m = kiln.max %a {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
    kiln.yield %m : tensor<f32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>], lanes = 64>, workspace = array<i64: -1>}
  return %0 : tensor<f32>
}
