func.func @early() -> i32 {
  // expected-error@+1 {{failed to legalize operation 'kiln.constant'}}
  %0 = kiln.constant 7 : i64 : tensor<i64>
  %1 = arith.constant 0 : i32
  return %1 : i32
}
