// Smallest element over axes that is no nan; nan where all are.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}float32[3]: -0 -1 -0{{$}}
func.func @rows(%a: tensor<3x5xf32> {kiln.input = "3,1,-0.0,0,2.5,inf,-1,4,nan,7,3,1,-0.0,0,2.5"}) -> tensor<3xf32> {
  %r = kiln.nanmin %a {axes = array<i64: 1>} : (tensor<3x5xf32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}float32[5]: -1.5 1 -0 -1.0005271e-42 -inf{{$}}
func.func @columns(%a: tensor<3x5xf32> {kiln.input = "inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42"}) -> tensor<5xf32> {
  %r = kiln.nanmin %a {axes = array<i64: 0>} : (tensor<3x5xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}float32[]: inf{{$}}
func.func @one(%a: tensor<1xf32> {kiln.input = "inf"}) -> tensor<f32> {
  %r = kiln.nanmin %a {axes = array<i64: 0>} : (tensor<1xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// CHECK-LABEL: @long:
// CHECK-NEXT: {{^}}float32[]: -inf{{$}}
func.func @long(%a: tensor<37xf32> {kiln.input = "inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42,0,1e-42,3.25,nan,0.5,-inf,-1.5,inf,1,-0.0,-1e-42"}) -> tensor<f32> {
  %r = kiln.nanmin %a {axes = array<i64: 0>} : (tensor<37xf32>) -> tensor<f32>
  return %r : tensor<f32>
}
