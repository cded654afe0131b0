// The elements of an array where a mask is true, found and taken by one kernel; then the last element, to which the position -1 leads.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @some:
// CHECK-NEXT: {{^}}float32[4]: 1 3 4 7{{$}}
func.func @some(%x: tensor<7xf32> {kiln.input = "1,2,3,4,5,6,7"}, %m: tensor<7xi1> {kiln.input = "1,0,1,1,0,0,1"}) -> tensor<4xf32> {
  %p = kiln.nonzero %m {count = 4 : i64} : (tensor<7xi1>) -> tensor<4xi64>
  %r = kiln.gather %x, %p {axis = 0 : i64} : (tensor<7xf32>, tensor<4xi64>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: @more:
// CHECK-NEXT: {{^}}int8[4]: 2 4 5 5{{$}}
func.func @more(%x: tensor<5xi8> {kiln.input = "1,2,3,4,5"}, %m: tensor<5xi1> {kiln.input = "0,1,0,1,0"}) -> tensor<4xi8> {
  %p = kiln.nonzero %m {count = 4 : i64} : (tensor<5xi1>) -> tensor<4xi64>
  %r = kiln.gather %x, %p {axis = 0 : i64} : (tensor<5xi8>, tensor<4xi64>) -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: @fewer:
// CHECK-NEXT: {{^}}float64[2]: 1 3{{$}}
func.func @fewer(%x: tensor<5xf64> {kiln.input = "1,2,3,4,5"}, %m: tensor<5xi1> {kiln.input = "1,0,1,1,1"}) -> tensor<2xf64> {
  %p = kiln.nonzero %m {count = 2 : i64} : (tensor<5xi1>) -> tensor<2xi64>
  %r = kiln.gather %x, %p {axis = 0 : i64} : (tensor<5xf64>, tensor<2xi64>) -> tensor<2xf64>
  return %r : tensor<2xf64>
}

// A block of the mask at a time, whose last one has room for a part.
// CHECK-LABEL: @blocks:
// CHECK-NEXT: {{^}}float32[20]: 1 2 3 4 5 6 7 8 10 11 13 14 15 16 17 18 19 32 33 36{{$}}
func.func @blocks(%x: tensor<40xf32> {kiln.input = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40"},
                  %m: tensor<40xi1> {kiln.input = "1,1,1,1,1,1,1,1,0,1,1,0,1,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,1,1,0,0,1,0,0,0,0"}) -> tensor<20xf32> {
  %p = kiln.nonzero %m {count = 20 : i64} : (tensor<40xi1>) -> tensor<20xi64>
  %r = kiln.gather %x, %p {axis = 0 : i64} : (tensor<40xf32>, tensor<20xi64>) -> tensor<20xf32>
  return %r : tensor<20xf32>
}

// CHECK-LABEL: @numbers:
// CHECK-NEXT: {{^}}complex128[3]: 2:0 3:0 3:0{{$}}
func.func @numbers(%x: tensor<3xcomplex<f64>> {kiln.input = "1,2,3"}, %m: tensor<3xi1> {kiln.input = "0,1,1"}) -> tensor<3xcomplex<f64>> {
  %p = kiln.nonzero %m {count = 3 : i64} : (tensor<3xi1>) -> tensor<3xi64>
  %r = kiln.gather %x, %p {axis = 0 : i64} : (tensor<3xcomplex<f64>>, tensor<3xi64>) -> tensor<3xcomplex<f64>>
  return %r : tensor<3xcomplex<f64>>
}
