// The same bits under another dtype of the same size.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @f32_to_i32:
// CHECK-NEXT: {{^}}int32[5]: 0 -2147483648 1065353216 2139095040 -1071644672{{$}}
func.func @f32_to_i32(%a: tensor<5xf32> {kiln.input = "0,-0.0,1,inf,-2.5"}) -> tensor<5xi32> {
  %r = kiln.bitcast %a : (tensor<5xf32>) -> tensor<5xi32>
  return %r : tensor<5xi32>
}

// CHECK-LABEL: @i64_to_f64:
// CHECK-NEXT: {{^}}float64[3]: 0 1 -0{{$}}
func.func @i64_to_f64(%a: tensor<3xi64> {kiln.input = "0,4607182418800017408,-9223372036854775808"}) -> tensor<3xf64> {
  %r = kiln.bitcast %a : (tensor<3xi64>) -> tensor<3xf64>
  return %r : tensor<3xf64>
}

// CHECK-LABEL: @f16_to_ui16:
// CHECK-NEXT: {{^}}uint16[3]: 15360 32768 31744{{$}}
func.func @f16_to_ui16(%a: tensor<3xf16> {kiln.input = "1,-0.0,inf"}) -> tensor<3xui16> {
  %r = kiln.bitcast %a : (tensor<3xf16>) -> tensor<3xui16>
  return %r : tensor<3xui16>
}

// CHECK-LABEL: @i8_to_f8:
// CHECK-NEXT: {{^}}float8_e4m3fn[3]: 0 1 -0{{$}}
func.func @i8_to_f8(%a: tensor<3xi8> {kiln.input = "0,56,-128"}) -> tensor<3xf8E4M3FN> {
  %r = kiln.bitcast %a : (tensor<3xi8>) -> tensor<3xf8E4M3FN>
  return %r : tensor<3xf8E4M3FN>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}uint32[0]:{{$}}
func.func @empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xui32> {
  %r = kiln.bitcast %a : (tensor<0xf32>) -> tensor<0xui32>
  return %r : tensor<0xui32>
}
