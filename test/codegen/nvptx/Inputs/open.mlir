func.func @open(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> {
  %r = kiln.sort %x {axis = 0, descending = 0} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
  return %r : tensor<?xf32, #kiln.symbols<0>>
}
