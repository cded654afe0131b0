// Whether any element over axes is true.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}bool[3]: 1 1 1{{$}}
func.func @rows(%a: tensor<3x5xi1> {kiln.input = "0,1,1,0,1,0,1,1,0,1,1,0,1,1,0"}) -> tensor<3xi1> {
  %r = kiln.any %a {axes = array<i64: 1>} : (tensor<3x5xi1>) -> tensor<3xi1>
  return %r : tensor<3xi1>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}bool[5]: 1 1 1 1 1{{$}}
func.func @columns(%a: tensor<3x5xi1> {kiln.input = "1,1,1,1,0,0,1,1,1,0,0,1,1,1,1"}) -> tensor<5xi1> {
  %r = kiln.any %a {axes = array<i64: 0>} : (tensor<3x5xi1>) -> tensor<5xi1>
  return %r : tensor<5xi1>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}bool[]: 1{{$}}
func.func @one(%a: tensor<1xi1> {kiln.input = "1"}) -> tensor<i1> {
  %r = kiln.any %a {axes = array<i64: 0>} : (tensor<1xi1>) -> tensor<i1>
  return %r : tensor<i1>
}

// CHECK-LABEL: @long:
// CHECK-NEXT: {{^}}bool[]: 1{{$}}
func.func @long(%a: tensor<37xi1> {kiln.input = "1,1,1,1,0,0,1,1,1,0,0,1,1,1,1,0,0,1,1,1,0,0,1,1,1,1,0,0,1,1,1,0,0,1,1,1,1"}) -> tensor<i1> {
  %r = kiln.any %a {axes = array<i64: 0>} : (tensor<37xi1>) -> tensor<i1>
  return %r : tensor<i1>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}bool[]: 0{{$}}
func.func @empty(%a: tensor<0xi1> {kiln.input = ""}) -> tensor<i1> {
  %r = kiln.any %a {axes = array<i64: 0>} : (tensor<0xi1>) -> tensor<i1>
  return %r : tensor<i1>
}
