// The larger of `x` and updates along an axis at indices.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @vector:
// CHECK-NEXT: {{^}}uint8[5]: 200 7 2 3 255{{$}}
func.func @vector(%a: tensor<5xui8> {kiln.input = "0,1,2,3,255"}, %b: tensor<4xi64> {kiln.input = "1,0,-1,0"}, %c: tensor<4xui8> {kiln.input = "7,9,0,200"}) -> tensor<5xui8> {
  %r = kiln.scatter_max %a, %b, %c {axis = 0 : i64} : (tensor<5xui8>, tensor<4xi64>, tensor<4xui8>) -> tensor<5xui8>
  return %r : tensor<5xui8>
}

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}uint8[2, 3]: 0 1 2 7 8 9{{$}}
func.func @rows(%a: tensor<2x3xui8>, %b: tensor<2xi64> {kiln.input = "1,1"}, %c: tensor<2x3xui8> {kiln.input = "7,8,9,1,2,3"}) -> tensor<2x3xui8> {
  %r = kiln.scatter_max %a, %b, %c {axis = 0 : i64} : (tensor<2x3xui8>, tensor<2xi64>, tensor<2x3xui8>) -> tensor<2x3xui8>
  return %r : tensor<2x3xui8>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}uint8[2, 3]: 8 1 7 3 4 9{{$}}
func.func @columns(%a: tensor<2x3xui8>, %b: tensor<2xi64> {kiln.input = "2,0"}, %c: tensor<2x2xui8> {kiln.input = "7,8,9,1"}) -> tensor<2x3xui8> {
  %r = kiln.scatter_max %a, %b, %c {axis = 1 : i64} : (tensor<2x3xui8>, tensor<2xi64>, tensor<2x2xui8>) -> tensor<2x3xui8>
  return %r : tensor<2x3xui8>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}uint8[3]: 0 1 2{{$}}
func.func @nothing(%a: tensor<3xui8>, %b: tensor<0xi64> {kiln.input = ""}, %c: tensor<0xui8> {kiln.input = ""}) -> tensor<3xui8> {
  %r = kiln.scatter_max %a, %b, %c {axis = 0 : i64} : (tensor<3xui8>, tensor<0xi64>, tensor<0xui8>) -> tensor<3xui8>
  return %r : tensor<3xui8>
}
