// What a target cannot do is refused before it is asked to.
// RUN: not kiln-run %s --entry=sum --target=toy --load=%build/lib/libkiln_target_toy.so 2>&1 | FileCheck %s --check-prefix=SUM
// SUM: target 'toy': expected a kind of kernel that it can run, got 'reduction'
func.func @sum(%x: tensor<4xf32>) -> tensor<f32> {
  %r = kiln.sum %x {axes = array<i64: 0>} : (tensor<4xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// RUN: not kiln-run %s --target=nothing 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: target: expected one of cpu, {{.*}}got 'nothing'

// RUN: not kiln-run %s --load=%build/lib/nothing.so 2>&1 | FileCheck %s --check-prefix=LIBRARY
// LIBRARY: kiln-run: --load: expected a library, got '{{.*}}nothing.so'

// RUN: not kiln-translate %S/Inputs/open.mlir --mlir-to-assembly --target=toy --load=%build/lib/libkiln_target_toy.so 2>&1 | FileCheck %s --check-prefix=OPEN
// OPEN: target 'toy': expected sizes that are known, got a program for any size
