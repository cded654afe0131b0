// `sizes` elements of each axis from `starts` on, which are moved so that all lie inside.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @inside:
// CHECK-NEXT: {{^}}float32[4]: 3 4 5 6{{$}}
func.func @inside(%a: tensor<10xf32>, %b: tensor<1xi64> {kiln.input = "3"}) -> tensor<4xf32> {
  %r = kiln.dynamic_slice %a, %b {sizes = array<i64: 4>} : (tensor<10xf32>, tensor<1xi64>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: @moved_back:
// CHECK-NEXT: {{^}}float32[4]: 6 7 8 9{{$}}
func.func @moved_back(%a: tensor<10xf32>, %b: tensor<1xi64> {kiln.input = "8"}) -> tensor<4xf32> {
  %r = kiln.dynamic_slice %a, %b {sizes = array<i64: 4>} : (tensor<10xf32>, tensor<1xi64>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: @negative:
// CHECK-NEXT: {{^}}float32[4]: 0 1 2 3{{$}}
func.func @negative(%a: tensor<10xf32>, %b: tensor<1xi64> {kiln.input = "-5"}) -> tensor<4xf32> {
  %r = kiln.dynamic_slice %a, %b {sizes = array<i64: 4>} : (tensor<10xf32>, tensor<1xi64>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: @box:
// CHECK-NEXT: {{^}}int16[2, 2]: 6 7 10 11{{$}}
func.func @box(%a: tensor<3x4xi16>, %b: tensor<2xi64> {kiln.input = "1,2"}) -> tensor<2x2xi16> {
  %r = kiln.dynamic_slice %a, %b {sizes = array<i64: 2, 2>} : (tensor<3x4xi16>, tensor<2xi64>) -> tensor<2x2xi16>
  return %r : tensor<2x2xi16>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @empty(%a: tensor<3xf32>, %b: tensor<1xi64> {kiln.input = "1"}) -> tensor<0xf32> {
  %r = kiln.dynamic_slice %a, %b {sizes = array<i64: 0>} : (tensor<3xf32>, tensor<1xi64>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}
