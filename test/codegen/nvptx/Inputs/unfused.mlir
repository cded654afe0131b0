func.func @unfused(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expected only kernels: run kiln-fuse first}}
  %0 = kiln.negative %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error@+1 {{expected one block of kernels: run kiln-fuse first}}
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^next(%x : tensor<4xf32>)
^next(%y: tensor<4xf32>):
  return %y : tensor<4xf32>
}

// -----

// expected-error@+1 {{expected sizes that are known, got a program for any size}}
func.func @open(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 1} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {schedule = #kiln.grid<threads = 256>, workspace = array<i64: -1>}
  return %0 : tensor<?xf32, #kiln.symbols<0>>
}
