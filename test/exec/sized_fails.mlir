// RUN: not kiln-run %s --all --target=cpu 2>&1 | FileCheck %s
// RUN: not kiln-run %s --all --target=reference 2>&1 | FileCheck %s --check-prefix=REFERENCE

// A size outside of its bounds ends the program before anything of that size is touched.
// CHECK: an index was out of range
// REFERENCE: sized: size 0: expected 2 to 4, got 5
func.func @outside(%x: tensor<4xf32>, %n: tensor<i64> {kiln.input = "5"}) -> tensor<f32> attributes {kiln.symbols = 0} {
  %r = kiln.sized @total(%n, %x) {most = array<i64: 4>} : (tensor<i64>, tensor<4xf32>) -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @total(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}
