// Position along one axis, counted from 0.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @line:
// CHECK-NEXT: {{^}}int64[5]: 0 1 2 3 4{{$}}
func.func @line() -> tensor<5xi64> {
  %r = kiln.iota {axis = 0 : i64} : tensor<5xi64>
  return %r : tensor<5xi64>
}

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}float32[2, 3]: 0 0 0 1 1 1{{$}}
func.func @rows() -> tensor<2x3xf32> {
  %r = kiln.iota {axis = 0 : i64} : tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}uint8[2, 3]: 0 1 2 0 1 2{{$}}
func.func @columns() -> tensor<2x3xui8> {
  %r = kiln.iota {axis = 1 : i64} : tensor<2x3xui8>
  return %r : tensor<2x3xui8>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}float64[1]: 0{{$}}
func.func @one() -> tensor<1xf64> {
  %r = kiln.iota {axis = 0 : i64} : tensor<1xf64>
  return %r : tensor<1xf64>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}int32[0]:{{$}}
func.func @empty() -> tensor<0xi32> {
  %r = kiln.iota {axis = 0 : i64} : tensor<0xi32>
  return %r : tensor<0xi32>
}

// CHECK-LABEL: @half:
// CHECK-NEXT: {{^}}float16[4]: 0 1 2 3{{$}}
func.func @half() -> tensor<4xf16> {
  %r = kiln.iota {axis = 0 : i64} : tensor<4xf16>
  return %r : tensor<4xf16>
}
