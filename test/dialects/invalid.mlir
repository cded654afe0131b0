// RUN: kiln-opt %s --verify-diagnostics --split-input-file

func.func @shapes(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{shapes of operands differ: expected (2,), got (3,)}}
  %0 = kiln.add %x, %y : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @dtypes(%x: tensor<2xf32>, %y: tensor<2xi64>) {
  // expected-error@+1 {{dtypes of operands differ: expected float32, got int64}}
  %0 = kiln.add %x, %y : (tensor<2xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @result(%x: tensor<2xf32>) {
  // expected-error@+1 {{result type: expected float32[2], got float32[3]}}
  %0 = kiln.exp %x : (tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @accepts(%x: tensor<2xi32>) {
  // expected-error@+1 {{dtype of operand 0: expected a floating-point dtype, got int32}}
  %0 = kiln.exp %x : (tensor<2xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @rank(%x: tensor<1x1x1x1x1x1x1x1x1xf32>) {
  // expected-error@+1 {{rank: expected at most 8, got 9}}
  %0 = kiln.exp %x : (tensor<1x1x1x1x1x1x1x1x1xf32>) -> tensor<1x1x1x1x1x1x1x1x1xf32>
  return
}

// -----

func.func @long_list(%x: tensor<2xf32>) {
  // expected-error@+1 {{'axes': expected at most 8 values, got 9}}
  %0 = kiln.sum %x {axes = array<i64: 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<2xf32>) -> tensor<f32>
  return
}

// -----

func.func @kind(%x: tensor<2xf32>) {
  // expected-error@+1 {{kind: expected elementwise, reduction, contraction or concat, got 'loop'}}
  %0 = kiln.kernel "loop"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @yield(%x: tensor<2xf32>) {
  // expected-error@+1 {{yield: expected the types of the results}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>) -> (tensor<3xf32>) {
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @workspace(%x: tensor<2xf32>) {
  // expected-error@+1 {{workspace: expected 1 offsets, got 2}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    kiln.yield %a : tensor<2xf32>
  } {workspace = array<i64: 0, 0>}
  return
}
