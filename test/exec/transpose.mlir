// Permuted axes: axis i of the result is axis `permutation[i]` of the operand.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @matrix:
// CHECK-NEXT: {{^}}float32[3, 2]: 0 3 1 4 2 5{{$}}
func.func @matrix(%a: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %r = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %r : tensor<3x2xf32>
}

// CHECK-LABEL: @three:
// CHECK-NEXT: {{^}}int32[2, 2, 3]: 0 2 4 6 8 10 1 3 5 7 9 11{{$}}
func.func @three(%a: tensor<2x3x2xi32>) -> tensor<2x2x3xi32> {
  %r = kiln.transpose %a {permutation = array<i64: 2, 0, 1>} : (tensor<2x3x2xi32>) -> tensor<2x2x3xi32>
  return %r : tensor<2x2x3xi32>
}

// CHECK-LABEL: @odd:
// CHECK-NEXT: {{^}}uint8[7, 5]: 0 7 14 21 28 1 8 15 22 29 2 9 16 23 30 3 10 17 24 31 4 11 18 25 32 5 12 19 26 33 6 13 20 27 34{{$}}
func.func @odd(%a: tensor<5x7xui8>) -> tensor<7x5xui8> {
  %r = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<5x7xui8>) -> tensor<7x5xui8>
  return %r : tensor<7x5xui8>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}float16[1, 1]: 3{{$}}
func.func @one(%a: tensor<1x1xf16> {kiln.input = "3"}) -> tensor<1x1xf16> {
  %r = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<1x1xf16>) -> tensor<1x1xf16>
  return %r : tensor<1x1xf16>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex128[2, 2]: 1:1 3:3 2:2 4:4{{$}}
func.func @complex(%a: tensor<2x2xcomplex<f64>> {kiln.input = "1:1,2:2,3:3,4:4"}) -> tensor<2x2xcomplex<f64>> {
  %r = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<2x2xcomplex<f64>>) -> tensor<2x2xcomplex<f64>>
  return %r : tensor<2x2xcomplex<f64>>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[3, 0]:{{$}}
func.func @empty(%a: tensor<0x3xf32> {kiln.input = ""}) -> tensor<3x0xf32> {
  %r = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<0x3xf32>) -> tensor<3x0xf32>
  return %r : tensor<3x0xf32>
}
