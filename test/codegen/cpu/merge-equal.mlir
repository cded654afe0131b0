// A trip that is left outside of a loop runs the kernel of the body, with its task.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule --kiln-emit-cpu --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: emit-cpu.merged: 3

// CHECK-COUNT-1: llvm.func internal @trips.body.kernel_1.task_0
// CHECK-NOT: llvm.func internal @trips.kernel_
// CHECK: func.func @trips(
// CHECK: call @trips.kernel_0(
// CHECK: call @trips.body.kernel_1(
func.func @trips(%x: tensor<256x256xf32>, %n: tensor<i64>) -> tensor<256x256xf32> {
  %0 = kiln.dot_general %x, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  %1:2 = kiln.loop @trips.goes, @trips.body(%n, %0, %x) : (tensor<i64>, tensor<256x256xf32>, tensor<256x256xf32>) -> (tensor<i64>, tensor<256x256xf32>)
  %2 = kiln.dot_general %1#1, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  return %2 : tensor<256x256xf32>
}
func.func private @trips.goes(%n: tensor<i64>, %y: tensor<256x256xf32>, %x: tensor<256x256xf32>) -> tensor<i1> {
  %0 = kiln.constant 0 : i64 : tensor<i64>
  %1 = kiln.greater %n, %0 : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %1 : tensor<i1>
}
func.func private @trips.body(%n: tensor<i64>, %y: tensor<256x256xf32>, %x: tensor<256x256xf32>) -> (tensor<i64>, tensor<256x256xf32>) {
  %0 = kiln.constant 1 : i64 : tensor<i64>
  %1 = kiln.subtract %n, %0 : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %2 = kiln.dot_general %y, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  return %1, %2 : tensor<i64>, tensor<256x256xf32>
}
