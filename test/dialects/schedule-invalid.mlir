// Schedules that do not fit their kernels.
// RUN: kiln-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: nest: expected a kernel of kind 'elementwise', got 'contraction'}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.nest<lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: expected 2 sizes, got 3}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16x2, lanes = 16, block = 96x256x64>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: expected 3 sizes, got 2}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: lanes: expected a power of two from 2 to 64, got 12}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 12, block = 96x256x64>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: columns: expected a multiple of 16, got 24}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x24, lanes = 16, block = 96x256x64>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: expected at most 4096 bytes, got 16384}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 64x64, lanes = 16, block = 64x256x64>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: strip: expected 0 to 1048576, got 2097152}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 66x64x64, strip = 2097152>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: rows: expected a multiple of 6, got 100}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 100x256x64>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: expected at most 67108864 bytes, got 268435456}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x1048576x64, pack = b>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: unroll: expected a power of two from 1 to 16, got 3}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256x64, unroll = 3>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: grain: expected 1 to 1099511627776, got 0}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256x64, parallel = rows, grain = 0>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: symmetric: expected an array of real numbers by itself, and no folded axes}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 1} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256x64, symmetric = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: fold: expected 0 to 0, got 1}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256x64, fold = 1>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: epilogue: expected 0 to 0, got 8}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256x64, epilogue = 8>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: epilogue: expected a power of two from 1 to 64, got 0}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.negative %d : (tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 96x256x64>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: depth: expected 1 to 16, got 17}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>, %b = %y : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %d : tensor<64x64xf32>
  } {schedule = #kiln.rank_update<depth = 17, lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: lanes: expected a power of two from 1 to 64, got 0}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 0>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: parallel: expected -1 to 1, got 2}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, parallel = 2>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: parallel: expected -1 to 0, got 1}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, collapse = true, parallel = 1>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: nest: expected one of collapse, rows and transpose}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, collapse = true, rows = 2>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: align: expected an axis, and none of collapse, rows and transpose}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, collapse = true, align = true>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: transpose: expected -1 to 0, got 1}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, transpose = 1, block = 64>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: block: expected 1 to 1048576, got 0}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, transpose = 0>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: block: expected a multiple of 8, got 60}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, transpose = 0, block = 60>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: parallel: expected another axis than the last, which squares cross}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, transpose = 0, block = 64, parallel = 1>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: stream: expected 0 to 0, got 1}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, stream = [1]>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: registers: expected a power of two from 128 to 512, got 192}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8, registers = 192>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: stages: expected all reductions, got all but 1}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: reduce: expected each reduction once, got 0 again}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>, <reduce = [0]>, <reduce = [3]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: reduce: expected operation 3 in stage 2 or later, got 0}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [3]>, <reduce = [0]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: reduce: expected sums and products apart from the others, got 3 beside 0}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0, 3]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: reduce: expected a reduction, got operation 2, 'kiln.subtract'}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>, <reduce = [2, 3]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: keep: expected operation 2 in stage 1 or later, got 0}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0], keep = [2]>, <reduce = [3]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: keep: expected a value of shape (8, 16), got operation 3}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>, <reduce = [3], keep = [3]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: keep: expected each value once, got 2 again}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>, <reduce = [3], keep = [2, 2]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: stages: expected reductions in each}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>, <>, <reduce = [3]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: parallel: expected another axis than 1, whose steps depend on each other}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>, <reduce = [3]>], lanes = 16, parallel = 1>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xi64>) -> tensor<8xi64> {
  // expected-error@+1 {{schedule: count: expected a sum of true elements}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xi64>) -> (tensor<8xi64>) {
    %s = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xi64>) -> tensor<8xi64>
    kiln.yield %s : tensor<8xi64>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>], lanes = 16, count = true>, workspace = array<i64: -1>}
  return %0 : tensor<8xi64>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: columns: expected reductions of another axis than the last, got axis 1 of (8, 16)}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %d = kiln.subtract %a, %mb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %s = kiln.sum %d {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<8xf32>) -> tensor<8x16xf32>
    %r = kiln.divide %d, %sb : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %r : tensor<8x16xf32>
  } {schedule = #kiln.columns<stages = [<reduce = [0]>, <reduce = [3]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{schedule: rows: expected reductions of the last axis, got axis 0 of (8, 16)}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xf32>) {
    %n = kiln.sum %a {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
    kiln.yield %n : tensor<16xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{schedule: keep: expected nothing where another axis than the last is reduced}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xf32>) {
    %n = kiln.sum %a {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
    kiln.yield %n : tensor<16xf32>
  } {schedule = #kiln.columns<stages = [<reduce = [0], keep = [0]>], lanes = 16>, workspace = array<i64: -1>}
  return %0 : tensor<16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{schedule: wide: expected a power of two from 32 to 256, got 16}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xf32>) {
    %n = kiln.sum %a {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
    kiln.yield %n : tensor<16xf32>
  } {schedule = #kiln.columns<stages = [<reduce = [0]>], lanes = 16, wide = 16>, workspace = array<i64: -1>}
  return %0 : tensor<16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{schedule: sweep: expected a multiple of 64, got 100}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xf32>) {
    %n = kiln.sum %a {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
    kiln.yield %n : tensor<16xf32>
  } {schedule = #kiln.columns<stages = [<reduce = [0]>], lanes = 16, sweep = 100>, workspace = array<i64: -1>}
  return %0 : tensor<16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{schedule: sweep: expected at most 65536 bytes, got 131072}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xf32>) {
    %n = kiln.sum %a {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
    kiln.yield %n : tensor<16xf32>
  } {schedule = #kiln.columns<stages = [<reduce = [0]>], lanes = 16, sweep = 32768>, workspace = array<i64: -1>}
  return %0 : tensor<16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xi64> {
  // expected-error@+1 {{schedule: sweep: expected one reduction of real numbers, and no result of its operand's shape}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xi64>) {
    %n = kiln.argmax %a {axis = 0} : (tensor<8x16xf32>) -> tensor<16xi64>
    kiln.yield %n : tensor<16xi64>
  } {schedule = #kiln.columns<stages = [<reduce = [0]>], lanes = 8, sweep = 64>, workspace = array<i64: -1>}
  return %0 : tensor<16xi64>
}

// -----

func.func @f(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32> {
  // expected-error@+1 {{schedule: tile: filters: expected a multiple of 8, got 12}}
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x8x8x3xf32>, %b = %w : tensor<3x3x3x4xf32>) -> (tensor<1x6x6x4xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32>
    kiln.yield %c : tensor<1x6x6x4xf32>
  } {schedule = #kiln.convolution<tile = 4x12, lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<1x6x6x4xf32>
}

// -----

func.func @f(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32> {
  // expected-error@+1 {{schedule: parallel: expected none or lines where weights are not packed, got filters}}
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x8x8x3xf32>, %b = %w : tensor<3x3x3x4xf32>) -> (tensor<1x6x6x4xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32>
    kiln.yield %c : tensor<1x6x6x4xf32>
  } {schedule = #kiln.convolution<tile = 4x8, lanes = 8, parallel = filters>, workspace = array<i64: -1>}
  return %0 : tensor<1x6x6x4xf32>
}

// -----

func.func @f(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32> {
  // expected-error@+1 {{schedule: parallel: expected -1 to 2, got 3}}
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x8x8x3xf32>, %b = %w : tensor<3x3x3x4xf32>) -> (tensor<1x6x6x4xf32>) {
    %c = kiln.convolution %a, %b {strides = array<i64: 1, 1>, low = array<i64: 0, 0>, high = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x6x6x4xf32>
    kiln.yield %c : tensor<1x6x6x4xf32>
  } {schedule = #kiln.window<lanes = 8, parallel = 3>, workspace = array<i64: -1>}
  return %0 : tensor<1x6x6x4xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: parallel: expected another axis than 1, whose steps depend on each other}}
  %0 = kiln.kernel "scan"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.cumulative_sum %a {axis = 1} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.scan<lanes = 8, parallel = 1>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: parallel: expected another axis than 1, whose steps depend on each other}}
  %0 = kiln.kernel "sort"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.sort %a {axis = 1, descending = 0} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.sort<parallel = 1>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<100xi1>) -> tensor<5xi64> {
  // expected-error@+1 {{schedule: lanes: expected a power of two from 8 to 64, got 4}}
  %0 = kiln.kernel "compact"(%a = %x : tensor<100xi1>) -> (tensor<5xi64>) {
    %n = kiln.nonzero %a {count = 5} : (tensor<100xi1>) -> tensor<5xi64>
    kiln.yield %n : tensor<5xi64>
  } {schedule = #kiln.compact<lanes = 4>, workspace = array<i64: -1>}
  return %0 : tensor<5xi64>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16x16xf32> {
  // expected-error@+1 {{schedule: parts: expected 2, got 1}}
  %0 = kiln.kernel "assemble"(%a = %x : tensor<8x16xf32>) -> (tensor<16x16xf32>) {
    %n = kiln.concat %a, %a {axis = 0} : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<16x16xf32>
    kiln.yield %n : tensor<16x16xf32>
  } {schedule = #kiln.assemble<parts = [<lanes = 8>]>, workspace = array<i64: -1>}
  return %0 : tensor<16x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16x16xf32> {
  // expected-error@+1 {{schedule: parts: expected neither collapse, stream nor registers}}
  %0 = kiln.kernel "assemble"(%a = %x : tensor<8x16xf32>) -> (tensor<16x16xf32>) {
    %n = kiln.concat %a, %a {axis = 0} : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<16x16xf32>
    kiln.yield %n : tensor<16x16xf32>
  } {schedule = #kiln.assemble<parts = [<lanes = 8>, <lanes = 8, collapse = true>]>, workspace = array<i64: -1>}
  return %0 : tensor<16x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: scatter: expected a kernel of kind 'scatter', got 'elementwise'}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.scatter<copy = <lanes = 8>, lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>, %i: tensor<3xi64>, %u: tensor<3x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: copy: expected neither collapse, stream nor registers}}
  %0 = kiln.kernel "scatter"(%a = %x : tensor<8x16xf32>, %b = %i : tensor<3xi64>, %c = %u : tensor<3x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.scatter_add %a, %b, %c {axis = 0} : (tensor<8x16xf32>, tensor<3xi64>, tensor<3x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.scatter<copy = <lanes = 8, collapse = true>, lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>, %i: tensor<3xi64>, %u: tensor<3x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: lanes: expected a power of two from 1 to 64, got 12}}
  %0 = kiln.kernel "scatter"(%a = %x : tensor<8x16xf32>, %b = %i : tensor<3xi64>, %c = %u : tensor<3x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.scatter_add %a, %b, %c {axis = 0} : (tensor<8x16xf32>, tensor<3xi64>, tensor<3x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.scatter<copy = <lanes = 8>, lanes = 12>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>, %i: tensor<3xi64>, %u: tensor<3x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: parallel: expected -1 to 1, got 2}}
  %0 = kiln.kernel "scatter"(%a = %x : tensor<8x16xf32>, %b = %i : tensor<3xi64>, %c = %u : tensor<3x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.scatter_add %a, %b, %c {axis = 0} : (tensor<8x16xf32>, tensor<3xi64>, tensor<3x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.scatter<copy = <lanes = 8, parallel = 2>, lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

// expected-error@+2 {{failed to parse Kiln_NestAttr parameter 'lanes'}}
// expected-error@+1 {{expected integer value}}
func.func private @f() attributes {a = #kiln.nest<lanes = many>}

// -----

// expected-error@+1 {{struct is missing required parameter: lanes}}
func.func private @f() attributes {a = #kiln.nest<collapse = true>}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: prefetch: expected 0 to 65536, got -1}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8xf32>) {
    %s = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    kiln.yield %s : tensor<8xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>], lanes = 16, prefetch = -1>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}
