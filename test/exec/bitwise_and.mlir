// Bitwise and of integers, logical and of bools.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @int32:
// CHECK-NEXT: {{^}}int32[11]: 0 0 -1 2 0 96 0 127 2 0 1{{$}}
func.func @int32(%a: tensor<11xi32> {kiln.input = "0,1,-1,7,-8,100,-128,127,2,3,5"}, %b: tensor<11xi32> {kiln.input = "3,0,-1,2,3,-7,1,-1,2,64,1"}) -> tensor<11xi32> {
  %r = kiln.bitwise_and %a, %b : (tensor<11xi32>, tensor<11xi32>) -> tensor<11xi32>
  return %r : tensor<11xi32>
}

// CHECK-LABEL: @uint8:
// CHECK-NEXT: {{^}}uint8[11]: 0 0 1 0 0 7 0 1 0 64 1{{$}}
func.func @uint8(%a: tensor<11xui8> {kiln.input = "0,1,7,8,100,255,2,3,5,64,9"}, %b: tensor<11xui8> {kiln.input = "3,0,1,2,3,7,1,9,2,64,1"}) -> tensor<11xui8> {
  %r = kiln.bitwise_and %a, %b : (tensor<11xui8>, tensor<11xui8>) -> tensor<11xui8>
  return %r : tensor<11xui8>
}

// CHECK-LABEL: @int64:
// CHECK-NEXT: {{^}}int64[11]: 0 0 -1 2 0 96 0 127 2 0 1{{$}}
func.func @int64(%a: tensor<11xi64> {kiln.input = "0,1,-1,7,-8,100,-128,127,2,3,5"}, %b: tensor<11xi64> {kiln.input = "3,0,-1,2,3,-7,1,-1,2,64,1"}) -> tensor<11xi64> {
  %r = kiln.bitwise_and %a, %b : (tensor<11xi64>, tensor<11xi64>) -> tensor<11xi64>
  return %r : tensor<11xi64>
}

// CHECK-LABEL: @uint64:
// CHECK-NEXT: {{^}}uint64[11]: 0 0 1 0 0 7 0 1 0 64 1{{$}}
func.func @uint64(%a: tensor<11xui64> {kiln.input = "0,1,7,8,100,255,2,3,5,64,9"}, %b: tensor<11xui64> {kiln.input = "3,0,1,2,3,7,1,9,2,64,1"}) -> tensor<11xui64> {
  %r = kiln.bitwise_and %a, %b : (tensor<11xui64>, tensor<11xui64>) -> tensor<11xui64>
  return %r : tensor<11xui64>
}

// CHECK-LABEL: @int32_empty:
// CHECK-NEXT: {{^}}int32[0]:{{$}}
func.func @int32_empty(%a: tensor<0xi32> {kiln.input = ""}, %b: tensor<0xi32> {kiln.input = ""}) -> tensor<0xi32> {
  %r = kiln.bitwise_and %a, %b : (tensor<0xi32>, tensor<0xi32>) -> tensor<0xi32>
  return %r : tensor<0xi32>
}

// CHECK-LABEL: @int32_one:
// CHECK-NEXT: {{^}}int32[1]: 5{{$}}
func.func @int32_one(%a: tensor<1xi32> {kiln.input = "5"}, %b: tensor<1xi32> {kiln.input = "5"}) -> tensor<1xi32> {
  %r = kiln.bitwise_and %a, %b : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi32>
  return %r : tensor<1xi32>
}
