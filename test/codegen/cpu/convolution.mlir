// What the emitter of convolutions makes of a schedule.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s
// RUN: kiln-run %s --all --target=both

// A tile of 3 positions x 4 filters is three vectors; lines are shared by threads.
// CHECK-LABEL: llvm.func internal @tiles.kernel_0.task_0
// CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>)
func.func @tiles(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x8x8x3xf32>, %b = %w : tensor<3x3x3x4xf32>) -> (tensor<1x6x6x4xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32>
    kiln.yield %c : tensor<1x6x6x4xf32>
  } {schedule = #kiln.convolution<tile = 3x4, lanes = 4, parallel = lines>, workspace = array<i64: -1>}
  return %0 : tensor<1x6x6x4xf32>
}

// A task of as many lines as an image has takes whole images, each of which it lays out in memory of its own.
// CHECK-LABEL: llvm.func internal @images.kernel_0.task_0
// CHECK: llvm.store
// CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>)
// CHECK-LABEL: func.func @images.kernel_0
// CHECK-NOT: llvm.store {{.*}} : vector
func.func @images(%x: tensor<5x3x3x3xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<5x3x3x4xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "convolution"(%a = %x : tensor<5x3x3x3xf32>, %b = %w : tensor<3x3x3x4xf32>) -> (tensor<5x3x3x4xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 1, 1>, high = array<i64: 1, 1>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<5x3x3x3xf32>, tensor<3x3x3x4xf32>) -> tensor<5x3x3x4xf32>
    kiln.yield %c : tensor<5x3x3x4xf32>
  } {schedule = #kiln.convolution<tile = 3x4, lanes = 4, copy = true, parallel = lines, grain = 3>, workspace = array<i64: -1>}
  return %0 : tensor<5x3x3x4xf32>
}

// Weights in panels, shared by filters; the image with its padding is laid out before.
// CHECK-LABEL: llvm.func internal @packed.kernel_0.task_0
// CHECK: scf.for {{.*}} -> (vector<2xf32>, vector<2xf32>, vector<2xf32>, vector<2xf32>)
func.func @packed(%x: tensor<2x8x8x3xf32>, %w: tensor<3x3x3x6xf32>) -> tensor<2x8x8x6xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "convolution"(%a = %x : tensor<2x8x8x3xf32>, %b = %w : tensor<3x3x3x6xf32>) -> (tensor<2x8x8x6xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 1, 1>, high = array<i64: 1, 1>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<2x8x8x3xf32>, tensor<3x3x3x6xf32>) -> tensor<2x8x8x6xf32>
    kiln.yield %c : tensor<2x8x8x6xf32>
  } {schedule = #kiln.convolution<tile = 2x4, lanes = 2, pack = true, copy = true, parallel = filters>, workspace = array<i64: -1>}
  return %0 : tensor<2x8x8x6xf32>
}

// One position after the other, filters in 4 lanes.
// CHECK-LABEL: llvm.func internal @window.kernel_0.task_0
// CHECK: scf.for {{.*}} -> (vector<4xf32>)
func.func @window(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x6xf32>) -> tensor<1x6x6x6xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x8x8x3xf32>, %b = %w : tensor<3x3x3x6xf32>) -> (tensor<1x6x6x6xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xf32>, tensor<3x3x3x6xf32>) -> tensor<1x6x6x6xf32>
    kiln.yield %c : tensor<1x6x6x6xf32>
  } {schedule = #kiln.window<lanes = 4, parallel = 2>, workspace = array<i64: -1>}
  return %0 : tensor<1x6x6x6xf32>
}
