// Stores past the caches where only the call knows the size.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s

module attributes {kiln.store_fence = "llvm.x86.sse.sfence", kiln.stream_bytes = 8388608 : i64} {
// The loop is there twice, and the call chooses; the fence stands where it chose to stream.
// CHECK-LABEL: func.func @open.kernel_0
// CHECK: [[LARGE:%.*]] = arith.andi {{.*}} : i1
// CHECK: scf.if [[LARGE]] {
// CHECK: llvm.store {{.*}} nontemporal
// CHECK: } else {
// CHECK-NOT: nontemporal
// CHECK: scf.if [[LARGE]] {
// CHECK-NEXT: llvm.x86.sse.sfence
// CHECK-LABEL: func.func @open(
// CHECK-NOT: sfence
// CHECK: return
func.func @open(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 1 : i64, kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {schedule = #kiln.nest<lanes = 16, stream = [0]>, workspace = array<i64: -1>}
  return %0 : tensor<?xf32, #kiln.symbols<0>>
}
}
