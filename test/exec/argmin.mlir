// Position of the first smallest element along an axis; of the first nan if there is one.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}int64[3]: 2 3 2{{$}}
func.func @rows(%a: tensor<3x5xf32> {kiln.input = "3,1,-0.0,0,2.5,inf,-1,4,nan,7,3,1,-0.0,0,2.5"}) -> tensor<3xi64> {
  %r = kiln.argmin %a {axis = 1 : i64} : (tensor<3x5xf32>) -> tensor<3xi64>
  return %r : tensor<3xi64>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}int64[5]: 2 0 1 0 1{{$}}
func.func @columns(%a: tensor<3x5xf32> {kiln.input = "inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42"}) -> tensor<5xi64> {
  %r = kiln.argmin %a {axis = 0 : i64} : (tensor<3x5xf32>) -> tensor<5xi64>
  return %r : tensor<5xi64>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}int64[]: 0{{$}}
func.func @one(%a: tensor<1xf32> {kiln.input = "inf"}) -> tensor<i64> {
  %r = kiln.argmin %a {axis = 0 : i64} : (tensor<1xf32>) -> tensor<i64>
  return %r : tensor<i64>
}

// CHECK-LABEL: @long:
// CHECK-NEXT: {{^}}int64[]: 7{{$}}
func.func @long(%a: tensor<37xf32> {kiln.input = "inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42"}) -> tensor<i64> {
  %r = kiln.argmin %a {axis = 0 : i64} : (tensor<37xf32>) -> tensor<i64>
  return %r : tensor<i64>
}

// Of elements that a lane without any would start from: the first of them.
// CHECK-LABEL: @nothing_better:
// CHECK-NEXT: {{^}}int64[2]: 0 0{{$}}
func.func @nothing_better(%a: tensor<2x3xf32> {kiln.input = "inf"}) -> tensor<2xi64> {
  %r = kiln.argmin %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  return %r : tensor<2xi64>
}
