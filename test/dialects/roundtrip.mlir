// RUN: kiln-opt %s | kiln-opt | FileCheck %s
// RUN: kiln-opt %s --mlir-print-op-generic | kiln-opt | FileCheck %s
// RUN: kiln-opt %s --emit-bytecode | kiln-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x3xf32>, %i: tensor<2xi64>, %u: tensor<?xui8, #kiln.symbols<0>>) {
  // CHECK: kiln.constant 1.500000e+00 : f32 : tensor<f32>
  %0 = kiln.constant 1.5 : f32 : tensor<f32>
  // CHECK: kiln.iota {axis = 0 : i64} : tensor<4xi64>
  %1 = kiln.iota {axis = 0 : i64} : tensor<4xi64>
  // CHECK: kiln.slice %{{.*}} {sizes = array<i64: 1, 2>, starts = array<i64: 0, 2>, steps = array<i64: 1, -1>}
  %2 = kiln.slice %x {starts = array<i64: 0, 2>, sizes = array<i64: 1, 2>, steps = array<i64: 1, -1>} : (tensor<2x3xf32>) -> tensor<1x2xf32>
  // CHECK: kiln.gather
  %3 = kiln.gather %x, %i {axis = 0} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  // CHECK: kiln.bitwise_invert %{{.*}} : (tensor<?xui8, #kiln.symbols<0>>)
  %4 = kiln.bitwise_invert %u : (tensor<?xui8, #kiln.symbols<0>>) -> tensor<?xui8, #kiln.symbols<0>>
  // CHECK: kiln.concat
  %5 = kiln.concat %x, %x {axis = 1} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  // CHECK: kiln.kernel "elementwise"(%{{.*}} = %{{.*}} : tensor<2x3xf32>) -> (tensor<2x3xf32>)
  %6 = kiln.kernel "elementwise"(%a = %x : tensor<2x3xf32>) -> (tensor<2x3xf32>) {
    %n = kiln.sqrt %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
    // CHECK: kiln.copy %{{.*}} : tensor<2x3xf32>
    %c = kiln.copy %n : tensor<2x3xf32>
    kiln.yield %c : tensor<2x3xf32>
  }
  return
}
