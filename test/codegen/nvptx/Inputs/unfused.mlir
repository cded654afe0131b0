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

func.func @open(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 1} {
  // expected-error@+1 {{target 'nvptx': expected sizes that are known in a kernel of the kind 'sort', got a program for any size}}
  %0 = kiln.kernel "sort"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.sort %a {axis = 0, descending = 0} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {workspace = array<i64: -1>}
  return %0 : tensor<?xf32, #kiln.symbols<0>>
}
