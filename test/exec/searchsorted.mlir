// How many elements of a sorted vector are smaller than each value, or with `right` not larger.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @left:
// CHECK-NEXT: {{^}}int64[6]: 0 0 1 3 4 3{{$}}
func.func @left(%line: tensor<4xf32> {kiln.input = "1,2,2,inf"}, %v: tensor<6xf32> {kiln.input = "-inf,1,2,3,nan,inf"}) -> tensor<6xi64> {
  %r = kiln.searchsorted %line, %v {right = 0 : i64} : (tensor<4xf32>, tensor<6xf32>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @right:
// CHECK-NEXT: {{^}}int64[2, 2]: 0 3 5 5{{$}}
func.func @right(%line: tensor<5xi32> {kiln.input = "1,2,2,4,9"}, %v: tensor<2x2xi32> {kiln.input = "0,2,9,10"}) -> tensor<2x2xi64> {
  %r = kiln.searchsorted %line, %v {right = 1 : i64} : (tensor<5xi32>, tensor<2x2xi32>) -> tensor<2x2xi64>
  return %r : tensor<2x2xi64>
}

// CHECK-LABEL: @nans:
// CHECK-NEXT: {{^}}int64[2]: 1 3{{$}}
func.func @nans(%line: tensor<3xf64> {kiln.input = "1,nan,nan"}, %v: tensor<2xf64> {kiln.input = "5,nan"}) -> tensor<2xi64> {
  %r = kiln.searchsorted %line, %v {right = 1 : i64} : (tensor<3xf64>, tensor<2xf64>) -> tensor<2xi64>
  return %r : tensor<2xi64>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}int64[1]: 0{{$}}
func.func @empty(%line: tensor<0xf32> {kiln.input = ""}, %v: tensor<1xf32> {kiln.input = "1"}) -> tensor<1xi64> {
  %r = kiln.searchsorted %line, %v {right = 0 : i64} : (tensor<0xf32>, tensor<1xf32>) -> tensor<1xi64>
  return %r : tensor<1xi64>
}

// CHECK-LABEL: @batch:
// CHECK-NEXT: {{^}}int64[2, 2]: 1 2 0 1{{$}}
func.func @batch(%line: tensor<2x2xf32> {kiln.input = "1,2,3,4"}, %v: tensor<2x2xf32> {kiln.input = "2,5,3,4"}) -> tensor<2x2xi64> {
  %r = kiln.searchsorted %line, %v {right = 0 : i64} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xi64>
  return %r : tensor<2x2xi64>
}
