// `x` multiplied by updates along an axis at indices.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @vector:
// CHECK-NEXT: {{^}}int32[5]: 15 4 3 4 2147483643{{$}}
func.func @vector(%a: tensor<5xi32> {kiln.input = "1,2,3,4,5"}, %b: tensor<4xi64> {kiln.input = "1,0,-1,0"}, %c: tensor<4xi32> {kiln.input = "2,3,2147483647,5"}) -> tensor<5xi32> {
  %r = kiln.scatter_multiply %a, %b, %c {axis = 0 : i64} : (tensor<5xi32>, tensor<4xi64>, tensor<4xi32>) -> tensor<5xi32>
  return %r : tensor<5xi32>
}

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}int32[2, 3]: 0 1 2 21 64 135{{$}}
func.func @rows(%a: tensor<2x3xi32>, %b: tensor<2xi64> {kiln.input = "1,1"}, %c: tensor<2x3xi32> {kiln.input = "7,8,9,1,2,3"}) -> tensor<2x3xi32> {
  %r = kiln.scatter_multiply %a, %b, %c {axis = 0 : i64} : (tensor<2x3xi32>, tensor<2xi64>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return %r : tensor<2x3xi32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}int32[2, 3]: 0 1 14 3 4 45{{$}}
func.func @columns(%a: tensor<2x3xi32>, %b: tensor<2xi64> {kiln.input = "2,0"}, %c: tensor<2x2xi32> {kiln.input = "7,8,9,1"}) -> tensor<2x3xi32> {
  %r = kiln.scatter_multiply %a, %b, %c {axis = 1 : i64} : (tensor<2x3xi32>, tensor<2xi64>, tensor<2x2xi32>) -> tensor<2x3xi32>
  return %r : tensor<2x3xi32>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}int32[3]: 0 1 2{{$}}
func.func @nothing(%a: tensor<3xi32>, %b: tensor<0xi64> {kiln.input = ""}, %c: tensor<0xi32> {kiln.input = ""}) -> tensor<3xi32> {
  %r = kiln.scatter_multiply %a, %b, %c {axis = 0 : i64} : (tensor<3xi32>, tensor<0xi64>, tensor<0xi32>) -> tensor<3xi32>
  return %r : tensor<3xi32>
}
