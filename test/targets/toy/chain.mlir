// Fusion asks the target what may be one kernel: here three operations, and a negation alone. Memory lies between the kernels.
// RUN: kiln-run %s --input=1,2,3,4 --target=toy --load=%build/lib/libkiln_target_toy.so | FileCheck %s
// CHECK: float32[4]: -11 -21 -31 -41
// RUN: kiln-translate %s --mlir-to-assembly --target=toy --load=%build/lib/libkiln_target_toy.so | FileCheck %s --check-prefix=TEXT
// TEXT: program chain 1
// TEXT-COUNT-3: kernel 4
// TEXT-NOT: kernel
func.func @chain(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = kiln.constant 5.000000e-01 : f32 : tensor<f32>
  %h = kiln.broadcast %c {axes = array<i64>} : (tensor<f32>) -> tensor<4xf32>
  %2 = kiln.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = kiln.add %2, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %5 = kiln.add %4, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %6 = kiln.add %5, %h : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %7 = kiln.add %6, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = kiln.negative %7 : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
