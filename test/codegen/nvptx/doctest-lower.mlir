// The example of the pass's page: what one thread does, in the dialects of LLVM and the device; no function of a library is called.
// RUN: kiln-opt %s --pass-pipeline='builtin.module(gpu.module(kiln-lower-to-nvvm))' | FileCheck %s

// CHECK: llvm.func @twice({{.*}}) attributes {{{.*}}nvvm.kernel
// CHECK: nvvm.read.ptx.sreg.tid.x
// CHECK: llvm.load {{.*}} -> f32
// CHECK: llvm.intr.fma
// CHECK: llvm.store
// CHECK: llvm.return
// CHECK-NOT: {{__nv_|unrealized_conversion_cast}}
gpu.module @kernels {
  gpu.func @twice(%x: !llvm.ptr, %out: !llvm.ptr) kernel {
    %thread = gpu.thread_id x
    %i = arith.index_castui %thread : index to i64
    %from = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %v = llvm.load %from : !llvm.ptr -> f32
    %y = math.fma %v, %v, %v : f32
    %to = llvm.getelementptr %out[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    llvm.store %y, %to : f32, !llvm.ptr
    gpu.return
  }
}
