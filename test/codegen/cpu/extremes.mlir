// Largest and smallest elements where AVX-512 orders zeros by one instruction, and elsewhere.
// RUN: kiln-translate --mlir-to-assembly --triple=x86_64-linux-gnu --cpu=x86-64-v4 %s | FileCheck %s --check-prefix=WIDE
// RUN: kiln-translate --mlir-to-assembly --triple=x86_64-linux-gnu --cpu=x86-64-v3 %s | FileCheck %s --check-prefix=NARROW
// RUN: kiln-run %s --all --target=both
// NARROW-NOT: vrange

// One comparison finds nans.
// WIDE-LABEL: max.kernel_0:
// WIDE: vcmpunordps [[x:%zmm[0-9]+]], [[sum:%zmm[0-9]+]], [[nan:%k[0-9]]]
// WIDE-NEXT: vrangeps $5, [[x]], [[sum]], [[sum]]
// WIDE-NOT: vblendmps
// WIDE: vmovaps %zmm{{[0-9]+}}, [[sum]] {[[nan]]}
// WIDE-LABEL: max:
func.func @max(%x: tensor<4096xf32> {kiln.input = "-0.0"}) -> tensor<f32> {
  %r = kiln.max %x {axes = array<i64: 0>} : (tensor<4096xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// Other vectors than whole registers.
// WIDE-LABEL: minimum.kernel_0:
// WIDE: vrangepd $4, {{.*}}%ymm
// WIDE-LABEL: minimum:
func.func @minimum(%x: tensor<4xf64> {kiln.input = "3,nan,-0.0,0"}, %y: tensor<4xf64> {kiln.input = "nan,2,0,-0.0"}) -> tensor<4xf64> {
  %r = kiln.minimum %x, %y : (tensor<4xf64>, tensor<4xf64>) -> tensor<4xf64>
  return %r : tensor<4xf64>
}

// A nan that is quiet is ignored by itself.
// WIDE-LABEL: nanmax.kernel_0:
// WIDE: vcmpordps [[y:%zmm[0-9]+]], [[y]], [[known:%k[0-9]]]
// WIDE-NEXT: vrangeps $5, [[y]], [[best:%zmm[0-9]+]], [[best]] {[[known]]}
// WIDE-LABEL: nanmax:
func.func @nanmax(%x: tensor<4096xf32> {kiln.input = "-0.0"}) -> tensor<f32> {
  %r = kiln.nanmax %x {axes = array<i64: 0>} : (tensor<4096xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// An extreme of extremes; of a constant, which LLVM knows not to be a zero.
// WIDE-LABEL: both.kernel_0:
// WIDE: vrangeps $5
// WIDE: vrangeps $4
// WIDE-LABEL: both:
func.func @both(%x: tensor<64xf32> {kiln.input = "-0.0"}, %y: tensor<64xf32> {kiln.input = "0"}) -> tensor<64xf32> {
  %m = kiln.maximum %x, %y : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  %r = kiln.minimum %m, %y : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  return %r : tensor<64xf32>
}
// WIDE-LABEL: constant.kernel_0:
// WIDE-NOT: vrange
// WIDE: vmaxps
// WIDE-LABEL: constant:
func.func @constant(%x: tensor<64xf32> {kiln.input = "-0.0"}) -> tensor<64xf32> {
  %c = kiln.constant 2.0 : f32 : tensor<f32>
  %b = kiln.broadcast %c {axes = array<i64>} : (tensor<f32>) -> tensor<64xf32>
  %r = kiln.maximum %x, %b : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  return %r : tensor<64xf32>
}
