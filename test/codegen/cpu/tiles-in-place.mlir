// One result lies in the memory of an operand that the other reads: a tile's values come before its stores.
// RUN: kiln-run %s --all --target=both

func.func @kiln_entry(%arg0: tensor<8x6xi8>) -> (tensor<8x6xi1>, tensor<8x6xi8>) attributes {kiln.workspace_bytes = 64 : i64} {
  %0 = kiln.kernel "scan"(%x = %arg0 : tensor<8x6xi8>) -> (tensor<8x6xi8>) {
    %a = kiln.cumulative_sum %x {axis = 0 : i64} : (tensor<8x6xi8>) -> tensor<8x6xi8>
    kiln.yield %a : tensor<8x6xi8>
  } {schedule = #kiln.scan<lanes = 8>, workspace = array<i64: 0>}
  %1:2 = kiln.kernel "elementwise"(%x = %arg0 : tensor<8x6xi8>, %y = %0 : tensor<8x6xi8>) -> (tensor<8x6xi8>, tensor<8x6xi1>) {
    %a = kiln.maximum %x, %x : (tensor<8x6xi8>, tensor<8x6xi8>) -> tensor<8x6xi8>
    %b = kiln.greater %y, %a : (tensor<8x6xi8>, tensor<8x6xi8>) -> tensor<8x6xi1>
    kiln.yield %a, %b : tensor<8x6xi8>, tensor<8x6xi1>
  } {schedule = #kiln.nest<lanes = 2, transpose = 0, block = 128>, workspace = array<i64: 0, -1>}
  %2 = kiln.kernel "scan"(%x = %1#0 : tensor<8x6xi8>) -> (tensor<8x6xi8>) {
    %a = kiln.cumulative_sum %x {axis = 1 : i64} : (tensor<8x6xi8>) -> tensor<8x6xi8>
    kiln.yield %a : tensor<8x6xi8>
  } {schedule = #kiln.scan<lanes = 1>, workspace = array<i64: -1>}
  return %1#1, %2 : tensor<8x6xi1>, tensor<8x6xi8>
}
