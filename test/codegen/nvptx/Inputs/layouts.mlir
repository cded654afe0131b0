func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: kind: expected one for blocks of threads, got #kiln.nest<lanes = 8>}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.nest<lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: transpose: expected transposes of the result's shape that turn this axis, and only elementwise operations behind them}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 256, transpose = 0>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{expected a planned workspace: run kiln-plan-memory first}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32> {kiln.strides = array<i64: 32, 1>}) -> tensor<8x16xf32> {
  // expected-error@+1 {{schedule: collapse: expected arrays that are all read and written in the order of memory}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<8x16xf32>) -> (tensor<8x16xf32>) {
    %n = kiln.negative %a : (tensor<8x16xf32>) -> tensor<8x16xf32>
    kiln.yield %n : tensor<8x16xf32>
  } {schedule = #kiln.grid<threads = 256, collapse = true>, workspace = array<i64: -1>}
  return %0 : tensor<8x16xf32>
}

// -----

func.func @f(%x: tensor<?x?xf32, #kiln.symbols<0, 1>>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 2} {
  // expected-error@+1 {{schedule: resident: expected rows of a size that is known}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<?x?xf32, #kiln.symbols<0, 1>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.sum %a {axes = array<i64: 1>} : (tensor<?x?xf32, #kiln.symbols<0, 1>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {schedule = #kiln.row_groups<stages = [<reduce = [0]>], threads = 32, resident = true>, workspace = array<i64: -1>}
  return %0 : tensor<?xf32, #kiln.symbols<0>>
}

// -----

func.func @f(%x: tensor<?x64xbf16, #kiln.symbols<0, -1>>, %y: tensor<64x64xbf16>) -> tensor<?x64xf32, #kiln.symbols<0, -1>> attributes {kiln.symbols = 1} {
  // expected-error@+1 {{schedule: matrix_tiles: expected sizes that are known}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<?x64xbf16, #kiln.symbols<0, -1>>, %b = %y : tensor<64x64xbf16>) -> (tensor<?x64xf32, #kiln.symbols<0, -1>>) {
    %v = kiln.cast %a : (tensor<?x64xbf16, #kiln.symbols<0, -1>>) -> tensor<?x64xf32, #kiln.symbols<0, -1>>
    %w = kiln.cast %b : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<?x64xf32, #kiln.symbols<0, -1>>, tensor<64x64xf32>) -> tensor<?x64xf32, #kiln.symbols<0, -1>>
    kiln.yield %n : tensor<?x64xf32, #kiln.symbols<0, -1>>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 64x64x32, stages = 2, wide = both>, workspace = array<i64: -1>}
  return %0 : tensor<?x64xf32, #kiln.symbols<0, -1>>
}

// -----

func.func @f(%x: tensor<64x63xf32>, %y: tensor<63x64xf32>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: wide: expected operands that lie in whole runs of 16 bytes}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x63xf32>, %b = %y : tensor<63x64xf32>) -> (tensor<64x64xf32>) {
    %n = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x63xf32>, tensor<63x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.thread_tiles<tile = 4x4, block = 64x64x8, copy = both, wide = both>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{schedule: split: expected 8192 where the order shows, got 4096}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<8xf32>) {
    %n = kiln.sum %a {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  } {schedule = #kiln.row_groups<stages = [<reduce = [0]>], threads = 32, split = 4096>, workspace = array<i64: -1>}
  return %0 : tensor<8xf32>
}

// -----

func.func @f(%x: tensor<8x16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{schedule: split: expected 1024 where the order shows, got 512}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<8x16xf32>) -> (tensor<16xf32>) {
    %n = kiln.sum %a {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
    kiln.yield %n : tensor<16xf32>
  } {schedule = #kiln.column_threads<stages = [<reduce = [0]>], threads = 32, split = 512>, workspace = array<i64: -1>}
  return %0 : tensor<16xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: group: expected the chip sm_90a}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>) -> (tensor<64x64xf32>) {
    %v = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %v {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 64x64, block = 64x64x64, stages = 3, wide = both, group = true>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}

// -----

func.func @f(%x: tensor<64x64xbf16>) -> tensor<64x64xf32> {
  // expected-error@+1 {{schedule: matrix_tiles: expected a program with kiln.fast_math, as the units' order shows in the bits}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<64x64xbf16>) -> (tensor<64x64xf32>) {
    %v = kiln.cast %a : (tensor<64x64xbf16>) -> tensor<64x64xf32>
    %n = kiln.dot_general %v, %v {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    kiln.yield %n : tensor<64x64xf32>
  } {schedule = #kiln.matrix_tiles<tile = 32x32, block = 64x64x32, stages = 2, wide = both>, workspace = array<i64: -1>}
  return %0 : tensor<64x64xf32>
}
