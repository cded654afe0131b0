// RUN: kiln-opt %s --kiln-plan-memory --verify-diagnostics

func.func @dynamic(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> {
  // expected-error@+1 {{an intermediate array of dynamic size cannot be placed: expected static sizes}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  }
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  }
  return %1 : tensor<?xf32, #kiln.symbols<0>>
}
