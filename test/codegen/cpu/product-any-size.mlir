// Products whose sizes a call tells.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s

// At most 8 columns are one strip, which reads both operands in place.
// CHECK-LABEL: func.func @strip.kernel_0
// CHECK: scf.if
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// CHECK: llvm.intr.masked.load
// CHECK-COUNT-2: math.fma {{.*}} : vector<8xf32>
// CHECK: } else {
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: return
func.func @strip(%x: tensor<?x?xf32, #kiln.symbols<0, 1>>, %y: tensor<?x?xf32, #kiln.symbols<1, 2>>) -> tensor<?x?xf32, #kiln.symbols<0, 2>> attributes {kiln.symbols = 3 : i64, kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<?x?xf32, #kiln.symbols<0, 1>>, %b = %y : tensor<?x?xf32, #kiln.symbols<1, 2>>) -> (tensor<?x?xf32, #kiln.symbols<0, 2>>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<?x?xf32, #kiln.symbols<0, 1>>, tensor<?x?xf32, #kiln.symbols<1, 2>>) -> tensor<?x?xf32, #kiln.symbols<0, 2>>
    kiln.yield %d : tensor<?x?xf32, #kiln.symbols<0, 2>>
  } {schedule = #kiln.product<tile = 2x16, lanes = 8, block = 4x16x8, strip = 512>, workspace = array<i64: -1>}
  return %0 : tensor<?x?xf32, #kiln.symbols<0, 2>>
}
