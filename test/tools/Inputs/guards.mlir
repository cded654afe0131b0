trace.tree @f(%x: tensor<i1>) -> tensor<i1> {
  trace.guard %x is true : tensor<i1> -> ^a, otherwise ^b
^a:
  trace.return %x : tensor<i1>
^b:
  trace.return %x : tensor<i1>
}
