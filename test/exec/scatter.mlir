// `x` with elements along an axis replaced at indices.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @vector:
// CHECK-NEXT: {{^}}float32[5]: 13 10 2 3 12{{$}}
func.func @vector(%a: tensor<5xf32> {kiln.input = "0,1,2,3,4"}, %b: tensor<4xi64> {kiln.input = "1,0,-1,0"}, %c: tensor<4xf32> {kiln.input = "10,nan,12,13"}) -> tensor<5xf32> {
  %r = kiln.scatter %a, %b, %c {axis = 0 : i64} : (tensor<5xf32>, tensor<4xi64>, tensor<4xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}float32[2, 3]: 0 1 2 1 2 3{{$}}
func.func @rows(%a: tensor<2x3xf32>, %b: tensor<2xi64> {kiln.input = "1,1"}, %c: tensor<2x3xf32> {kiln.input = "7,8,9,1,2,3"}) -> tensor<2x3xf32> {
  %r = kiln.scatter %a, %b, %c {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2xi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}float32[2, 3]: 8 1 7 1 4 9{{$}}
func.func @columns(%a: tensor<2x3xf32>, %b: tensor<2xi64> {kiln.input = "2,0"}, %c: tensor<2x2xf32> {kiln.input = "7,8,9,1"}) -> tensor<2x3xf32> {
  %r = kiln.scatter %a, %b, %c {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2xi64>, tensor<2x2xf32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}float32[3]: 0 1 2{{$}}
func.func @nothing(%a: tensor<3xf32>, %b: tensor<0xi64> {kiln.input = ""}, %c: tensor<0xf32> {kiln.input = ""}) -> tensor<3xf32> {
  %r = kiln.scatter %a, %b, %c {axis = 0 : i64} : (tensor<3xf32>, tensor<0xi64>, tensor<0xf32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}
