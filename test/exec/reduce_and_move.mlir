// RUN: kiln-run %s --entry=rows | FileCheck %s --check-prefix=ROWS
// ROWS: float32[2]: 3 12
// ROWS: int64[3]: 1 1 1
// ROWS: float32[3, 2]: 0 3 1 4 2 5
// ROWS: float32[2, 2]: 2 0 5 3
// ROWS: float32[2, 4]: 0 1 2 0 3 4 5 3
func.func @rows(%x: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<3xi64>, tensor<3x2xf32>, tensor<2x2xf32>, tensor<2x4xf32>) {
  %s = kiln.sum %x {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  %a = kiln.argmax %x {axis = 0} : (tensor<2x3xf32>) -> tensor<3xi64>
  %t = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %r = kiln.slice %x {starts = array<i64: 0, 2>, sizes = array<i64: 2, 2>, steps = array<i64: 1, -2>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  %f = kiln.slice %x {starts = array<i64: 0, 0>, sizes = array<i64: 2, 1>, steps = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %c = kiln.concat %x, %f {axis = 1} : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %s, %a, %t, %r, %c : tensor<2xf32>, tensor<3xi64>, tensor<3x2xf32>, tensor<2x2xf32>, tensor<2x4xf32>
}

// RUN: kiln-run %s --entry=take --input=10,20,30 --input=2,-1,0 | FileCheck %s --check-prefix=TAKE
// RUN: not kiln-run %s --entry=take --input=10,20,30 --input=3,0,0 2>&1 | FileCheck %s --check-prefix=BAD
// TAKE: float32[3]: 30 30 10
// BAD: an index was out of range
func.func @take(%x: tensor<3xf32>, %i: tensor<3xi64>) -> tensor<3xf32> {
  %0 = kiln.gather %x, %i {axis = 0} : (tensor<3xf32>, tensor<3xi64>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// RUN: not kiln-run %s --entry=none 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not kiln-run %s --entry=take --input=1,2 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not kiln-run %s --entry=take --input=x 2>&1 | FileCheck %s --check-prefix=NUMBER
// RUN: not kiln-run %s --entry=take --target=gpu 2>&1 | FileCheck %s --check-prefix=TARGET
// NONE: --entry: expected a function of the file, got 'none'
// COUNT: --input: expected 1 or 3 elements of float32[3], got 2
// NUMBER: --input: expected a number, got 'x'
// TARGET: target: expected one of cpu, {{.*}}got 'gpu'

// RUN: kiln-run %s --entry=choose --input=5,-1,3,3,nan,2 | FileCheck %s --check-prefix=CHOOSE
// CHOOSE: float32[2, 3]: 5 1 3 3 1 2
// CHOOSE: float32[2]: -1 nan
// CHOOSE: int64[2]: 1 1
func.func @choose(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2xf32>, tensor<2xi64>) {
  %z = kiln.constant 0.0 : f32 : tensor<f32>
  %zb = kiln.broadcast %z {axes = array<i64>} : (tensor<f32>) -> tensor<2x3xf32>
  %o = kiln.constant 1.0 : f32 : tensor<f32>
  %ob = kiln.broadcast %o {axes = array<i64>} : (tensor<f32>) -> tensor<2x3xf32>
  %c = kiln.greater %x, %zb : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %s = kiln.select %c, %x, %ob : (tensor<2x3xi1>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %m = kiln.min %x {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  %a = kiln.argmin %x {axis = 1} : (tensor<2x3xf32>) -> tensor<2xi64>
  return %s, %m, %a : tensor<2x3xf32>, tensor<2xf32>, tensor<2xi64>
}
