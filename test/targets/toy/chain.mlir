// One kernel of several operations, and a scalar that is repeated.
// RUN: kiln-run %s --input=1,2,3,4 --target=toy --load=%build/lib/libkiln_target_toy.so | FileCheck %s --check-prefix=CHAIN
// CHAIN: float32[4]: 2.5 4.5 6.5 8.5
func.func @chain(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = kiln.constant 5.000000e-01 : f32 : tensor<f32>
  %h = kiln.broadcast %c {axes = array<i64>} : (tensor<f32>) -> tensor<4xf32>
  %d = kiln.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = kiln.add %d, %h : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
