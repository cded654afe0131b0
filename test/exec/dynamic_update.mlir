// `x` with `value` from `starts` on, which are moved so that all of it lies inside.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @inside:
// CHECK-NEXT: {{^}}float32[6]: 0 1 2 10 11 5{{$}}
func.func @inside(%a: tensor<6xf32>, %b: tensor<2xf32> {kiln.input = "10,11"}, %c: tensor<1xi64> {kiln.input = "3"}) -> tensor<6xf32> {
  %r = kiln.dynamic_update %a, %b, %c : (tensor<6xf32>, tensor<2xf32>, tensor<1xi64>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @moved_back:
// CHECK-NEXT: {{^}}float32[6]: 0 1 2 3 10 11{{$}}
func.func @moved_back(%a: tensor<6xf32>, %b: tensor<2xf32> {kiln.input = "10,11"}, %c: tensor<1xi64> {kiln.input = "100"}) -> tensor<6xf32> {
  %r = kiln.dynamic_update %a, %b, %c : (tensor<6xf32>, tensor<2xf32>, tensor<1xi64>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @box:
// CHECK-NEXT: {{^}}int32[3, 3]: 0 1 7 3 4 8 6 7 8{{$}}
func.func @box(%a: tensor<3x3xi32>, %b: tensor<2x1xi32> {kiln.input = "7,8"}, %c: tensor<2xi64> {kiln.input = "-1,2"}) -> tensor<3x3xi32> {
  %r = kiln.dynamic_update %a, %b, %c : (tensor<3x3xi32>, tensor<2x1xi32>, tensor<2xi64>) -> tensor<3x3xi32>
  return %r : tensor<3x3xi32>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}float32[2]: 0 1{{$}}
func.func @nothing(%a: tensor<2xf32>, %b: tensor<0xf32> {kiln.input = ""}, %c: tensor<1xi64> {kiln.input = "1"}) -> tensor<2xf32> {
  %r = kiln.dynamic_update %a, %b, %c : (tensor<2xf32>, tensor<0xf32>, tensor<1xi64>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
