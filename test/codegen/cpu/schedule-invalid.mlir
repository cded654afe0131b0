// Schedules that cannot be emitted for how the arrays lie.
// RUN: kiln-opt %s --kiln-emit-cpu --split-input-file --verify-diagnostics

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{expected a schedule: run kiln-schedule first}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32> {kiln.strides = array<i64: 32, 1>}) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: collapse: expected arrays that are all read and written in the order of memory}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, collapse = true>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x15xf32>) -> tensor<8x15xf32> {
  // expected-error@+1 {{schedule: stream: expected a result of the program in rows of whole lines of the cache, got result 0}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x15xf32>) -> (tensor<8x15xf32>) {
    %n = kiln.negative %a : (tensor<8x15xf32>) -> tensor<8x15xf32>
    kiln.yield %n : tensor<8x15xf32>
  } {schedule = #kiln.nest<lanes = 8, stream = [0]>, workspace = array<i64: -1>}
  return %0 : tensor<8x15xf32>
}

// -----

func.func @f(%x: tensor<8x?xf32, #kiln.symbols<-1, 0>>) -> tensor<8x?xf32, #kiln.symbols<-1, 0>> {
  // expected-error@+1 {{schedule: parallel: expected none where the size of the scratch memory is not known}}
  %0 = kiln.kernel "sort"(%a = %x : tensor<8x?xf32, #kiln.symbols<-1, 0>>) -> (tensor<8x?xf32, #kiln.symbols<-1, 0>>) {
    %n = kiln.sort %a {axis = 1, descending = 0} : (tensor<8x?xf32, #kiln.symbols<-1, 0>>) -> tensor<8x?xf32, #kiln.symbols<-1, 0>>
    kiln.yield %n : tensor<8x?xf32, #kiln.symbols<-1, 0>>
  } {schedule = #kiln.sort<parallel = 0>, workspace = array<i64: -1>}
  return %0 : tensor<8x?xf32, #kiln.symbols<-1, 0>>
}

// -----

func.func @f(%x: tensor<8x?xf32, #kiln.symbols<-1, 0>>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: keep: expected nothing where the size of a row is not known}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x?xf32, #kiln.symbols<-1, 0>>) -> (tensor<8xf32>) {
    %n0 = kiln.negative %a : (tensor<8x?xf32, #kiln.symbols<-1, 0>>) -> tensor<8x?xf32, #kiln.symbols<-1, 0>>
    %n = kiln.sum %n0 {axes = array<i64: 1>} : (tensor<8x?xf32, #kiln.symbols<-1, 0>>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [1], keep = [0]>], lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: pack: expected b among them, which does not lie in rows}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 1} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256x64, pack = a>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: pack: expected a among them, which is computed}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %m = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %d = kiln.dot_general %m, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256x64, pack = b>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: rank_update: expected known sizes, 1 to 16 rows, and an operand b in rows}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.rank_update<depth = 8, lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<2x8x4xf32>, %y: tensor<2x4x8xf32>) -> tensor<2x8x8xf32> {
  // expected-error@+1 {{schedule: fold: expected at most 0 batch axes for these operands, got 1}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<2x8x4xf32>, %b = %y : tensor<2x4x8xf32>) -> (tensor<2x8x8xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64: 0>, y_batch = array<i64: 0>, x_axis = 2, y_axis = 1} : (tensor<2x8x4xf32>, tensor<2x4x8xf32>) -> tensor<2x8x8xf32>
    kiln.yield %d : tensor<2x8x8xf32>
  } {schedule = #kiln.product<tile = 4x8, lanes = 8, block = 8x8x4, pack = both, fold = 1>, workspace = array<i64: -1>}
  return %0 : tensor<2x8x8xf32>
}

// -----

func.func @f(%x: tensor<8x4xf32>, %y: tensor<8x4xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{schedule: strip: expected operands that lie in memory, b in rows}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<8x4xf32>, %b = %y : tensor<8x4xf32>) -> (tensor<8x8xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 1} : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x8xf32>
    kiln.yield %d : tensor<8x8xf32>
  } {schedule = #kiln.product<tile = 4x8, lanes = 8, block = 8x8x4, pack = both, strip = 4>, workspace = array<i64: -1>}
  return %0 : tensor<8x8xf32>
}

// -----

func.func @f(%x: tensor<8x4xf32>, %y: tensor<8x4xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{schedule: first: expected b in rows that is packed, and all rows in a block that threads do not share}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<8x4xf32>, %b = %y : tensor<8x4xf32>) -> (tensor<8x8xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 1} : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x8xf32>
    kiln.yield %d : tensor<8x8xf32>
  } {schedule = #kiln.product<tile = 4x8, lanes = 8, block = 8x8x4, pack = both, first = true>, workspace = array<i64: -1>}
  return %0 : tensor<8x8xf32>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi32>, %w: tensor<3x3x3x4xi32>) -> tensor<1x6x6x4xi32> {
  // expected-error@+1 {{schedule: convolution: expected floats of known sizes, with weights in rows}}
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x8x8x3xi32>, %b = %w : tensor<3x3x3x4xi32>) -> (tensor<1x6x6x4xi32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xi32>, tensor<3x3x3x4xi32>) -> tensor<1x6x6x4xi32>
    kiln.yield %c : tensor<1x6x6x4xi32>
  } {schedule = #kiln.convolution<tile = 4x8, lanes = 8, copy = true>, workspace = array<i64: -1>}
  return %0 : tensor<1x6x6x4xi32>
}

// -----

func.func @f(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32> {
  // expected-error@+1 {{schedule: copy: expected true for an operand with padding, or not in rows}}
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x8x8x3xf32>, %b = %w : tensor<3x3x3x4xf32>) -> (tensor<1x8x8x4xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 1, 1>, high = array<i64: 1, 1>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32>
    kiln.yield %c : tensor<1x8x8x4xf32>
  } {schedule = #kiln.convolution<tile = 4x8, lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<1x8x8x4xf32>
}

// -----

func.func @f(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32> {kiln.strides = array<i64: 100, 12, 4, 1>}) -> tensor<1x6x6x4xf32> {
  // expected-error@+1 {{schedule: pack: expected false for weights that do not lie in rows}}
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x8x8x3xf32>, %b = %w : tensor<3x3x3x4xf32>) -> (tensor<1x6x6x4xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32>
    kiln.yield %c : tensor<1x6x6x4xf32>
  } {schedule = #kiln.convolution<tile = 4x8, lanes = 8, pack = true>, workspace = array<i64: -1>}
  return %0 : tensor<1x6x6x4xf32>
}
