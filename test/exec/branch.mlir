// RUN: kiln-run %s --all --target=both | FileCheck %s

// The number of a body is moved into the range; a body that changes its argument in places leaves the caller's alone.
// CHECK-LABEL: @choose:
// CHECK-NEXT: float32[2]: 0 1
// CHECK-NEXT: float32[2]: 9 1
// CHECK-NEXT: float32[2]: -0 -1
// CHECK-NEXT: float32[2]: -0 -1
// CHECK-NEXT: float32[2]: 0 1
func.func @choose(%x: tensor<2xf32>, %low: tensor<i64> {kiln.input = "-7"}, %one: tensor<i64> {kiln.input = "1"}, %two: tensor<i64> {kiln.input = "2"},
                  %high: tensor<i64> {kiln.input = "9223372036854775807"}) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %a = kiln.branch [@same, @put, @minus](%low, %x) : (tensor<i64>, tensor<2xf32>) -> tensor<2xf32>
  %b = kiln.branch [@same, @put, @minus](%one, %x) : (tensor<i64>, tensor<2xf32>) -> tensor<2xf32>
  %c = kiln.branch [@same, @put, @minus](%two, %x) : (tensor<i64>, tensor<2xf32>) -> tensor<2xf32>
  %d = kiln.branch [@same, @put, @minus](%high, %x) : (tensor<i64>, tensor<2xf32>) -> tensor<2xf32>
  return %a, %b, %c, %d, %x : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
func.func private @same(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
func.func private @put(%x: tensor<2xf32>) -> tensor<2xf32> {
  %nine = kiln.constant 9.0 : f32 : tensor<f32>
  %v = kiln.reshape %nine : (tensor<f32>) -> tensor<1xf32>
  %r = kiln.update %x, %v {starts = array<i64: 0>, steps = array<i64: 1>} : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
func.func private @minus(%x: tensor<2xf32>) -> tensor<2xf32> {
  %r = kiln.negative %x : (tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
