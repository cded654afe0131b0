// Conversion to another dtype; floats to integers saturate, nan becomes 0; to bool: not equal to 0.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @f32_to_i8:
// CHECK-NEXT: {{^}}int8[11]: 0 0 127 -128 0 0 127 -1 2 -128 127{{$}}
func.func @f32_to_i8(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,300,-1.5,2.5,-129,1e20"}) -> tensor<11xi8> {
  %r = kiln.cast %a : (tensor<11xf32>) -> tensor<11xi8>
  return %r : tensor<11xi8>
}

// CHECK-LABEL: @f32_to_ui8:
// CHECK-NEXT: {{^}}uint8[11]: 0 0 255 0 0 0 255 0 2 0 255{{$}}
func.func @f32_to_ui8(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,300,-1.5,2.5,-129,1e20"}) -> tensor<11xui8> {
  %r = kiln.cast %a : (tensor<11xf32>) -> tensor<11xui8>
  return %r : tensor<11xui8>
}

// CHECK-LABEL: @f32_to_i64:
// CHECK-NEXT: {{^}}int64[11]: 0 0 9223372036854775807 -9223372036854775808 0 0 300 -1 2 -129 9223372036854775807{{$}}
func.func @f32_to_i64(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,300,-1.5,2.5,-129,1e20"}) -> tensor<11xi64> {
  %r = kiln.cast %a : (tensor<11xf32>) -> tensor<11xi64>
  return %r : tensor<11xi64>
}

// CHECK-LABEL: @f64_to_f32:
// CHECK-NEXT: {{^}}float32[11]: 0 -0 inf nan inf -inf 0 0.100000001 1 16777216 -3{{$}}
func.func @f64_to_f32(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,nan,1e300,-1e300,1e-320,0.1,1,16777217,-3"}) -> tensor<11xf32> {
  %r = kiln.cast %a : (tensor<11xf64>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @f64_to_f16:
// CHECK-NEXT: {{^}}float16[11]: 0 -0 inf nan inf 65504 0 0.0999755859 1 2050 -3{{$}}
func.func @f64_to_f16(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,nan,65520,65519.99,1e-8,0.1,1,2049.0000001,-3"}) -> tensor<11xf16> {
  %r = kiln.cast %a : (tensor<11xf64>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @f32_to_bf16:
// CHECK-NEXT: {{^}}bfloat16[11]: 0 -0 inf -inf nan 0 300 -1.5 2.5 -129 9.97277101e+19{{$}}
func.func @f32_to_bf16(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,300,-1.5,2.5,-129,1e20"}) -> tensor<11xbf16> {
  %r = kiln.cast %a : (tensor<11xf32>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @bf16_to_f64:
// CHECK-NEXT: {{^}}float64[11]: 0 -0 inf -inf nan 0 300 -1.5 2.5 -129 9.9727710148492263e+19{{$}}
func.func @bf16_to_f64(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,300,-1.5,2.5,-129,1e20"}) -> tensor<11xf64> {
  %r = kiln.cast %a : (tensor<11xbf16>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @f16_to_f32:
// CHECK-NEXT: {{^}}float32[11]: 0 -0 inf -inf nan 0 300 -1.5 2.5 -129 inf{{$}}
func.func @f16_to_f32(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,300,-1.5,2.5,-129,1e20"}) -> tensor<11xf32> {
  %r = kiln.cast %a : (tensor<11xf16>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @f32_to_f8E4M3FN:
// CHECK-NEXT: {{^}}float8_e4m3fn[11]: 0 -0 nan nan 448 nan 0.001953125 0.1015625 1 -16 3{{$}}
func.func @f32_to_f8E4M3FN(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,nan,448,465,0.001,0.1,1,-17,3"}) -> tensor<11xf8E4M3FN> {
  %r = kiln.cast %a : (tensor<11xf32>) -> tensor<11xf8E4M3FN>
  return %r : tensor<11xf8E4M3FN>
}

// CHECK-LABEL: @f32_to_f8E5M2:
// CHECK-NEXT: {{^}}float8_e5m2[11]: 0 -0 inf nan 57344 inf 1.52587891e-05 0.09375 1 -16 3{{$}}
func.func @f32_to_f8E5M2(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,nan,57344,65000,0.00001,0.1,1,-17,3"}) -> tensor<11xf8E5M2> {
  %r = kiln.cast %a : (tensor<11xf32>) -> tensor<11xf8E5M2>
  return %r : tensor<11xf8E5M2>
}

// CHECK-LABEL: @f8E4M3FN_to_f32:
// CHECK-NEXT: {{^}}float32[11]: 0 -0 448 nan 0.0625 1 2 -3 0.1015625 16 240{{$}}
func.func @f8E4M3FN_to_f32(%a: tensor<11xf8E4M3FN> {kiln.input = "0,-0.0,448,nan,0.0625,1,2,-3,0.1,17,240"}) -> tensor<11xf32> {
  %r = kiln.cast %a : (tensor<11xf8E4M3FN>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @f8E5M2_to_f32:
// CHECK-NEXT: {{^}}float32[11]: 0 -0 inf nan 0.0625 1 2 -3 0.09375 16 57344{{$}}
func.func @f8E5M2_to_f32(%a: tensor<11xf8E5M2> {kiln.input = "0,-0.0,inf,nan,0.0625,1,2,-3,0.1,17,57344"}) -> tensor<11xf32> {
  %r = kiln.cast %a : (tensor<11xf8E5M2>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @i32_to_f32:
// CHECK-NEXT: {{^}}float32[11]: 0 1 -1 16777216 -16777220 7 8 9 10 2.14748365e+09 -2.14748365e+09{{$}}
func.func @i32_to_f32(%a: tensor<11xi32> {kiln.input = "0,1,-1,16777217,-16777219,7,8,9,10,2147483647,-2147483648"}) -> tensor<11xf32> {
  %r = kiln.cast %a : (tensor<11xi32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @i64_to_ui8:
// CHECK-NEXT: {{^}}uint8[11]: 0 1 255 255 0 44 212 7 8 9 10{{$}}
func.func @i64_to_ui8(%a: tensor<11xi64> {kiln.input = "0,1,-1,255,256,300,-300,7,8,9,10"}) -> tensor<11xui8> {
  %r = kiln.cast %a : (tensor<11xi64>) -> tensor<11xui8>
  return %r : tensor<11xui8>
}

// CHECK-LABEL: @ui64_to_f64:
// CHECK-NEXT: {{^}}float64[11]: 0 1 2 3 4 5 6 7 8 9 9007199254740992{{$}}
func.func @ui64_to_f64(%a: tensor<11xui64> {kiln.input = "0,1,2,3,4,5,6,7,8,9,9007199254740993"}) -> tensor<11xf64> {
  %r = kiln.cast %a : (tensor<11xui64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @f32_to_i1:
// CHECK-NEXT: {{^}}bool[11]: 0 0 1 1 1 1 1 1 1 1 1{{$}}
func.func @f32_to_i1(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,300,-1.5,2.5,-129,1e20"}) -> tensor<11xi1> {
  %r = kiln.cast %a : (tensor<11xf32>) -> tensor<11xi1>
  return %r : tensor<11xi1>
}

// CHECK-LABEL: @i1_to_f32:
// CHECK-NEXT: {{^}}float32[11]: 0 1 0 1 1 0 0 1 1 0 1{{$}}
func.func @i1_to_f32(%a: tensor<11xi1> {kiln.input = "0,1,0,1,1,0,0,1,1,0,1"}) -> tensor<11xf32> {
  %r = kiln.cast %a : (tensor<11xi1>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @complexf32_to_complexf64:
// CHECK-NEXT: {{^}}complex128[11]: 1:2 0:-0 inf:nan 3:0 4:0 5:0 6:0 7:0 8:0 9:0 10:0{{$}}
func.func @complexf32_to_complexf64(%a: tensor<11xcomplex<f32>> {kiln.input = "1:2,0:-0.0,inf:nan,3,4,5,6,7,8,9,10"}) -> tensor<11xcomplex<f64>> {
  %r = kiln.cast %a : (tensor<11xcomplex<f32>>) -> tensor<11xcomplex<f64>>
  return %r : tensor<11xcomplex<f64>>
}

// CHECK-LABEL: @f32_to_complexf32:
// CHECK-NEXT: {{^}}complex64[11]: 0:0 -0:0 inf:0 -inf:0 nan:0 1.0005271e-42:0 300:0 -1.5:0 2.5:0 -129:0 1.00000002e+20:0{{$}}
func.func @f32_to_complexf32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,300,-1.5,2.5,-129,1e20"}) -> tensor<11xcomplex<f32>> {
  %r = kiln.cast %a : (tensor<11xf32>) -> tensor<11xcomplex<f32>>
  return %r : tensor<11xcomplex<f32>>
}

// CHECK-LABEL: @complexf32_to_i1:
// CHECK-NEXT: {{^}}bool[11]: 0 1 1 1 0 1 1 1 1 1 1{{$}}
func.func @complexf32_to_i1(%a: tensor<11xcomplex<f32>> {kiln.input = "0:0,0:1,1:0,nan:0,0,1,2,3,4,5,6"}) -> tensor<11xi1> {
  %r = kiln.cast %a : (tensor<11xcomplex<f32>>) -> tensor<11xi1>
  return %r : tensor<11xi1>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}int32[0]:{{$}}
func.func @empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xi32> {
  %r = kiln.cast %a : (tensor<0xf32>) -> tensor<0xi32>
  return %r : tensor<0xi32>
}
