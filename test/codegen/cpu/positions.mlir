// An element at positions along two axes: each is looked at by itself, and both together not once more.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule --kiln-emit-cpu | FileCheck %s
// RUN: kiln-run %s --all --target=both > /dev/null

// CHECK-LABEL: @element.kernel_0
// CHECK: arith.cmpi sge, {{.*}}, %c4_i64
// CHECK: arith.cmpi sge, {{.*}}, %c5_i64
// CHECK-NOT: arith.cmpi sge, {{.*}}, %c20_i64
// CHECK-NOT: -9223372036854775808
// CHECK: return
func.func @element(%x: tensor<20xf32>, %a: tensor<i64>, %b: tensor<i64>) -> tensor<f32> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %four = kiln.constant 4 : i64 : tensor<i64>
  %five = kiln.constant 5 : i64 : tensor<i64>
  %i = kiln.remainder %a, %four : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %r = kiln.remainder %b, %five : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %j = kiln.subtract %r, %five : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %0 = kiln.ravel_index %zero, %i, %four : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<i64>
  %1 = kiln.ravel_index %0, %j, %five : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<i64>
  %2 = kiln.gather %x, %1 {axis = 0 : i64} : (tensor<20xf32>, tensor<i64>) -> tensor<f32>
  return %2 : tensor<f32>
}

// The sizes along the axes say more than there are elements: both together are looked at, too.
// CHECK-LABEL: @beyond.kernel_0
// CHECK: arith.cmpi sge, {{.*}}, %c20_i64
func.func @beyond(%x: tensor<20xf32>, %a: tensor<i64>, %b: tensor<i64>) -> tensor<f32> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %four = kiln.constant 4 : i64 : tensor<i64>
  %six = kiln.constant 6 : i64 : tensor<i64>
  %i = kiln.remainder %a, %four : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %0 = kiln.ravel_index %zero, %zero, %four : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<i64>
  %1 = kiln.ravel_index %0, %i, %six : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<i64>
  %2 = kiln.gather %x, %1 {axis = 0 : i64} : (tensor<20xf32>, tensor<i64>) -> tensor<f32>
  return %2 : tensor<f32>
}
