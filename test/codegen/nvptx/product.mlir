// Products: blocks of both operands in shared memory, a stage that threads multiply and others that are on their way.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx | FileCheck %s --check-prefix=PTX
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx --cpu=sm_90a | FileCheck %s --check-prefix=HOPPER

// Groups of four warps, for the chip that has such. The block of 197 KB is no declared memory.
// HOPPER: .extern .shared .align 1024 .b8 kernel_5_shared[];
// HOPPER: .entry kernel_5
// HOPPER: cp.async.cg.shared.global
// HOPPER: wgmma.fence.sync.aligned
// HOPPER-COUNT-4: wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16
// HOPPER: wgmma.wait_group.sync.aligned 1
// HOPPER: fence.proxy.async.shared::cta
// HOPPER: bar.sync
// HOPPER: wgmma.wait_group.sync.aligned 0
// HOPPER: .entry kernel_6

// SCHEDULE-LABEL: @large
// SCHEDULE: #kiln.thread_tiles<tile = 8x8, block = 128x128x16, copy = both, wide = both, occupancy = 2>
// SCHEDULE-LABEL: @odd
// SCHEDULE: #kiln.thread_tiles<tile = 2x2, block = 32x32x32, stages = 4, copy = both, wide = b>
// SCHEDULE-LABEL: @computed
// SCHEDULE: #kiln.thread_tiles<tile = 2x2, block = 32x32x32, copy = b, wide = b>
// SCHEDULE-LABEL: @few_rows
// SCHEDULE: #kiln.thread_tiles<tile = 1x1, block = 4x32x64, stages = 4, copy = both, wide = both>
// SCHEDULE-LABEL: @doubles
// SCHEDULE: #kiln.thread_tiles<tile = 8x4, block = 128x64x8, copy = both, wide = both, occupancy = 2>
// SCHEDULE-LABEL: @narrow
// SCHEDULE: #kiln.matrix_tiles<tile = 64x64, block = 128x256x32, stages = 3, wide = both>
// SCHEDULE-LABEL: @narrow_odd
// SCHEDULE: #kiln.matrix_tiles<tile = 16x16, block = 32x32x64, wide = b>

// More shared memory than a kernel may declare: the launch asks for it.
// GPU: llvm.mlir.global external @kernel_5_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
// The first stage, then a loop that waits for one and starts the next.
// GPU: gpu.func @kernel_0
// GPU-SAME: nvvm.minctasm = 2 : i32
// GPU-COUNT-2: nvvm.cp.async.shared.global {{.*}}, 16, cache = cg
// Where the array lies at no multiple of 16 bytes.
// GPU-COUNT-8: nvvm.cp.async.shared.global {{.*}}, 4, cache = ca
// GPU: nvvm.cp.async.commit.group
// GPU: scf.for {{.*}} iter_args
// GPU: nvvm.cp.async.wait.group 0
// GPU-NEXT: gpu.barrier
// GPU: nvvm.cp.async.shared.global
// GPU: nvvm.cp.async.commit.group
// GPU: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
// GPU-COUNT-1024: math.fma
// GPU-NOT: math.fma
// GPU: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xf32>
// What is left of the contracted axis stands behind the loop.
// GPU: gpu.func @kernel_1
// GPU: scf.for
// GPU-COUNT-128: math.fma
// GPU: nvvm.cp.async.wait.group 0
// GPU-NEXT: gpu.barrier
// GPU: scf.for
// GPU-COUNT-4: math.fma
// GPU-NOT: math.fma
// What is computed waits in registers.
// GPU: gpu.func @kernel_2
// GPU: scf.for
// GPU: arith.negf
// GPU: math.fma
// GPU: llvm.store
// A matrix unit; no one needs the sums as float32.
// GPU: gpu.func @kernel_5
// GPU: scf.for
// GPU-COUNT-8: nvvm.ldmatrix
// GPU-COUNT-32: nvvm.mma.sync
// GPU-COUNT-8: nvvm.ldmatrix
// GPU-COUNT-32: nvvm.mma.sync
// GPU-NOT: nvvm.mma.sync
// GPU: llvm.store {{.*}} {alignment = 4 : i64} : vector<2xi16>
// GPU: gpu.func @kernel_6
// Zeros behind the last step.
// GPU: arith.select

// PTX: .entry kernel_0
// PTX: .minnctapersm 2
// PTX: .shared .align 16 .b8 kernel_0_shared[36864];
// PTX: cp.async.cg.shared.global
// PTX: cp.async.commit_group
// PTX: ld.shared.v4.b32
// PTX: fma.rn.f32
// PTX: cp.async.wait_group 0
// PTX: bar.sync
// PTX: st.global.v4.b32
func.func @large(%x: tensor<2048x512xf32>, %y: tensor<512x2048xf32>) -> tensor<2048x2048xf32> {
  %r = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<2048x512xf32>, tensor<512x2048xf32>) -> tensor<2048x2048xf32>
  return %r : tensor<2048x2048xf32>
}

func.func @odd(%x: tensor<64x99xf32>, %y: tensor<99x64xf32>) -> tensor<64x64xf32> {
  %r = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x99xf32>, tensor<99x64xf32>) -> tensor<64x64xf32>
  return %r : tensor<64x64xf32>
}

func.func @computed(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %n = kiln.negative %x : (tensor<64x64xf32>) -> tensor<64x64xf32>
  %r = kiln.dot_general %n, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %r : tensor<64x64xf32>
}

func.func @few_rows(%x: tensor<3x64xf32>, %y: tensor<64x128xf32>) -> tensor<3x128xf32> {
  %r = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<3x64xf32>, tensor<64x128xf32>) -> tensor<3x128xf32>
  return %r : tensor<3x128xf32>
}

func.func @doubles(%x: tensor<2048x512xf64>, %y: tensor<512x2048xf64>) -> tensor<2048x2048xf64> {
  %r = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<2048x512xf64>, tensor<512x2048xf64>) -> tensor<2048x2048xf64>
  return %r : tensor<2048x2048xf64>
}

func.func @narrow(%x: tensor<2048x512xbf16>, %y: tensor<512x4096xbf16>) -> tensor<2048x4096xbf16> attributes {kiln.fast_math} {
  %a = kiln.cast %x : (tensor<2048x512xbf16>) -> tensor<2048x512xf32>
  %b = kiln.cast %y : (tensor<512x4096xbf16>) -> tensor<512x4096xf32>
  %p = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<2048x512xf32>, tensor<512x4096xf32>) -> tensor<2048x4096xf32>
  %r = kiln.cast %p : (tensor<2048x4096xf32>) -> tensor<2048x4096xbf16>
  return %r : tensor<2048x4096xbf16>
}

func.func @narrow_odd(%x: tensor<40x99xf16>, %y: tensor<99x40xf16>) -> tensor<40x40xf16> attributes {kiln.fast_math} {
  %a = kiln.cast %x : (tensor<40x99xf16>) -> tensor<40x99xf32>
  %b = kiln.cast %y : (tensor<99x40xf16>) -> tensor<99x40xf32>
  %p = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<40x99xf32>, tensor<99x40xf32>) -> tensor<40x40xf32>
  %r = kiln.cast %p : (tensor<40x40xf32>) -> tensor<40x40xf16>
  return %r : tensor<40x40xf16>
}
