// Smallest of all elements up to each along an axis; nan from the first nan on.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}float32[3, 5]: 3 1 -0 -0 -0 inf -1 -1 nan nan 3 1 -0 -0 -0{{$}}
func.func @rows(%a: tensor<3x5xf32> {kiln.input = "3,1,-0.0,0,2.5,inf,-1,4,nan,7,3,1,-0.0,0,2.5"}) -> tensor<3x5xf32> {
  %r = kiln.cumulative_min %a {axis = 1 : i64} : (tensor<3x5xf32>) -> tensor<3x5xf32>
  return %r : tensor<3x5xf32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}float32[3, 5]: inf 1 -0 -1.0005271e-42 0 1.0005271e-42 1 nan -1.0005271e-42 -inf -1.5 1 nan -1.0005271e-42 -inf{{$}}
func.func @columns(%a: tensor<3x5xf32> {kiln.input = "inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42"}) -> tensor<3x5xf32> {
  %r = kiln.cumulative_min %a {axis = 0 : i64} : (tensor<3x5xf32>) -> tensor<3x5xf32>
  return %r : tensor<3x5xf32>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}float32[1]: inf{{$}}
func.func @one(%a: tensor<1xf32> {kiln.input = "inf"}) -> tensor<1xf32> {
  %r = kiln.cumulative_min %a {axis = 0 : i64} : (tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}

// CHECK-LABEL: @long:
// CHECK-NEXT: {{^}}float32[37]: inf 1 -0 -1.0005271e-42 -1.0005271e-42 -1.0005271e-42 -1.0005271e-42 nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan{{$}}
func.func @long(%a: tensor<37xf32> {kiln.input = "inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42"}) -> tensor<37xf32> {
  %r = kiln.cumulative_min %a {axis = 0 : i64} : (tensor<37xf32>) -> tensor<37xf32>
  return %r : tensor<37xf32>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.cumulative_min %a {axis = 0 : i64} : (tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}
