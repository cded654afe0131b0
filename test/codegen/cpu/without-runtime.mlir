// Every kernel has a form without the runtime's table: what would be shared between threads runs in order, to the same bits.
// RUN: kiln-run %s --entry=elementwise --without-runtime --check > /dev/null
// RUN: kiln-run %s --entry=rows --without-runtime --check > /dev/null
// RUN: kiln-run %s --entry=product --without-runtime --check > /dev/null
// RUN: kiln-run %s --entry=sorted --without-runtime --check > /dev/null
// RUN: not kiln-run %s --entry=triangle --input=4,2,2,3 --without-runtime 2>&1 | FileCheck %s
// CHECK: kiln-run: a library routine gave status 16

// The task is called, not handed over, where there is no table.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule --kiln-emit-cpu | FileCheck %s --check-prefix=EMIT
// EMIT-LABEL: func.func @elementwise.kernel_0
// EMIT: %[[null:.*]] = llvm.mlir.zero
// EMIT: %[[is:.*]] = llvm.icmp "ne" %{{.*}}, %[[null]]
// EMIT: scf.if %[[is]]
// EMIT: } else {
// EMIT: llvm.call @elementwise.kernel_0.task_0
func.func @elementwise(%x: tensor<200x1000xf32>) -> tensor<200x1000xf32> {
  %r = kiln.exp %x : (tensor<200x1000xf32>) -> tensor<200x1000xf32>
  return %r : tensor<200x1000xf32>
}

func.func @rows(%x: tensor<300x700xf32>) -> tensor<300xf32> {
  %r = kiln.sum %x {axes = array<i64: 1>} : (tensor<300x700xf32>) -> tensor<300xf32>
  return %r : tensor<300xf32>
}

func.func @product(%x: tensor<100x70xf32> {kiln.input = "0.5"}, %y: tensor<70x90xf32>) -> tensor<100x90xf32> {
  %r = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<100x70xf32>, tensor<70x90xf32>) -> tensor<100x90xf32>
  return %r : tensor<100x90xf32>
}

func.func @sorted(%x: tensor<200x300xi32>) -> tensor<200x300xi32> {
  %r = kiln.sort %x {axis = 1 : i64, descending = 1 : i64} : (tensor<200x300xi32>) -> tensor<200x300xi32>
  return %r : tensor<200x300xi32>
}

func.func @triangle(%x: tensor<2x2xf64>) -> tensor<2x2xf64> {
  %r = kiln.cholesky %x {upper = 0 : i64} : (tensor<2x2xf64>) -> tensor<2x2xf64>
  return %r : tensor<2x2xf64>
}
