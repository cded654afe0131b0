func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: threads: expected a power of two from 32 to 1024, got 48}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 48>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: each: expected a power of two from 1 to 16, got 3}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 64, each = 3>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: transpose: expected -1 to 0, got 1}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 256, transpose = 1>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: threads: expected 256 to 256, got 64}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 64, transpose = 0>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: transpose: expected -1 to -1, got 0}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 256, collapse = true, transpose = 0>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: grid: expected a kernel of kind 'elementwise', got 'reduction'}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8xf32>) {
    %n = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  } {schedule = #kiln.grid<threads = 64>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: lines: expected a kernel of kind 'scan', got 'elementwise'}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.lines<threads = 64>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: threads: expected a power of two from 32 to 1024, got 1}}
  %0 = kiln.kernel "scan"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.cumulative_max %a {axis = 1} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.lines<threads = 1>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: rows: expected 1 to 1, got 2}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8xf32>) {
    %n = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  } {schedule = #kiln.row_groups<stages = [<reduce = [0]>], threads = 64, rows = 2>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: stages: expected all reductions, got all but 1}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8xf32>) {
    %n = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  } {schedule = #kiln.row_groups<stages = [], threads = 32>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{schedule: row_groups: expected reductions of the last axis, got axis 0 of}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xf32>) {
    %n = kiln.sum %a {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
    kiln.yield %n : tensor<16xf32>
  } {schedule = #kiln.row_groups<stages = [<reduce = [0]>], threads = 32>, workspace = array<i64: -1>}
  return %0 : tensor<16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: column_threads: expected reductions of another axis than the last, got axis 1 of}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8xf32>) {
    %n = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  } {schedule = #kiln.column_threads<stages = [<reduce = [0]>], threads = 64>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: rows: expected a power of two from 16 to 1024, got 66}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x4, block = 66x64x8>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: columns: expected a power of two from 32 to 1024, got 16}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x4, block = 64x16x8>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: rows: expected a power of two from 1 to 16, got 32}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 32x4, block = 64x64x8>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: columns: expected a power of two from 1 to 16, got 3}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x3, block = 64x64x8>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: depth: expected a power of two from 4 to 128, got 12}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x4, block = 64x64x12>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: stages: expected 2 to 8, got 1}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x4, block = 64x64x8, stages = 1>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: threads: expected a power of two from 32 to 1024, got 4096}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 1x1, block = 64x64x8>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: expected at most 49152 bytes, got 61440}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 8x8, block = 128x128x16, stages = 3>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: occupancy: expected 1 to 8, got 9}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x4, block = 64x64x8, occupancy = 9>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: copy: expected operands in memory, of elements of 4 or 8 bytes, got a}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x4, block = 64x64x8, copy = both>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: wide: expected operands that are copied, got b}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    %n = kiln.dot_general %t, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x4, block = 64x64x8, wide = b>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: wide: expected a power of two from 1 to 16, got 3}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.abs %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 64, wide = 3>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x17xf32>) -> tensor<8x17xf32> {
  // expected-error@+1 {{schedule: wide: elements of a row: expected a multiple of 4, got 17}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x17xf32>) -> (tensor<8x17xf32>) {
    %n = kiln.abs %a : (tensor<8x17xf32>) -> tensor<8x17xf32>
    kiln.yield %n : tensor<8x17xf32>
  } {schedule = #kiln.grid<threads = 64, wide = 4>, workspace = array<i64: -1>}
  return %0 : tensor<8x17xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: side: expected 32 to 32, got 64}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.abs %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 64, side = 64>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: side: expected 32 to 32, got 64}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %n = kiln.abs %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.grid<threads = 256, transpose = 0, side = 64>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<256x256xf32>) -> tensor<256x256xf32> {
  // expected-error@+1 {{schedule: wide: expected 4 to 4, got 8}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<256x256xf32>) -> (tensor<256x256xf32>) {
    %n = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<256x256xf32>) -> tensor<256x256xf32>
    kiln.yield %n : tensor<256x256xf32>
  } {schedule = #kiln.grid<threads = 256, transpose = 0, wide = 8, side = 64>, workspace = array<i64: -1>}
  return %0 : tensor<256x256xf32>
}

// -----

func.func @f(%x: tensor<256x256xi8>) -> tensor<256x256xi8> {
  // expected-error@+1 {{schedule: side: expected an access or more for each thread, got 32}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<256x256xi8>) -> (tensor<256x256xi8>) {
    %n = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<256x256xi8>) -> tensor<256x256xi8>
    kiln.yield %n : tensor<256x256xi8>
  } {schedule = #kiln.grid<threads = 256, transpose = 0, wide = 16, side = 32>, workspace = array<i64: -1>}
  return %0 : tensor<256x256xi8>
}

// -----

func.func @f(%x: tensor<256x256xf32>) -> tensor<256x256xf32> {
  // expected-error@+1 {{schedule: side: expected at most 49152 bytes, got 65536}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<256x256xf32>) -> (tensor<256x256xf32>) {
    %n = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<256x256xf32>) -> tensor<256x256xf32>
    kiln.yield %n : tensor<256x256xf32>
  } {schedule = #kiln.grid<threads = 256, transpose = 0, wide = 4, side = 128>, workspace = array<i64: -1>}
  return %0 : tensor<256x256xf32>
}

// -----

func.func @f(%x: tensor<256x255xf32>) -> tensor<255x256xf32> {
  // expected-error@+1 {{schedule: wide: elements of a row: expected a multiple of 4, got 255}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<256x255xf32>) -> (tensor<255x256xf32>) {
    %n = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<256x255xf32>) -> tensor<255x256xf32>
    kiln.yield %n : tensor<255x256xf32>
  } {schedule = #kiln.grid<threads = 256, transpose = 0, wide = 4, side = 64>, workspace = array<i64: -1>}
  return %0 : tensor<255x256xf32>
}

// -----

func.func @f(%x: tensor<256x256xcomplex<f64>>) -> tensor<256x256xcomplex<f64>> {
  // expected-error@+1 {{schedule: wide: expected transposes of elements of one size up to 8 bytes}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<256x256xcomplex<f64>>) -> (tensor<256x256xcomplex<f64>>) {
    %n = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<256x256xcomplex<f64>>) -> tensor<256x256xcomplex<f64>>
    kiln.yield %n : tensor<256x256xcomplex<f64>>
  } {schedule = #kiln.grid<threads = 256, transpose = 0, wide = 2>, workspace = array<i64: -1>}
  return %0 : tensor<256x256xcomplex<f64>>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: split: expected a power of two from 32 to 1099511627776, got 100}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8xf32>) {
    %n = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  } {schedule = #kiln.row_groups<stages = [<reduce = [0]>], threads = 32, split = 100>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: resident: expected 0 to 0, got 1}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8xf32>) {
    %n = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  } {schedule = #kiln.row_groups<stages = [<reduce = [0]>], threads = 32, resident = true, split = 8192>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{schedule: split: expected a power of two from 2 to 1099511627776, got 1}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xf32>) {
    %n = kiln.sum %a {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
    kiln.yield %n : tensor<16xf32>
  } {schedule = #kiln.column_threads<stages = [<reduce = [0]>], threads = 32, split = 1>, workspace = array<i64: -1>}
  return %0 : tensor<16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: scan_groups: expected integers, or an operation whose groups do not show in the bits}}
  %0 = kiln.kernel "scan"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.cumulative_sum %a {axis = 1} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.scan_groups<threads = 32>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: lines: expected 1 to 1, got 2}}
  %0 = kiln.kernel "scan"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.cumulative_max %a {axis = 1} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.scan_groups<threads = 64, lines = 2>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: each: expected a power of two from 1 to 16, got 32}}
  %0 = kiln.kernel "scan"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.cumulative_max %a {axis = 1} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.scan_groups<threads = 64, each = 32>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: stage: expected a scan of the last axis}}
  %0 = kiln.kernel "scan"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.lines<threads = 32, stage = 4>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: threads: expected 32 to 32, got 64}}
  %0 = kiln.kernel "scan"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.cumulative_sum %a {axis = 1} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.lines<threads = 64, stage = 4>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: part: expected a power of two from 64 to 8192, got 100}}
  %0 = kiln.kernel "sort"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.sort %a {axis = 1, descending = 0} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.merge_sort<threads = 32, part = 100>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: part: expected a multiple of 256, got 128}}
  %0 = kiln.kernel "sort"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.sort %a {axis = 1, descending = 0} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.merge_sort<threads = 128, part = 128>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: part: expected at most 49152 bytes, got 65536}}
  %0 = kiln.kernel "sort"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.sort %a {axis = 1, descending = 0} : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.merge_sort<threads = 128, part = 8192>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8xcomplex<f32>>, %i: tensor<4xi64>, %y: tensor<4xcomplex<f32>>) -> tensor<8xcomplex<f32>> {
  // expected-error@+1 {{schedule: merge_sort: expected updates of real numbers}}
  %0 = kiln.kernel "scatter"(%a = %x : tensor<8xcomplex<f32>>, %b = %i : tensor<4xi64>, %c = %y : tensor<4xcomplex<f32>>) -> (tensor<8xcomplex<f32>>) {
    %n = kiln.scatter %a, %b, %c {axis = 0} : (tensor<8xcomplex<f32>>, tensor<4xi64>, tensor<4xcomplex<f32>>) -> tensor<8xcomplex<f32>>
    kiln.yield %n : tensor<8xcomplex<f32>>
  } {schedule = #kiln.merge_sort<threads = 32, part = 64>, workspace = array<i64: -1>}
  return %0 : tensor<8xcomplex<f32>>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: matrix_tiles: expected operands that are float16 or bfloat16 made float32}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 64x64x32>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: rows: expected a power of two from 16 to 128, got 8}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 8x32, block = 64x64x32>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: columns: expected a power of two from 16 to 128, got 24}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x24, block = 64x64x32>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: rows: expected a power of two from 32 to 1024, got 16}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 16x64x32>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: columns: expected a power of two from 32 to 1024, got 96}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 64x96x32>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: depth: expected a power of two from 16 to 128, got 8}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 64x64x8>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: stages: expected 2 to 8, got 9}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 64x64x32, stages = 9>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: threads: expected a power of two from 32 to 1024, got 2048}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 16x16, block = 128x128x16>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: expected at most 101376 bytes, got 163840}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 64x64, block = 256x256x32, stages = 4>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: expected 1 to 4096, got 8192}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 128x64, block = 128x128x16>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: occupancy: expected 1 to 16, got 17}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 64x64x32, occupancy = 17>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: wide: expected operands in memory, got a}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 64x64x32, wide = both>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: rows: expected 64 to 64, got 32}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x64, block = 64x64x64, stages = 3, group = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: tile: columns: expected a power of two from 64 to 256, got 512}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 64x512, block = 64x512x64, stages = 3, group = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: rows: expected a power of two from 64 to 512, got 32}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 64x64, block = 32x64x64, stages = 3, group = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: columns: expected a power of two from 128 to 512, got 64}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 64x128, block = 64x64x64, stages = 3, group = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: depth: expected 64 to 64, got 32}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 64x64, block = 64x64x32, stages = 3, group = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: stages: expected 3 to 8, got 2}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 64x64, block = 64x64x64, group = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: block: expected at most 232448 bytes, got 262144}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>, %b = %z : tensor<64x64xf32>) -> (tensor<64x64xf32>) {
    %t = kiln.negative %a : (tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %v = kiln.cast %t : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %w = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 64x128, block = 256x256x64, stages = 4, group = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}
