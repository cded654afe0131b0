// RUN: not kiln-run %s --target=cpu 2>&1 | FileCheck %s
// RUN: not kiln-run %s --target=reference 2>&1 | FileCheck %s --check-prefix=REFERENCE

// A position outside ends the loop, which would go on for ever.
// CHECK: an index was out of range
// REFERENCE: gather: expected positions inside, got one outside
func.func @outside(%x: tensor<4xf32>) -> tensor<i64> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %i, %s = kiln.loop @always, @read(%zero, %zero, %x) : (tensor<i64>, tensor<i64>, tensor<4xf32>) -> (tensor<i64>, tensor<i64>)
  return %s : tensor<i64>
}
func.func private @always(%i: tensor<i64>, %s: tensor<i64>, %x: tensor<4xf32>) -> tensor<i1> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %r = kiln.greater_equal %i, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @read(%i: tensor<i64>, %s: tensor<i64>, %x: tensor<4xf32>) -> (tensor<i64>, tensor<i64>) {
  %v = kiln.gather %x, %i {axis = 0} : (tensor<4xf32>, tensor<i64>) -> tensor<f32>
  %n = kiln.cast %v : (tensor<f32>) -> tensor<i64>
  %one = kiln.constant 1 : i64 : tensor<i64>
  %next = kiln.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %sum = kiln.add %s, %n : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %next, %sum : tensor<i64>, tensor<i64>
}
