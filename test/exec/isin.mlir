// Whether each element is one of the values; nan is none.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @floats:
// CHECK-NEXT: {{^}}bool[4]: 1 0 1 0{{$}}
func.func @floats(%x: tensor<4xf32> {kiln.input = "-0.0,nan,2,3"}, %v: tensor<3xf32> {kiln.input = "2,nan,0"}) -> tensor<4xi1> {
  %r = kiln.isin %x, %v : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xi1>
  return %r : tensor<4xi1>
}

// CHECK-LABEL: @table:
// CHECK-NEXT: {{^}}bool[5]: 0 1 0 1 0{{$}}
func.func @table(%x: tensor<5xi8> {kiln.input = "-128,-1,0,5,127"}, %v: tensor<2xi8> {kiln.input = "5,-1"}) -> tensor<5xi1> {
  %r = kiln.isin %x, %v : (tensor<5xi8>, tensor<2xi8>) -> tensor<5xi1>
  return %r : tensor<5xi1>
}

// CHECK-LABEL: @far:
// CHECK-NEXT: {{^}}bool[2]: 1 0{{$}}
func.func @far(%x: tensor<2xi64> {kiln.input = "4611686018427387904,0"}, %v: tensor<2xi64> {kiln.input = "-4611686018427387904,4611686018427387904"}) -> tensor<2xi1> {
  %r = kiln.isin %x, %v : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi1>
  return %r : tensor<2xi1>
}

// CHECK-LABEL: @none:
// CHECK-NEXT: {{^}}bool[1]: 0{{$}}
func.func @none(%x: tensor<1xui8> {kiln.input = "1"}, %v: tensor<0xui8> {kiln.input = ""}) -> tensor<1xi1> {
  %r = kiln.isin %x, %v : (tensor<1xui8>, tensor<0xui8>) -> tensor<1xi1>
  return %r : tensor<1xi1>
}

// CHECK-LABEL: @batch:
// CHECK-NEXT: {{^}}bool[2, 2]: 1 0 0 1{{$}}
func.func @batch(%x: tensor<2x2xf32> {kiln.input = "1,3,1,3"}, %v: tensor<2x1xf32> {kiln.input = "1,3"}) -> tensor<2x2xi1> {
  %r = kiln.isin %x, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xi1>
  return %r : tensor<2x2xi1>
}
