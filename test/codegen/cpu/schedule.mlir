// The schedule of each kind of kernel, and its text.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule --kiln-stats --mlir-disable-threading 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: schedule.kernels: 27
// What was printed is read, and kept.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule | kiln-opt --kiln-schedule | FileCheck %s
// Wider registers have other tiles.
// RUN: echo "module attributes {kiln.vector_bytes = 64 : i64} {" > %t.mlir
// RUN: cat %s >> %t.mlir
// RUN: echo "}" >> %t.mlir
// RUN: kiln-opt %t.mlir --kiln-fuse-pipeline --kiln-schedule | FileCheck %s --check-prefix=WIDE

// CHECK-LABEL: @product
// CHECK: schedule = #kiln.product<tile = 6x16, lanes = 16, block = 90x256x256, pack = b, parallel = rows>
// WIDE-LABEL: @product
// WIDE: schedule = #kiln.product<tile = 8x32, lanes = 16, block = 88x256x256, pack = b, parallel = rows>
func.func @product(%x: tensor<256x256xf32>, %y: tensor<256x256xf32>) -> tensor<256x256xf32> {
  %0 = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  return %0 : tensor<256x256xf32>
}

// Products whose tiles are alike share the code of them, where all are whole.
// CHECK-LABEL: @shared
// CHECK-NOT: shared = true
// WIDE-LABEL: @shared
// WIDE: schedule = #kiln.product<tile = 8x32, lanes = 16, block = 88x256x256, pack = b, parallel = rows, shared = true>
// WIDE: schedule = #kiln.product<tile = 8x32, lanes = 16, block = 88x256x256, pack = b, parallel = rows, shared = true>
// WIDE: schedule = #kiln.product<tile = 10x32, lanes = 16, block = 90x256x256, pack = b, parallel = rows>
func.func @shared(%x: tensor<256x256xf32>, %y: tensor<256x256xf32>, %z: tensor<90x256xf32>) -> (tensor<256x256xf32>, tensor<256x256xf32>, tensor<90x256xf32>) {
  %0 = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  %1 = kiln.dot_general %y, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  %2 = kiln.dot_general %z, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<90x256xf32>, tensor<256x256xf32>) -> tensor<90x256xf32>
  return %0, %1, %2 : tensor<256x256xf32>, tensor<256x256xf32>, tensor<90x256xf32>
}

// Packed on both sides; what follows runs in 16 lanes.
// CHECK-LABEL: @product_exp
// CHECK: schedule = #kiln.product<tile = 6x8, lanes = 8, block = 48x512x256, pack = both, prefetch = true, parallel = rows, epilogue = 16>
func.func @product_exp(%x: tensor<512x512xf64>, %y: tensor<512x512xf64>) -> tensor<512x512xf64> {
  %0 = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 1} : (tensor<512x512xf64>, tensor<512x512xf64>) -> tensor<512x512xf64>
  %1 = kiln.exp %0 : (tensor<512x512xf64>) -> tensor<512x512xf64>
  return %1 : tensor<512x512xf64>
}

// Few rows.
// CHECK-LABEL: @skinny
// CHECK: schedule = #kiln.rank_update<depth = 4, lanes = 8>
func.func @skinny(%x: tensor<6x512xf32>, %y: tensor<512x512xf32>) -> tensor<6x512xf32> {
  %0 = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<6x512xf32>, tensor<512x512xf32>) -> tensor<6x512xf32>
  return %0 : tensor<6x512xf32>
}

// All rows in one block: panels of the right operand are short, and threads share columns. Wide registers keep some more rows for that.
// CHECK-LABEL: @few_rows
// CHECK: schedule = #kiln.product<tile = 4x16, lanes = 16, block = 16x512x171, pack = both, prefetch = true, parallel = columns, first = true>
// WIDE-LABEL: @few_rows
// WIDE: schedule = #kiln.product<tile = 8x32, lanes = 16, block = 16x512x171, pack = both, prefetch = true, parallel = columns, first = true>
func.func @few_rows(%x: tensor<16x1024xf32>, %y: tensor<1024x2048xf32>) -> tensor<16x2048xf32> {
  %0 = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<16x1024xf32>, tensor<1024x2048xf32>) -> tensor<16x2048xf32>
  return %0 : tensor<16x2048xf32>
}

// A batch that shares its matrix is more rows.
// CHECK-LABEL: @folded
// CHECK: fold = 1
func.func @folded(%x: tensor<8x64x32xf32>, %y: tensor<32x64xf32>) -> tensor<8x64x64xf32> {
  %b = kiln.broadcast %y {axes = array<i64: 1, 2>} : (tensor<32x64xf32>) -> tensor<8x32x64xf32>
  %0 = kiln.dot_general %x, %b {x_batch = array<i64: 0>, y_batch = array<i64: 0>, x_axis = 2, y_axis = 1} : (tensor<8x64x32xf32>, tensor<8x32x64xf32>) -> tensor<8x64x64xf32>
  return %0 : tensor<8x64x64xf32>
}

// The exponential is kept from the sum for the quotient.
// CHECK-LABEL: @softmax
// CHECK: schedule = #kiln.rows<stages = [<reduce = [0]>, <reduce = [4], keep = [3]>], lanes = 32, parallel = 0, grain = 10, prefetch = 4096>
func.func @softmax(%x: tensor<4096x1000xf32>) -> tensor<4096x1000xf32> {
  %m = kiln.max %x {axes = array<i64: 1>} : (tensor<4096x1000xf32>) -> tensor<4096xf32>
  %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<4096xf32>) -> tensor<4096x1000xf32>
  %d = kiln.subtract %x, %mb : (tensor<4096x1000xf32>, tensor<4096x1000xf32>) -> tensor<4096x1000xf32>
  %e = kiln.exp %d : (tensor<4096x1000xf32>) -> tensor<4096x1000xf32>
  %s = kiln.sum %e {axes = array<i64: 1>} : (tensor<4096x1000xf32>) -> tensor<4096xf32>
  %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<4096xf32>) -> tensor<4096x1000xf32>
  %r = kiln.divide %e, %sb : (tensor<4096x1000xf32>, tensor<4096x1000xf32>) -> tensor<4096x1000xf32>
  return %r : tensor<4096x1000xf32>
}

// One plain sum sweeps the rows; with a result of the operand's shape, columns are walked.
// CHECK-LABEL: @columns
// CHECK: schedule = #kiln.columns<stages = [<reduce = [0]>], lanes = 32, sweep = 512, rows = 8, parallel = 1>
func.func @columns(%x: tensor<3000x777xf32>) -> (tensor<777xf32>) {
  %s = kiln.sum %x {axes = array<i64: 0>} : (tensor<3000x777xf32>) -> tensor<777xf32>
  return %s : tensor<777xf32>
}
// CHECK-LABEL: @normalized_columns
// CHECK: schedule = #kiln.columns<stages = [<reduce = [0]>], lanes = 32, wide = 64, prefetch = 8, parallel = 1>
func.func @normalized_columns(%x: tensor<3000x777xf32>) -> (tensor<3000x777xf32>) {
  %s = kiln.sum %x {axes = array<i64: 0>} : (tensor<3000x777xf32>) -> tensor<777xf32>
  %sb = kiln.broadcast %s {axes = array<i64: 1>} : (tensor<777xf32>) -> tensor<3000x777xf32>
  %r = kiln.divide %x, %sb : (tensor<3000x777xf32>, tensor<3000x777xf32>) -> tensor<3000x777xf32>
  return %r : tensor<3000x777xf32>
}

// CHECK-LABEL: @nest
// CHECK: schedule = #kiln.nest<lanes = 32, parallel = 0, grain = 5>
func.func @nest(%x: tensor<4000x2000xf32>, %y: tensor<2000xf32>) -> tensor<4000x2000xf32> {
  %b = kiln.broadcast %y {axes = array<i64: 1>} : (tensor<2000xf32>) -> tensor<4000x2000xf32>
  %0 = kiln.add %x, %b : (tensor<4000x2000xf32>, tensor<4000x2000xf32>) -> tensor<4000x2000xf32>
  %1 = kiln.exp %0 : (tensor<4000x2000xf32>) -> tensor<4000x2000xf32>
  return %1 : tensor<4000x2000xf32>
}

// All axes are one.
// CHECK-LABEL: @flat
// CHECK: schedule = #kiln.nest<lanes = 32, collapse = true, parallel = 0, grain = 1024>
func.func @flat(%x: tensor<4000x2001xf32>) -> tensor<4000x2001xf32> {
  %1 = kiln.negative %x : (tensor<4000x2001xf32>) -> tensor<4000x2001xf32>
  return %1 : tensor<4000x2001xf32>
}

// CHECK-LABEL: @transposed
// CHECK: schedule = #kiln.nest<lanes = 8, transpose = 0, block = 512, parallel = 0>
func.func @transposed(%x: tensor<1000x2000xf32>, %y: tensor<2000x1000xf32>) -> tensor<2000x1000xf32> {
  %t = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<1000x2000xf32>) -> tensor<2000x1000xf32>
  %1 = kiln.add %t, %y : (tensor<2000x1000xf32>, tensor<2000x1000xf32>) -> tensor<2000x1000xf32>
  return %1 : tensor<2000x1000xf32>
}

// Rows of a stencil share what they read.
// CHECK-LABEL: @stencil
// CHECK: schedule = #kiln.nest<lanes = 16, rows = 4, parallel = 0, grain = 8>
func.func @stencil(%x: tensor<1002x1002xf32>) -> tensor<1000x1000xf32> {
  %a = kiln.slice %x {starts = array<i64: 0, 1>, sizes = array<i64: 1000, 1000>, steps = array<i64: 1, 1>} : (tensor<1002x1002xf32>) -> tensor<1000x1000xf32>
  %b = kiln.slice %x {starts = array<i64: 2, 1>, sizes = array<i64: 1000, 1000>, steps = array<i64: 1, 1>} : (tensor<1002x1002xf32>) -> tensor<1000x1000xf32>
  %c = kiln.slice %x {starts = array<i64: 1, 1>, sizes = array<i64: 1000, 1000>, steps = array<i64: 1, 1>} : (tensor<1002x1002xf32>) -> tensor<1000x1000xf32>
  %0 = kiln.add %a, %b : (tensor<1000x1000xf32>, tensor<1000x1000xf32>) -> tensor<1000x1000xf32>
  %1 = kiln.add %0, %c : (tensor<1000x1000xf32>, tensor<1000x1000xf32>) -> tensor<1000x1000xf32>
  return %1 : tensor<1000x1000xf32>
}

// CHECK-LABEL: @convolution
// CHECK: schedule = #kiln.convolution<tile = 4x16, lanes = 16, parallel = lines>
func.func @convolution(%x: tensor<2x58x58x64xf32>, %w: tensor<3x3x64x64xf32>) -> tensor<2x56x56x64xf32> {
  %0 = kiln.convolution %x, %w {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<2x58x58x64xf32>, tensor<3x3x64x64xf32>) -> tensor<2x56x56x64xf32>
  return %0 : tensor<2x56x56x64xf32>
}

// Padding is laid out once, large weights are packed.
// CHECK-LABEL: @large_convolution
// CHECK: schedule = #kiln.convolution<tile = 5x16, lanes = 16, pack = true, copy = true, parallel = filters, epilogue = 32>
func.func @large_convolution(%x: tensor<1x14x14x256xf32>, %w: tensor<3x3x256x200xf32>) -> tensor<1x14x14x200xf32> {
  %0 = kiln.convolution %x, %w {strides = array<i64: 1, 1>, low = array<i64: 1, 1>, high = array<i64: 1, 1>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x14x14x256xf32>, tensor<3x3x256x200xf32>) -> tensor<1x14x14x200xf32>
  %1 = kiln.tanh %0 : (tensor<1x14x14x200xf32>) -> tensor<1x14x14x200xf32>
  return %1 : tensor<1x14x14x200xf32>
}

// Integers have no tiles.
// CHECK-LABEL: @window
// CHECK: schedule = #kiln.window<lanes = 4>
func.func @window(%x: tensor<1x8x8x3xi32>, %w: tensor<3x3x3x4xi32>) -> tensor<1x6x6x4xi32> {
  %0 = kiln.convolution %x, %w {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xi32>, tensor<3x3x3x4xi32>) -> tensor<1x6x6x4xi32>
  return %0 : tensor<1x6x6x4xi32>
}

// CHECK-LABEL: @sort
// CHECK: schedule = #kiln.sort<parallel = 0>
func.func @sort(%x: tensor<100x1000xf32>) -> tensor<100x1000xf32> {
  %0 = kiln.sort %x {axis = 1, descending = 0} : (tensor<100x1000xf32>) -> tensor<100x1000xf32>
  return %0 : tensor<100x1000xf32>
}

// CHECK-LABEL: @scans
// CHECK: schedule = #kiln.scan<lanes = 1, parallel = 0, grain = 8>
// CHECK: schedule = #kiln.scan<lanes = 32>
func.func @scans(%x: tensor<100x1000xf32>) -> (tensor<100x1000xf32>, tensor<100x1000xf32>) {
  %0 = kiln.cumulative_sum %x {axis = 1} : (tensor<100x1000xf32>) -> tensor<100x1000xf32>
  %1 = kiln.cumulative_sum %x {axis = 0} : (tensor<100x1000xf32>) -> tensor<100x1000xf32>
  return %0, %1 : tensor<100x1000xf32>, tensor<100x1000xf32>
}

// CHECK-LABEL: @concat
// CHECK: schedule = #kiln.assemble<parts = [<lanes = 32, parallel = 0, grain = 65>, <lanes = 32, parallel = 0, grain = 109>]>
func.func @concat(%x: tensor<1000x500xf32>, %y: tensor<1000x300xf32>) -> tensor<1000x800xf32> {
  %0 = kiln.concat %x, %y {axis = 1} : (tensor<1000x500xf32>, tensor<1000x300xf32>) -> tensor<1000x800xf32>
  return %0 : tensor<1000x800xf32>
}

// Long rows that are put where no line starts.
// CHECK-LABEL: @inside
// CHECK: schedule = #kiln.assemble<parts = [<lanes = 32, {{.*}}>, <lanes = 32, {{.*}}align = true>]>
func.func @inside(%x: tensor<4098x4098xf32>, %y: tensor<4096x4096xf32>) -> tensor<4098x4098xf32> {
  %0 = kiln.update %x, %y {starts = array<i64: 1, 1>, steps = array<i64: 1, 1>} : (tensor<4098x4098xf32>, tensor<4096x4096xf32>) -> tensor<4098x4098xf32>
  return %0 : tensor<4098x4098xf32>
}

// CHECK-LABEL: @scatter
// CHECK: schedule = #kiln.scatter<copy = <lanes = 32, parallel = 0, grain = 655>, lanes = 32>
func.func @scatter(%x: tensor<2000x50xf32>, %i: tensor<7xi64>, %u: tensor<7x50xf32>) -> tensor<2000x50xf32> {
  %0 = kiln.scatter_add %x, %i, %u {axis = 0} : (tensor<2000x50xf32>, tensor<7xi64>, tensor<7x50xf32>) -> tensor<2000x50xf32>
  return %0 : tensor<2000x50xf32>
}

// True elements are counted a mask at a time where registers hold masks.
// CHECK-LABEL: @count
// CHECK: schedule = #kiln.rows<stages = [<reduce = [1]>], lanes = 32>
// WIDE: schedule = #kiln.rows<stages = [<reduce = [1]>], lanes = 64, count = true>
func.func @count(%x: tensor<1000xi1>) -> tensor<i64> {
  %0 = kiln.cast %x : (tensor<1000xi1>) -> tensor<1000xi64>
  %1 = kiln.sum %0 {axes = array<i64: 0>} : (tensor<1000xi64>) -> tensor<i64>
  return %1 : tensor<i64>
}

// CHECK-LABEL: @nonzero
// CHECK: schedule = #kiln.compact<lanes = 8>
// WIDE: schedule = #kiln.compact<lanes = 16, compress = true>
func.func @nonzero(%x: tensor<1000xi1>) -> tensor<5xi64> {
  %0 = kiln.nonzero %x {count = 5} : (tensor<1000xi1>) -> tensor<5xi64>
  return %0 : tensor<5xi64>
}

// A library routine decides for itself.
// CHECK-LABEL: @routine
// CHECK: kiln.kernel "library"
// CHECK-NOT: schedule =
// CHECK: return
func.func @routine(%x: tensor<4x4xf64>) -> tensor<4x4xf64> {
  %0 = kiln.cholesky %x {upper = 0 : i64} : (tensor<4x4xf64>) -> tensor<4x4xf64>
  return %0 : tensor<4x4xf64>
}
