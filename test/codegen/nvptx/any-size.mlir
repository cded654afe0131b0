// Kernels that take the sizes of a call, and plans whose numbers follow from them.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-plan-memory --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx | FileCheck %s --check-prefix=PTX
// RUN: kiln-translate %s --mlir-to-code --target=nvptx | FileCheck %s --check-prefix=PLAN

// One axis: an integer behind the pointers, and blocks of 1,024.
// GPU: gpu.func @kernel_0(%{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr, %[[n:.*]]: i64) kernel
// GPU-SAME: kiln.extents = {{\[\[}}"0", "s0,4,*"], {{\[}}"0", "s0,4,*"], array<i64: 0, 4>]
// GPU: func.func @flat(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[size:.*]]: i64) -> i64
// GPU: arith.divui
// GPU: gpu.launch_func @kernels::@kernel_0
// GPU: return

// PTX: .visible .entry kernel_0(
// PTX: .param .u64 kernel_0_param_3
// PTX-NOT: .extern

// The sums of rows lie in the workspace, between the blocks of both launches' scratch; a kernel has only the sizes that it uses.
// PLAN: kiln-launch-plan 4
// PLAN-NEXT: program flat 1 1 0 0 1
// PLAN-NEXT: launch kernel_0 s0,1023,+,1024,/ 256 0
// PLAN-NEXT: input 0 0 s0,4,*
// PLAN-NEXT: output 0 0 s0,4,*
// PLAN-NEXT: status 0 0 4
// PLAN-NEXT: size 0 0 0
// PLAN-NEXT: end
// PLAN-NEXT: program rows 1 1 {{.*}} 0 2
// PLAN-NEXT: launch kernel_1 s0 256
// PLAN-NEXT: input 0 0
// PLAN-NEXT: workspace 0 0 s0,4,*
// PLAN-NEXT: status 0 0 4
// PLAN-NEXT: size 1 0 0
// PLAN-NEXT: launch kernel_2
func.func @flat(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 1} {
  %r = kiln.add %x, %x : (tensor<?xf32, #kiln.symbols<0>>, tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
  return %r : tensor<?xf32, #kiln.symbols<0>>
}

func.func @rows(%x: tensor<?x?xf32, #kiln.symbols<0, 1>>) -> tensor<f32> attributes {kiln.symbols = 2} {
  %0 = kiln.sum %x {axes = array<i64: 1>} : (tensor<?x?xf32, #kiln.symbols<0, 1>>) -> tensor<?xf32, #kiln.symbols<0>>
  %1 = kiln.sum %0 {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %1 : tensor<f32>
}
