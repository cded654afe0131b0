// RUN: kiln-opt %s --kiln-fuse --verify-diagnostics

func.func @foreign(%x: i32) -> i32 {
  // expected-error@+1 {{expected only operations of the kiln dialect before fusion}}
  %0 = arith.addi %x, %x : i32
  return %0 : i32
}
