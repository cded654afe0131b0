// A scalar known while recording.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @of_f32:
// CHECK-NEXT: {{^}}float32[]: -2.5{{$}}
func.func @of_f32() -> tensor<f32> {
  %r = kiln.constant -2.5 : f32 : tensor<f32>
  return %r : tensor<f32>
}

// CHECK-LABEL: @of_minus_zero:
// CHECK-NEXT: {{^}}float32[]: -0{{$}}
func.func @of_minus_zero() -> tensor<f32> {
  %r = kiln.constant -0.0 : f32 : tensor<f32>
  return %r : tensor<f32>
}

// CHECK-LABEL: @of_i8:
// CHECK-NEXT: {{^}}int8[]: -128{{$}}
func.func @of_i8() -> tensor<i8> {
  %r = kiln.constant -128 : i8 : tensor<i8>
  return %r : tensor<i8>
}

// CHECK-LABEL: @of_bool:
// CHECK-NEXT: {{^}}bool[]: 1{{$}}
func.func @of_bool() -> tensor<i1> {
  %r = kiln.constant true : tensor<i1>
  return %r : tensor<i1>
}

// CHECK-LABEL: @of_f16:
// CHECK-NEXT: {{^}}float16[]: 1.5{{$}}
func.func @of_f16() -> tensor<f16> {
  %r = kiln.constant 1.5 : f16 : tensor<f16>
  return %r : tensor<f16>
}

// CHECK-LABEL: @of_u64:
// CHECK-NEXT: {{^}}uint64[]: 18446744073709551615{{$}}
func.func @of_u64() -> tensor<ui64> {
  %r = kiln.constant 18446744073709551615 : ui64 : tensor<ui64>
  return %r : tensor<ui64>
}
