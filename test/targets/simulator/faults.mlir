// The simulator finds what a wrong emitter might do: faults that are planted into kernels before they run.
// RUN: kiln-run %s %simulated --check | FileCheck %s
// CHECK: float32[75, 50]: 0 75 150
// RUN: not env KILN_SIMULATOR_FAULT=no-barrier kiln-run %s %simulated 2>&1 | FileCheck %s --check-prefix=BARRIER
// BARRIER: simulator: kernel_0: race: a {{read|write}} of 4 bytes by thread {{[0-9]+}} of block 0 of shared memory and an earlier access, with no barrier between them
// RUN: not env KILN_SIMULATOR_FAULT=same-thread kiln-run %s %simulated 2>&1 | FileCheck %s --check-prefix=RACE
// RACE: simulator: kernel_0: race: a write of 4 bytes by thread 1 of block 0 of shared memory
// RUN: not env KILN_SIMULATOR_FAULT=same-thread kiln-run %s --entry=square %simulated 2>&1 | FileCheck %s --check-prefix=GLOBAL
// GLOBAL: simulator: kernel_1: race: a write of 4 bytes by thread 1 of block 0 of global memory
// RUN: not env KILN_SIMULATOR_FAULT=no-guard kiln-run %s %simulated 2>&1 | FileCheck %s --check-prefix=BOUNDS
// BOUNDS: simulator: kernel_0: out of bounds: a read of 4 bytes by thread {{[0-9]+}} of block
// RUN: not env KILN_SIMULATOR_FAULT=no-guard kiln-run %s --entry=square %simulated 2>&1 | FileCheck %s --check-prefix=GUARD
// GUARD: simulator: kernel_1: out of bounds: a read of 4 bytes by thread 44 of block 1
// RUN: not env KILN_SIMULATOR_FAULT=divergent-barrier kiln-run %s %simulated 2>&1 | FileCheck %s --check-prefix=DIVERGENT
// DIVERGENT: simulator: kernel_0: barrier: expected all 256 threads of block 0 at one, got 16 at some
// RUN: not env KILN_SIMULATOR_FAULT=divergent-shuffle kiln-run %s %simulated 2>&1 | FileCheck %s --check-prefix=SHUFFLE
// SHUFFLE: simulator: kernel_0: shuffle: expected 32 lanes at one, got 16
// RUN: not env KILN_SIMULATOR_FAULT=no-wait kiln-run %s --entry=product %simulated 2>&1 | FileCheck %s --check-prefix=COPY
// RUN: not env KILN_SIMULATOR_FAULT=early-wait kiln-run %s --entry=product %simulated 2>&1 | FileCheck %s --check-prefix=COPY
// COPY: simulator: kernel_2: asynchronous copy: a read of 8 bytes by thread {{[0-9]+}} of block 0, which a copy that nobody waited for may write
// RUN: not env KILN_SIMULATOR_FAULT=no-barrier kiln-run %s --entry=product %simulated 2>&1 | FileCheck %s --check-prefix=ARRIVED
// ARRIVED: simulator: kernel_2: {{race|asynchronous copy}}: a {{read|write}} of {{[0-9]+}} bytes by thread {{[0-9]+}} of block 0
// RUN: not env KILN_SIMULATOR_CHIP=sm_90a KILN_SIMULATOR_FAULT=no-product-wait kiln-run %s --entry=narrow %simulated 2>&1 | FileCheck %s --check-prefix=PRODUCT
// PRODUCT: simulator: kernel_3: asynchronous product: a write of 16 bytes by thread {{[0-9]+}} of block 0, which a product that nobody waited for may read
// RUN: not env KILN_SIMULATOR_FAULT=nothing kiln-run %s %simulated 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: KILN_SIMULATOR_FAULT: expected the name of a fault, got nothing
func.func @turn(%x: tensor<50x75xf32>) -> tensor<75x50xf32> {
  %t = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<50x75xf32>) -> tensor<75x50xf32>
  return %t : tensor<75x50xf32>
}

func.func @square(%x: tensor<300xf32>) -> tensor<300xf32> {
  %r = kiln.multiply %x, %x : (tensor<300xf32>, tensor<300xf32>) -> tensor<300xf32>
  return %r : tensor<300xf32>
}

func.func @product(%x: tensor<40x64xf32>, %y: tensor<64x40xf32>) -> tensor<40x40xf32> {
  %r = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<40x64xf32>, tensor<64x40xf32>) -> tensor<40x40xf32>
  return %r : tensor<40x40xf32>
}

func.func @narrow(%x: tensor<128x128x256xbf16>, %y: tensor<128x256x128xbf16>) -> tensor<128x128x128xf32> attributes {kiln.fast_math} {
  %a = kiln.cast %x : (tensor<128x128x256xbf16>) -> tensor<128x128x256xf32>
  %b = kiln.cast %y : (tensor<128x256x128xbf16>) -> tensor<128x256x128xf32>
  %r = kiln.dot_general %a, %b {x_batch = array<i64: 0>, y_batch = array<i64: 0>, x_axis = 2, y_axis = 1} : (tensor<128x128x256xf32>, tensor<128x256x128xf32>) -> tensor<128x128x128xf32>
  return %r : tensor<128x128x128xf32>
}
