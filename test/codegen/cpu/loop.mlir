// A loop over the elements of an array: positions are values, not memory, and the runtime is asked whether to stop every few thousand trips.
// RUN: rm -rf %t && mkdir %t && kilnc %s --emit llvm -o %t/running.ll
// RUN: FileCheck %s < %t/running.ll
// RUN: kiln-run %s --all --target=both

// CHECK-LABEL: define internal i32 @{{.*}}.kernel_1.slot_{{[0-9]+}}(
// CHECK-NOT: alloca
// CHECK: select i1 %{{.*}}, i64 9223372036854775807, i64 {{[1-9][0-9][0-9][0-9]$}}
// CHECK: fadd {{.*}}double
// CHECK: store
// CHECK-NOT: <2 x i64>
// CHECK: ret i32
func.func @running(%x: tensor<50x50xf64>) -> tensor<50x50xf64> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %last, %sums = kiln.loop @isInside, @addOne(%zero, %x) : (tensor<i64>, tensor<50x50xf64>) -> (tensor<i64>, tensor<50x50xf64>)
  return %sums : tensor<50x50xf64>
}
func.func private @isInside(%i: tensor<i64>, %x: tensor<50x50xf64>) -> tensor<i1> {
  %end = kiln.constant 49 : i64 : tensor<i64>
  %r = kiln.less %i, %end : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @addOne(%i: tensor<i64>, %x: tensor<50x50xf64>) -> (tensor<i64>, tensor<50x50xf64>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %next = kiln.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %axis = kiln.iota {axis = 0 : i64} : tensor<2xi64>
  %ones = kiln.broadcast %one {axes = array<i64>} : (tensor<i64>) -> tensor<2xi64>
  %is_row = kiln.less %axis, %ones : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi1>
  %column = kiln.broadcast %i {axes = array<i64>} : (tensor<i64>) -> tensor<2xi64>
  %behind = kiln.broadcast %next {axes = array<i64>} : (tensor<i64>) -> tensor<2xi64>
  %at = kiln.select %is_row, %ones, %column : (tensor<2xi1>, tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %to = kiln.select %is_row, %ones, %behind : (tensor<2xi1>, tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %a = kiln.dynamic_slice %x, %at {sizes = array<i64: 1, 1>} : (tensor<50x50xf64>, tensor<2xi64>) -> tensor<1x1xf64>
  %b = kiln.dynamic_slice %x, %to {sizes = array<i64: 1, 1>} : (tensor<50x50xf64>, tensor<2xi64>) -> tensor<1x1xf64>
  %sum = kiln.add %a, %b : (tensor<1x1xf64>, tensor<1x1xf64>) -> tensor<1x1xf64>
  %r = kiln.dynamic_update %x, %sum, %to : (tensor<50x50xf64>, tensor<1x1xf64>, tensor<2xi64>) -> tensor<50x50xf64>
  return %next, %r : tensor<i64>, tensor<50x50xf64>
}
