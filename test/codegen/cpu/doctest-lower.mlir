// The example of the pass's page: a loop over vectors in one conversion.
// RUN: kiln-opt %s --kiln-lower-to-llvm | FileCheck %s

// CHECK-LABEL: llvm.func @twice(
// CHECK: llvm.br ^[[head:.*]](%{{.*}} : i64)
// CHECK: ^[[head]](%[[i:.*]]: i64):
// CHECK: %[[goes:.*]] = llvm.icmp "slt" %[[i]]
// CHECK-NEXT: llvm.cond_br %[[goes]]
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.fadd {{.*}} : vector<8xf32>
// CHECK: llvm.store {{.*}} : vector<8xf32>
// CHECK: llvm.br ^[[head]]
// CHECK: llvm.return
// CHECK-NOT: unrealized_conversion_cast
func.func @twice(%x: !llvm.ptr, %out: !llvm.ptr, %n: i64) {
  %zero = arith.constant 0 : i64
  %step = arith.constant 8 : i64
  scf.for %i = %zero to %n step %step : i64 {
    %from = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %v = llvm.load %from : !llvm.ptr -> vector<8xf32>
    %sum = arith.addf %v, %v : vector<8xf32>
    %to = llvm.getelementptr %out[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    llvm.store %sum, %to : vector<8xf32>, !llvm.ptr
  }
  return
}
