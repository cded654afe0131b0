// Products of two arrays summed over one axis of each, for every position of the batch axes.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @matrices:
// CHECK-NEXT: {{^}}float32[2, 2]: 2 inf 6.5 inf{{$}}
func.func @matrices(%a: tensor<2x3xf32> {kiln.input = "1,2,3,4,5,6"}, %b: tensor<3x2xf32> {kiln.input = "1,-1,0.5,2,-0.0,inf"}) -> tensor<2x2xf32> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
}

// CHECK-LABEL: @transposed:
// CHECK-NEXT: {{^}}int32[2, 2]: 11 11 14 16{{$}}
func.func @transposed(%a: tensor<3x2xi32> {kiln.input = "1,2,3,4,5,6"}, %b: tensor<2x3xi32> {kiln.input = "1,0,2,3,1,1"}) -> tensor<2x2xi32> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 0 : i64, y_axis = 1 : i64} : (tensor<3x2xi32>, tensor<2x3xi32>) -> tensor<2x2xi32>
  return %r : tensor<2x2xi32>
}

// CHECK-LABEL: @odd:
// CHECK-NEXT: {{^}}float64[7, 3]: 90 100 110 240 275 310 390 450 510 540 625 710 690 800 910 840 975 1110 990 1150 1310{{$}}
func.func @odd(%a: tensor<7x5xf64>, %b: tensor<5x3xf64>) -> tensor<7x3xf64> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<7x5xf64>, tensor<5x3xf64>) -> tensor<7x3xf64>
  return %r : tensor<7x3xf64>
}

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}float32[3]: nan nan nan{{$}}
func.func @rows(%a: tensor<3x4xf32>, %b: tensor<4xf32> {kiln.input = "1,nan,0,2"}) -> tensor<3xf32> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}float32[4]: -14 -14.5 -15 -15.5{{$}}
func.func @columns(%a: tensor<3x4xf32>, %b: tensor<3xf32> {kiln.input = "1,0.5,-2"}) -> tensor<4xf32> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 0 : i64, y_axis = 0 : i64} : (tensor<3x4xf32>, tensor<3xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: @vectors:
// CHECK-NEXT: {{^}}float32[]: 333{{$}}
func.func @vectors(%a: tensor<37xf32>, %b: tensor<37xf32> {kiln.input = "0.5"}) -> tensor<f32> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 0 : i64, y_axis = 0 : i64} : (tensor<37xf32>, tensor<37xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// CHECK-LABEL: @batches:
// CHECK-NEXT: {{^}}float32[2, 2, 2]: 10 13 28 40 172 193 244 274{{$}}
func.func @batches(%a: tensor<2x2x3xf32>, %b: tensor<2x3x2xf32>) -> tensor<2x2x2xf32> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64: 0>, y_batch = array<i64: 0>, x_axis = 2 : i64, y_axis = 1 : i64} : (tensor<2x2x3xf32>, tensor<2x3x2xf32>) -> tensor<2x2x2xf32>
  return %r : tensor<2x2x2xf32>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}float32[2, 2]: 0 0 0 0{{$}}
func.func @nothing(%a: tensor<2x0xf32> {kiln.input = ""}, %b: tensor<0x2xf32> {kiln.input = ""}) -> tensor<2x2xf32> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<2x0xf32>, tensor<0x2xf32>) -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}float32[1, 1]: -6{{$}}
func.func @one(%a: tensor<1x1xf32> {kiln.input = "3"}, %b: tensor<1x1xf32> {kiln.input = "-2"}) -> tensor<1x1xf32> {
  %r = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  return %r : tensor<1x1xf32>
}
