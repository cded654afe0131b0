// RUN: kiln-run %s --entry=mix --input=1,-2,nan,inf,0 --input=2 | FileCheck %s --check-prefix=MIX
// MIX: float32[5]: 2 -2 nan inf 0
// MIX: bool[5]: 0 1 0 0 1
func.func @mix(%x: tensor<5xf32>, %y: tensor<f32>) -> (tensor<5xf32>, tensor<5xi1>) {
  %b = kiln.broadcast %y {axes = array<i64>} : (tensor<f32>) -> tensor<5xf32>
  %m = kiln.multiply %x, %b : (tensor<5xf32>, tensor<5xf32>) -> tensor<5xf32>
  %n = kiln.maximum %m, %x : (tensor<5xf32>, tensor<5xf32>) -> tensor<5xf32>
  %z = kiln.constant 0.5 : f32 : tensor<f32>
  %zb = kiln.broadcast %z {axes = array<i64>} : (tensor<f32>) -> tensor<5xf32>
  %c = kiln.less %x, %zb : (tensor<5xf32>, tensor<5xf32>) -> tensor<5xi1>
  return %n, %c : tensor<5xf32>, tensor<5xi1>
}

// Integers wrap; floats saturate to integers and nan becomes 0.
// RUN: kiln-run %s --entry=total --input=127,-128 --input=300,nan | FileCheck %s --check-prefix=TOTAL
// TOTAL: int8[2]: -2 0
// TOTAL: int8[2]: 127 0
func.func @total(%x: tensor<2xi8>, %y: tensor<2xf32>) -> (tensor<2xi8>, tensor<2xi8>) {
  %a = kiln.add %x, %x : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  %c = kiln.cast %y : (tensor<2xf32>) -> tensor<2xi8>
  return %a, %c : tensor<2xi8>, tensor<2xi8>
}

// RUN: kiln-run %s --entry=empty | FileCheck %s --check-prefix=EMPTY
// EMPTY: float32[0]:{{$}}
// EMPTY: float32[]: 0
func.func @empty(%x: tensor<0xf32>) -> (tensor<0xf32>, tensor<f32>) {
  %a = kiln.exp %x : (tensor<0xf32>) -> tensor<0xf32>
  %s = kiln.sum %x {axes = array<i64: 0>} : (tensor<0xf32>) -> tensor<f32>
  return %a, %s : tensor<0xf32>, tensor<f32>
}
