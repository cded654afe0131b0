trace.tree @f(%x: tensor<2x3xf32>, %unused: tensor<3xf32> {kiln.device = "cuda:0", kiln.strides = array<i64: -9223372036854775808>}) -> (tensor<2xf32>, tensor<3x2xf32>) {
  %t = trace.segment(%a = %x : tensor<2x3xf32>) -> tensor<3x2xf32> {
    %t = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    trace.return %t : tensor<3x2xf32>
  }
  %s, %same = trace.segment(%a = %x : tensor<2x3xf32>, %u = %unused : tensor<3xf32>, %b = %t : tensor<3x2xf32>) -> (tensor<2xf32>, tensor<3x2xf32>) {
    %s = kiln.sum %a {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
    %e = kiln.exp %u : (tensor<3xf32>) -> tensor<3xf32>
    trace.return %s, %b : tensor<2xf32>, tensor<3x2xf32>
  }
  trace.return %s, %same : tensor<2xf32>, tensor<3x2xf32>
}
