// RUN: kiln-opt %s --verify-diagnostics --split-input-file

func.func @unknown(%x: tensor<3xf32>) {
  // expected-error@+1 {{expected an op that is registered in this process, got 'mylib.norm'}}
  %r = kiln.custom "mylib.norm"(%x) : (tensor<3xf32>) -> tensor<f32>
  return
}

// -----

func.func @rank(%x: tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32>) {
  // expected-error@+1 {{rank: expected at most 32, got 33}}
  %r = kiln.custom "mylib.norm"(%x) : (tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32>) -> tensor<f32>
  return
}
