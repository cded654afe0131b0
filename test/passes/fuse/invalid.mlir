// RUN: kiln-opt %s --kiln-fuse --split-input-file --verify-diagnostics

func.func @foreign(%x: i32) -> i32 {
  // expected-error@+1 {{expected only operations of the kiln dialect before fusion}}
  %0 = arith.addi %x, %x : i32
  return %0 : i32
}

// -----

// expected-error@+1 {{expected a function of one block before fusion}}
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = kiln.negative %x : (tensor<4xf32>) -> tensor<4xf32>
  cf.br ^next(%0 : tensor<4xf32>)
^next(%y: tensor<4xf32>):
  %1 = kiln.negative %y : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
