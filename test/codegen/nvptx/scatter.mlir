// Scatters: a copy, and a line a thread where updates are few; else these are sorted by where they go, and a thread puts those of one element, in their order.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-translate %s --mlir-to-code --target=nvptx | FileCheck %s --check-prefix=PLAN

// SCHEDULE: #kiln.lines<threads = 64>
// SCHEDULE: #kiln.merge_sort<threads = 512, part = 4096>

// PLAN: program few
// PLAN-NEXT: launch kernel_0 2 256 0
// PLAN: launch kernel_1 1 64 0
// PLAN: program many
// PLAN-NEXT: launch kernel_2 400 256 0
// PLAN: launch kernel_3 2 512 32768
// PLAN: launch kernel_4 2 512 32784
// PLAN: launch kernel_5 1954 256 0
func.func @few(%x: tensor<10x40xf32>, %i: tensor<8xi64>, %y: tensor<8x40xf32>) -> tensor<10x40xf32> {
  %r = kiln.scatter_add %x, %i, %y {axis = 0} : (tensor<10x40xf32>, tensor<8xi64>, tensor<8x40xf32>) -> tensor<10x40xf32>
  return %r : tensor<10x40xf32>
}

func.func @many(%x: tensor<1024x100xf32>, %i: tensor<5000xi64>, %y: tensor<5000x100xf32>) -> tensor<1024x100xf32> {
  %r = kiln.scatter_add %x, %i, %y {axis = 0} : (tensor<1024x100xf32>, tensor<5000xi64>, tensor<5000x100xf32>) -> tensor<1024x100xf32>
  return %r : tensor<1024x100xf32>
}
