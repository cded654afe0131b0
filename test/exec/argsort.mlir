// Positions that sort an axis, equal elements in their order; nan last.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}int64[3, 5]: 2 3 1 4 0 1 2 4 0 3 2 3 1 4 0{{$}}
func.func @rows(%a: tensor<3x5xf32> {kiln.input = "3,1,-0.0,0,2.5,inf,-1,4,nan,7,3,1,-0.0,0,2.5"}) -> tensor<3x5xi64> {
  %r = kiln.argsort %a {axis = 1 : i64, descending = 0 : i64} : (tensor<3x5xf32>) -> tensor<3x5xi64>
  return %r : tensor<3x5xi64>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}int64[3, 5]: 0 2 2 1 0 1 1 0 2 2 2 0 1 0 1{{$}}
func.func @columns(%a: tensor<3x5xf32> {kiln.input = "inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42"}) -> tensor<3x5xi64> {
  %r = kiln.argsort %a {axis = 0 : i64, descending = 1 : i64} : (tensor<3x5xf32>) -> tensor<3x5xi64>
  return %r : tensor<3x5xi64>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}int64[1]: 0{{$}}
func.func @one(%a: tensor<1xf32> {kiln.input = "inf"}) -> tensor<1xi64> {
  %r = kiln.argsort %a {axis = 0 : i64, descending = 0 : i64} : (tensor<1xf32>) -> tensor<1xi64>
  return %r : tensor<1xi64>
}

// CHECK-LABEL: @long:
// CHECK-NEXT: {{^}}int64[37]: 9 20 31 10 21 32 3 14 25 36 2 4 13 15 24 26 35 5 16 27 8 19 30 1 12 23 34 6 17 28 0 11 22 33 7 18 29{{$}}
func.func @long(%a: tensor<37xf32> {kiln.input = "inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42"}) -> tensor<37xi64> {
  %r = kiln.argsort %a {axis = 0 : i64, descending = 0 : i64} : (tensor<37xf32>) -> tensor<37xi64>
  return %r : tensor<37xi64>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}int64[0]:{{$}}
func.func @empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xi64> {
  %r = kiln.argsort %a {axis = 0 : i64, descending = 0 : i64} : (tensor<0xf32>) -> tensor<0xi64>
  return %r : tensor<0xi64>
}
