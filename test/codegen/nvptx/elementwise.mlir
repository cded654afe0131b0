// One thread's part of an elementwise kernel: positions that are `threads` apart, all loads before the first store, and a guard where blocks are not full.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx | FileCheck %s --check-prefix=PTX
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx --cpu=sm_90a | FileCheck %s --check-prefix=HOPPER
// RUN: kiln-translate %s --mlir-to-code --target=nvptx | FileCheck %s --check-prefix=PLAN

// SCHEDULE: schedule = #kiln.grid<threads = 256, each = 4, collapse = true>
// SCHEDULE: schedule = #kiln.grid<threads = 256>

// GPU: gpu.func @kernel_0(%[[x:.*]]: !llvm.ptr {llvm.noalias}, %[[out:.*]]: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr) kernel
// GPU-SAME: kiln.extents = [array<i64: 0, 4194304>, array<i64: 0, 4194304>, array<i64: 0, 4>], known_block_size = array<i32: 256, 1, 1>
// GPU-DAG: gpu.block_id x
// GPU-DAG: gpu.thread_id x
// GPU-COUNT-4: llvm.load
// GPU-COUNT-4: llvm.store
// GPU: gpu.return
// GPU: gpu.func @kernel_1
// GPU: scf.if
// GPU: func.func @large(%[[a:.*]]: !llvm.ptr, %[[b:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[status:.*]]: !llvm.ptr)
// GPU: gpu.launch_func @kernels::@kernel_0 blocks in (%c1024{{.*}}) threads in (%c256{{.*}}) args(%[[a]] : !llvm.ptr, %[[b]] : !llvm.ptr, %[[status]] : !llvm.ptr)

// PTX: .target sm_80
// PTX: .visible .entry kernel_0
// PTX: .maxntid 256, 1, 1
// PTX-COUNT-4: ld.global.b32
// PTX: mul.rn.f32
// PTX: div.rn.f32
// PTX-NOT: {{fma|ftz|approx|extern}}
// HOPPER: .target sm_90a

// PLAN: kiln-launch-plan 4
// PLAN-NEXT: program large 1 1 0 0
// PLAN-NEXT: launch kernel_0 1024 256 0
// PLAN-NEXT: input 0 0 4194304
// PLAN-NEXT: output 0 0 4194304
// PLAN-NEXT: status 0 0 4
// PLAN-NEXT: end
// PLAN-NEXT: program small 1 1 0 0
// PLAN: code
func.func @large(%x: tensor<1024x1024xf32>) -> tensor<1024x1024xf32> {
  %0 = kiln.multiply %x, %x : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %1 = kiln.add %0, %x : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %2 = kiln.divide %1, %x : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  return %2 : tensor<1024x1024xf32>
}

func.func @small(%x: tensor<300xf32>) -> tensor<300xf32> {
  %0 = kiln.multiply %x, %x : (tensor<300xf32>, tensor<300xf32>) -> tensor<300xf32>
  return %0 : tensor<300xf32>
}
