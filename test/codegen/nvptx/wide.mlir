// Accesses of 16 bytes: of transposes, of small elements, and where rows and columns are broadcast; each element by itself where a call's arrays begin elsewhere.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx --cpu=sm_90a | FileCheck %s --check-prefix=PTX

// SCHEDULE: #kiln.grid<threads = 256, transpose = 0, wide = 16, side = 128>
// SCHEDULE: #kiln.grid<threads = 256, transpose = 0, wide = 4, side = 64>
// SCHEDULE: #kiln.grid<threads = 256, collapse = true, wide = 8>
// SCHEDULE: #kiln.grid<threads = 256, wide = 4>
// SCHEDULE: #kiln.grid<threads = 256, each = 4>

// GPU: gpu.func @kernel_0
// GPU: llvm.ptrtoint
// GPU: scf.if
// GPU-COUNT-4: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<16xi8>
// GPU: gpu.barrier
// GPU-COUNT-4: llvm.store {{.*}} {alignment = 16 : i64} : vector<16xi8>, !llvm.ptr
// GPU: else
// GPU: llvm.load {{.*}} {alignment = 1 : i64} : !llvm.ptr -> i8
// GPU: gpu.func @kernel_1
// GPU: gpu.func @kernel_2
// GPU: scf.if
// GPU: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<8xi16>
// GPU: llvm.store {{.*}} {alignment = 16 : i64} : vector<8xi16>, !llvm.ptr
// GPU: else
// GPU: scf.for
// The row is read with one access, the column once; the rest of a row is found by divisions of 32 bits.
// GPU: gpu.func @kernel_3
// GPU: arith.remui {{.*}} : i32
// GPU: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
// GPU: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
// GPU: llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr -> f32
// GPU-NOT: llvm.load
// GPU: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr

// PTX: .entry kernel_0
// PTX-COUNT-4: ld.global.v4.b32
// PTX: st.shared.b32
// PTX: bar.sync
// PTX-COUNT-4: st.global.v4.b32
// PTX: .entry kernel_1
// PTX-COUNT-4: ld.global.v4.b32
// PTX-COUNT-4: st.global.v4.b32
func.func @bytes(%x: tensor<256x512xi8>) -> tensor<512x256xi8> {
  %r = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<256x512xi8>) -> tensor<512x256xi8>
  return %r : tensor<512x256xi8>
}

func.func @words(%x: tensor<256x512xf32>) -> tensor<512x256xf32> {
  %r = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<256x512xf32>) -> tensor<512x256xf32>
  return %r : tensor<512x256xf32>
}

func.func @narrow(%x: tensor<1024x1024xbf16>) -> tensor<1024x1024xbf16> {
  %r = kiln.negative %x : (tensor<1024x1024xbf16>) -> tensor<1024x1024xbf16>
  return %r : tensor<1024x1024xbf16>
}

func.func @broadcasts(%x: tensor<1024x1000xf32>, %y: tensor<1000xf32>, %z: tensor<1024xf32>) -> tensor<1024x1000xf32> {
  %0 = kiln.broadcast %y {axes = array<i64: 1>} : (tensor<1000xf32>) -> tensor<1024x1000xf32>
  %1 = kiln.broadcast %z {axes = array<i64: 0>} : (tensor<1024xf32>) -> tensor<1024x1000xf32>
  %2 = kiln.multiply %x, %0 : (tensor<1024x1000xf32>, tensor<1024x1000xf32>) -> tensor<1024x1000xf32>
  %3 = kiln.add %2, %1 : (tensor<1024x1000xf32>, tensor<1024x1000xf32>) -> tensor<1024x1000xf32>
  return %3 : tensor<1024x1000xf32>
}

func.func @odd(%x: tensor<1024x1001xf32>, %y: tensor<1001xf32>) -> tensor<1024x1001xf32> {
  %0 = kiln.broadcast %y {axes = array<i64: 1>} : (tensor<1001xf32>) -> tensor<1024x1001xf32>
  %1 = kiln.multiply %x, %0 : (tensor<1024x1001xf32>, tensor<1024x1001xf32>) -> tensor<1024x1001xf32>
  return %1 : tensor<1024x1001xf32>
}
