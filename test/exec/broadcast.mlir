// Repeats elements: axis `axes[i]` of the result is axis i of the operand, or repeats it where its size is 1.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @scalar:
// CHECK-NEXT: {{^}}float32[3]: 2.5 2.5 2.5{{$}}
func.func @scalar(%a: tensor<f32> {kiln.input = "2.5"}) -> tensor<3xf32> {
  %r = kiln.broadcast %a {axes = array<i64>} : (tensor<f32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}int8[2, 3]: 1 2 3 1 2 3{{$}}
func.func @rows(%a: tensor<3xi8> {kiln.input = "1,2,3"}) -> tensor<2x3xi8> {
  %r = kiln.broadcast %a {axes = array<i64: 1>} : (tensor<3xi8>) -> tensor<2x3xi8>
  return %r : tensor<2x3xi8>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}bool[2, 3]: 1 1 1 0 0 0{{$}}
func.func @columns(%a: tensor<2x1xi1> {kiln.input = "1,0"}) -> tensor<2x3xi1> {
  %r = kiln.broadcast %a {axes = array<i64: 0, 1>} : (tensor<2x1xi1>) -> tensor<2x3xi1>
  return %r : tensor<2x3xi1>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex64[3]: 1:2 1:2 1:2{{$}}
func.func @complex(%a: tensor<1xcomplex<f32>> {kiln.input = "1:2"}) -> tensor<3xcomplex<f32>> {
  %r = kiln.broadcast %a {axes = array<i64: 0>} : (tensor<1xcomplex<f32>>) -> tensor<3xcomplex<f32>>
  return %r : tensor<3xcomplex<f32>>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @empty(%a: tensor<1xf32> {kiln.input = "1"}) -> tensor<0xf32> {
  %r = kiln.broadcast %a {axes = array<i64: 0>} : (tensor<1xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}
