// Calls of libraries become steps of the launch plan, with launches that bring operands and put results.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s
// RUN: kiln-translate %s --mlir-to-code --target=nvptx | FileCheck %s --check-prefix=PLAN
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx | FileCheck %s --check-prefix=PTX

// CHECK: func.func @factor(%[[X:[a-z0-9_]+]]: !llvm.ptr, %[[Y:[a-z0-9_]+]]: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[STATUS:[a-z0-9_]+]]: !llvm.ptr)
// CHECK: gpu.launch_func @kernels::@kernel_0
// CHECK: call @kiln.library.potrf(%{{[^,]*}}, %{{[^)]*}}) {kiln.bytes = array<i64: 256, 8>, kiln.words = array<i64: {{[0-9]+}}, 4, 2, 1>}
// CHECK: gpu.launch_func @kernels::@kernel_1
// CHECK: gpu.launch_func @kernels::@kernel_2
// PLAN: kiln-launch-plan 4
// PLAN: program factor 1 1 320 1 0
// PLAN-NEXT: launch kernel_0 1 256 0
// PLAN: library potrf {{[0-9]+}} 4 2 1
// PLAN-NEXT: workspace 0 0 256
// PLAN-NEXT: workspace 256 0 8
// PLAN-NEXT: launch kernel_1 1 256 0
// PLAN: status 0 0 4
// PLAN: launch kernel_2 1 256 0
// PLAN: end
// PTX: .visible .entry kernel_0
func.func @factor(%x: tensor<2x4x4xf64>) -> tensor<2x4x4xf64> {
  %y = kiln.cholesky %x {upper = 0} : (tensor<2x4x4xf64>) -> tensor<2x4x4xf64>
  return %y : tensor<2x4x4xf64>
}

// A transform of the last axes that is not scaled is the call alone: it reads and writes the arrays of the program.
// PLAN: program spectrum 1 1 0 0 0
// PLAN-NEXT: library fft {{[0-9]+}} {{[0-9]+}} 0 3 8 4
// PLAN-NEXT: input 0 0 768
// PLAN-NEXT: output 0 0 768
// PLAN-NEXT: end
func.func @spectrum(%x: tensor<3x8x4xcomplex<f32>>) -> tensor<3x8x4xcomplex<f32>> {
  %y = kiln.fft %x {axes = array<i64: 1, 2>, inverse = 0, norm = 0} : (tensor<3x8x4xcomplex<f32>>) -> tensor<3x8x4xcomplex<f32>>
  return %y : tensor<3x8x4xcomplex<f32>>
}

// A matrix that is wider than high is given as its transpose.
// PLAN: program values 1 1
// PLAN: library gesvd {{[0-9]+}} 0 7 3 1
func.func @values(%x: tensor<3x7xf32>) -> tensor<3xf32> {
  %y = kiln.svd %x {vectors = 0} : (tensor<3x7xf32>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// Searches are kernels.
// PLAN: program find 2 1 0 0 0
// PLAN-NEXT: launch kernel_{{[0-9]+}} 1 256 0
// PLAN-NOT: library
// PLAN: end
func.func @find(%line: tensor<9xf64>, %x: tensor<5xf64>) -> tensor<5xi64> {
  %y = kiln.searchsorted %line, %x {right = 0} : (tensor<9xf64>, tensor<5xf64>) -> tensor<5xi64>
  return %y : tensor<5xi64>
}
