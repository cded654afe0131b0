// Position x * z + y in an array with one more axis, of size z; a negative y counts from the end; the least int64 where x or y is outside.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @int64:
// CHECK-NEXT: {{^}}int64[11]: -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808{{$}}
func.func @int64(%a: tensor<11xi64> {kiln.input = "0,1,-1,7,-8,100,-128,127,2,3,5"}, %b: tensor<11xi64> {kiln.input = "3,0,-1,2,3,-7,1,-1,2,64,1"}, %c: tensor<11xi64> {kiln.input = "3,0,-1,2,3,-7,1,-1,2,64,1"}) -> tensor<11xi64> {
  %r = kiln.ravel_index %a, %b, %c : (tensor<11xi64>, tensor<11xi64>, tensor<11xi64>) -> tensor<11xi64>
  return %r : tensor<11xi64>
}

// CHECK-LABEL: @int64_empty:
// CHECK-NEXT: {{^}}int64[0]:{{$}}
func.func @int64_empty(%a: tensor<0xi64> {kiln.input = ""}, %b: tensor<0xi64> {kiln.input = ""}, %c: tensor<0xi64> {kiln.input = ""}) -> tensor<0xi64> {
  %r = kiln.ravel_index %a, %b, %c : (tensor<0xi64>, tensor<0xi64>, tensor<0xi64>) -> tensor<0xi64>
  return %r : tensor<0xi64>
}

// CHECK-LABEL: @int64_one:
// CHECK-NEXT: {{^}}int64[1]: -9223372036854775808{{$}}
func.func @int64_one(%a: tensor<1xi64> {kiln.input = "5"}, %b: tensor<1xi64> {kiln.input = "5"}, %c: tensor<1xi64> {kiln.input = "5"}) -> tensor<1xi64> {
  %r = kiln.ravel_index %a, %b, %c : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  return %r : tensor<1xi64>
}
