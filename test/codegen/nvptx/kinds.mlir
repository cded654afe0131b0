// The other kinds of kernels.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx | FileCheck %s --check-prefix=PTX

// SCHEDULE: #kiln.grid<threads = 256, transpose = 0>
// SCHEDULE: #kiln.lines<threads = 64, each = 8>
// SCHEDULE: #kiln.grid<threads = 256>

// A square goes through shared memory, with a pitch of 33.
// GPU: llvm.mlir.global internal @kernel_0_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<4224 x i8>
// GPU: gpu.func @kernel_0
// GPU: gpu.barrier
// GPU-NOT: gpu.barrier
// GPU: gpu.func @kernel_1
// GPU: scf.for
// GPU: gpu.func @kernel_2
// GPU: call @kiln_remainder_f32
// GPU-NOT: arith.remf
// GPU: func.func private @kiln_remainder_f32
// GPU: scf.while

// PTX: .shared .align 16 .b8 kernel_0_shared[4224];
// PTX: st.shared.b32
// PTX: bar.sync
// PTX: ld.shared.b32
// PTX-NOT: .extern
func.func @turn(%x: tensor<50x50xf32>) -> tensor<50x50xf32> {
  %r = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<50x50xf32>) -> tensor<50x50xf32>
  return %r : tensor<50x50xf32>
}

func.func @scan(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %r = kiln.cumulative_sum %x {axis = 0} : (tensor<64x64xf32>) -> tensor<64x64xf32>
  return %r : tensor<64x64xf32>
}

func.func @rest(%x: tensor<64xf32>, %y: tensor<64xf32>) -> tensor<64xf32> {
  %r = kiln.fmod %x, %y : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  return %r : tensor<64xf32>
}
