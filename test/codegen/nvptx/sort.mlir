// Sorts: parts by a bitonic network in shared memory; longer lines are merged by further launches, whose last writes the result.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-code --target=nvptx | FileCheck %s --check-prefix=PLAN

// SCHEDULE: #kiln.merge_sort<threads = 64, part = 128>
// SCHEDULE: #kiln.merge_sort<threads = 512, part = 4096>
// SCHEDULE: #kiln.merge_sort<threads = 512, part = 2048>

// GPU: gpu.func @kernel_0
// GPU: scf.for
// GPU: scf.for
// GPU: gpu.barrier
// GPU: gpu.func @kernel_1
// GPU: gpu.func @kernel_2
// GPU: scf.while
// GPU: gpu.barrier
// GPU: gpu.barrier
// GPU: scf.while

// PLAN: program rows 1 1 0
// PLAN-NEXT: launch kernel_0 1000 64 1024
// PLAN: program long 1 1 160000
// PLAN-NEXT: launch kernel_1 3 512 32768
// PLAN: launch kernel_2 3 512 32784
// PLAN: launch kernel_3 3 512 32784
// PLAN-NEXT: input 0 0 40000
// PLAN-NEXT: output 0 0 80000
func.func @rows(%x: tensor<1000x100xf32>) -> tensor<1000x100xf32> {
  %r = kiln.sort %x {axis = 1, descending = 0} : (tensor<1000x100xf32>) -> tensor<1000x100xf32>
  return %r : tensor<1000x100xf32>
}

func.func @long(%x: tensor<10000xf32>) -> tensor<10000xi64> {
  %r = kiln.argsort %x {axis = 0, descending = 1} : (tensor<10000xf32>) -> tensor<10000xi64>
  return %r : tensor<10000xi64>
}

func.func @wide(%x: tensor<10000xi64>) -> tensor<10000xi64> {
  %r = kiln.sort %x {axis = 0, descending = 0} : (tensor<10000xi64>) -> tensor<10000xi64>
  return %r : tensor<10000xi64>
}
