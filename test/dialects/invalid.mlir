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

func.func @rank(%x: tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32>) {
  // expected-error@+1 {{rank: expected at most 32, got 33}}
  %0 = kiln.exp %x : (tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32>) -> tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32>
  return
}

// -----

func.func @long_list(%x: tensor<2xf32>) {
  // expected-error@+1 {{'axes': expected at most 32 values, got 33}}
  %0 = kiln.sum %x {axes = array<i64: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<2xf32>) -> tensor<f32>
  return
}

// -----

func.func @kind(%x: tensor<2xf32>) {
  // expected-error@+1 {{kind: expected elementwise, reduction, contraction, assemble, scatter, scan, compact, sort, convolution, library, control, got 'loop'}}
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

// -----

func.func @update_dtype(%x: tensor<4xf32>, %v: tensor<2xi32>) {
  // expected-error@+1 {{dtype of the value: expected float32, got int32}}
  %r = kiln.update %x, %v {starts = array<i64: 0>, steps = array<i64: 1>} : (tensor<4xf32>, tensor<2xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @update_rank(%x: tensor<4xf32>, %v: tensor<2x1xf32>) {
  // expected-error@+1 {{rank of the value: expected 1, got 2}}
  %r = kiln.update %x, %v {starts = array<i64: 0>, steps = array<i64: 1>} : (tensor<4xf32>, tensor<2x1xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @update_range(%x: tensor<4xf32>, %v: tensor<2xf32>) {
  // expected-error@+1 {{range of axis 0: expected positions within 4}}
  %r = kiln.update %x, %v {starts = array<i64: 3>, steps = array<i64: 1>} : (tensor<4xf32>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @dynamic_starts(%x: tensor<4xf32>, %s: tensor<1xi32>) {
  // expected-error@+1 {{starts: expected int64[1], got int32[1]}}
  %r = kiln.dynamic_slice %x, %s {sizes = array<i64: 2>} : (tensor<4xf32>, tensor<1xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @dynamic_size(%x: tensor<4xf32>, %s: tensor<1xi64>) {
  // expected-error@+1 {{size of axis 0: expected at most 4, got 5}}
  %r = kiln.dynamic_slice %x, %s {sizes = array<i64: 5>} : (tensor<4xf32>, tensor<1xi64>) -> tensor<5xf32>
  return
}

// -----

func.func @dynamic_sizes(%x: tensor<4xf32>, %s: tensor<1xi64>) {
  // expected-error@+1 {{number of sizes: expected 1, got 2}}
  %r = kiln.dynamic_slice %x, %s {sizes = array<i64: 1, 1>} : (tensor<4xf32>, tensor<1xi64>) -> tensor<1x1xf32>
  return
}

// -----

func.func @dynamic_update_size(%x: tensor<4xf32>, %v: tensor<5xf32>, %s: tensor<1xi64>) {
  // expected-error@+1 {{size of axis 0: expected at most 4, got 5}}
  %r = kiln.dynamic_update %x, %v, %s : (tensor<4xf32>, tensor<5xf32>, tensor<1xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_indices(%x: tensor<4xf32>, %i: tensor<2xf32>, %u: tensor<2xf32>) {
  // expected-error@+1 {{dtype of the indices: expected an integer dtype, got float32}}
  %r = kiln.scatter %x, %i, %u {axis = 0 : i64} : (tensor<4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_rank(%x: tensor<4xf32>, %i: tensor<1x2xi64>, %u: tensor<2xf32>) {
  // expected-error@+1 {{rank of the indices: expected 1, got 2}}
  %r = kiln.scatter %x, %i, %u {axis = 0 : i64} : (tensor<4xf32>, tensor<1x2xi64>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_updates(%x: tensor<4xf32>, %i: tensor<2xi64>, %u: tensor<3xf32>) {
  // expected-error@+1 {{shape of the updates: expected (2,), got (3,)}}
  %r = kiln.scatter_add %x, %i, %u {axis = 0 : i64} : (tensor<4xf32>, tensor<2xi64>, tensor<3xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_dtype(%x: tensor<4xf32>, %i: tensor<2xi64>, %u: tensor<2xf64>) {
  // expected-error@+1 {{dtype of the updates: expected float32, got float64}}
  %r = kiln.scatter_max %x, %i, %u {axis = 0 : i64} : (tensor<4xf32>, tensor<2xi64>, tensor<2xf64>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_narrow(%x: tensor<4xf16>, %i: tensor<2xi64>, %u: tensor<2xf16>) {
  // expected-error@+1 {{dtype of operand 0: expected an integer dtype, float32 or float64, got float16}}
  %r = kiln.scatter_min %x, %i, %u {axis = 0 : i64} : (tensor<4xf16>, tensor<2xi64>, tensor<2xf16>) -> tensor<4xf16>
  return
}

// -----

func.func @scan_axis(%x: tensor<4xf32>) {
  // expected-error@+1 {{axis: expected one in [0, 1), got 1}}
  %r = kiln.cumulative_sum %x {axis = 1 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @sort_complex(%x: tensor<4xcomplex<f32>>) {
  // expected-error@+1 {{dtype of operand 0: expected an integer dtype, float32 or float64, got complex64}}
  %r = kiln.sort %x {axis = 0 : i64, descending = 0 : i64} : (tensor<4xcomplex<f32>>) -> tensor<4xcomplex<f32>>
  return
}

// -----

func.func @argsort_result(%x: tensor<4xf32>) {
  // expected-error@+1 {{result type: expected int64[4], got float32[4]}}
  %r = kiln.argsort %x {axis = 0 : i64, descending = 0 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @nonzero_rank(%x: tensor<2x2xi1>) {
  // expected-error@+1 {{rank of the mask: expected 1, got 2}}
  %r = kiln.nonzero %x {count = 2 : i64} : (tensor<2x2xi1>) -> tensor<2xi64>
  return
}

// -----

func.func @nonzero_count(%x: tensor<2xi1>) {
  // expected-error@+1 {{attribute 'count' failed to satisfy constraint: a size}}
  %r = kiln.nonzero %x {count = -9223372036854775808 : i64} : (tensor<2xi1>) -> tensor<2xi64>
  return
}

// -----

func.func @nonzero_dtype(%x: tensor<2xi8>) {
  // expected-error@+1 {{dtype of operand 0: expected bool, got int8}}
  %r = kiln.nonzero %x {count = 2 : i64} : (tensor<2xi8>) -> tensor<2xi64>
  return
}

// -----

func.func @bitcast_size(%x: tensor<2xf32>) {
  // expected-error@+1 {{dtypes: expected real ones of one size, got float32 and int64}}
  %r = kiln.bitcast %x : (tensor<2xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @complex_parts(%x: tensor<2xf16>) {
  // expected-error@+1 {{dtype of the parts: expected float32 or float64, got float16}}
  %r = kiln.complex %x, %x : (tensor<2xf16>, tensor<2xf16>) -> tensor<2xcomplex<f32>>
  return
}

// -----

func.func @any_dtype(%x: tensor<2xf32>) {
  // expected-error@+1 {{dtype of operand 0: expected bool, got float32}}
  %r = kiln.any %x {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<f32>
  return
}

// -----

func.func @storage(%x: tensor<2xf8E5M2>) {
  // expected-error@+1 {{dtype of operand 0: expected a numeric dtype, got float8_e5m2}}
  %r = kiln.add %x, %x : (tensor<2xf8E5M2>, tensor<2xf8E5M2>) -> tensor<2xf8E5M2>
  return
}

// -----

func.func @less_complex(%x: tensor<2xcomplex<f32>>) {
  // expected-error@+1 {{dtype of operand 0: expected a real dtype or bool, got complex64}}
  %r = kiln.less %x, %x : (tensor<2xcomplex<f32>>, tensor<2xcomplex<f32>>) -> tensor<2xi1>
  return
}

// -----

func.func @random_bits_dtype(%x: tensor<2xi64>) {
  // expected-error@+1 {{dtype of operand 0: expected uint64, got int64}}
  %r = kiln.random_bits %x, %x : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  return
}

// -----

func.func @ravel_index_dtype(%x: tensor<2xi32>) {
  // expected-error@+1 {{dtype of operand 0: expected int64, got int32}}
  %r = kiln.ravel_index %x, %x, %x : (tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @convolution_rank(%x: tensor<4x4xf32>, %w: tensor<2x2xf32>) {
  // expected-error@+1 {{ranks: expected an array and weights of one rank from 3 to 5}}
  %r = kiln.convolution %x, %w {strides = array<i64>, low = array<i64>, high = array<i64>, dilation = array<i64>, groups = 1 : i64} : (tensor<4x4xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  return
}

// -----

func.func @convolution_strides(%x: tensor<1x4x1xf32>, %w: tensor<2x1x1xf32>) {
  // expected-error@+1 {{strides, padding and dilation: expected 1 values each}}
  %r = kiln.convolution %x, %w {strides = array<i64: 1, 1>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 1>, groups = 1 : i64} : (tensor<1x4x1xf32>, tensor<2x1x1xf32>) -> tensor<1x3x1xf32>
  return
}

// -----

func.func @convolution_channels(%x: tensor<1x4x3xf32>, %w: tensor<2x1x1xf32>) {
  // expected-error@+1 {{channels: expected 1 in, filters in multiples of the groups, got 3 and 1 in 1 groups}}
  %r = kiln.convolution %x, %w {strides = array<i64: 1>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 1>, groups = 1 : i64} : (tensor<1x4x3xf32>, tensor<2x1x1xf32>) -> tensor<1x3x1xf32>
  return
}

// -----

func.func @convolution_step(%x: tensor<1x4x1xf32>, %w: tensor<2x1x1xf32>) {
  // expected-error@+1 {{strides, padding and dilation: expected positive ones}}
  %r = kiln.convolution %x, %w {strides = array<i64: 0>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 1>, groups = 1 : i64} : (tensor<1x4x1xf32>, tensor<2x1x1xf32>) -> tensor<1x3x1xf32>
  return
}

// -----

func.func @convolution_dtype(%x: tensor<1x4x1xf32>, %w: tensor<2x1x1xf64>) {
  // expected-error@+1 {{dtypes of operands differ: expected float32, got float64}}
  %r = kiln.convolution %x, %w {strides = array<i64: 1>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 1>, groups = 1 : i64} : (tensor<1x4x1xf32>, tensor<2x1x1xf64>) -> tensor<1x3x1xf32>
  return
}

// -----

func.func @select_condition(%c: tensor<2xf32>, %x: tensor<2xf32>) {
  // expected-error@+1 {{dtype of the condition: expected bool, got float32}}
  %r = kiln.select %c, %x, %x : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @select_shape(%c: tensor<3xi1>, %x: tensor<2xf32>) {
  // expected-error@+1 {{shape of the condition: expected (2,), got (3,)}}
  %r = kiln.select %c, %x, %x : (tensor<3xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @dot_general_dtypes(%x: tensor<2xf32>, %y: tensor<2xf64>) {
  // expected-error@+1 {{dtypes of operands differ: expected float32, got float64}}
  %r = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 0 : i64, y_axis = 0 : i64} : (tensor<2xf32>, tensor<2xf64>) -> tensor<f32>
  return
}

// -----

func.func @transpose_axes(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{axes: expected a permutation of the 2 axes}}
  %r = kiln.transpose %x {permutation = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @searchsorted_shapes(%x: tensor<2x2xf32>, %y: tensor<3x2xf32>) {
  // expected-error@+1 {{shapes: expected a vector, or one for each of the first axes, got (2, 2)}}
  %r = kiln.searchsorted %x, %y {right = 0 : i64} : (tensor<2x2xf32>, tensor<3x2xf32>) -> tensor<3x2xi64>
  return
}

// -----

func.func @isin_dtypes(%x: tensor<2xf32>, %y: tensor<2xf64>) {
  // expected-error@+1 {{dtypes of operands differ: expected float32, got float64}}
  %r = kiln.isin %x, %y : (tensor<2xf32>, tensor<2xf64>) -> tensor<2xi1>
  return
}

// -----

func.func @gcd_shapes(%x: tensor<2xi32>, %y: tensor<3xi32>) {
  // expected-error@+1 {{shape of y: expected (2,), got (3,)}}
  %r = kiln.gcd %x, %y : (tensor<2xi32>, tensor<3xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @cholesky_rank(%x: tensor<4xf32>) {
  // expected-error@+1 {{rank of operand 0: expected at least 2, got 1}}
  %r = kiln.cholesky %x {upper = 0 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @cholesky_choice(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{upper: expected 0 to 1, got 2}}
  %r = kiln.cholesky %x {upper = 2 : i64} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @lu_square(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{operand 0: expected square matrices, got float32[2, 3]}}
  %r = kiln.lu %x : (tensor<2x3xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @solve_rows(%a: tensor<2x2xf32>, %b: tensor<3x1xf32>) {
  // expected-error@+1 {{shape of b: expected one matrix of 2 rows for each of float32[2, 2], got float32[3, 1]}}
  %r = kiln.solve %a, %b : (tensor<2x2xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
  return
}

// -----

func.func @solve_dtypes(%a: tensor<2x2xf32>, %b: tensor<2x1xf64>) {
  // expected-error@+1 {{dtypes of operands differ: expected float32, got float64}}
  %r = kiln.solve %a, %b : (tensor<2x2xf32>, tensor<2x1xf64>) -> tensor<2x1xf64>
  return
}

// -----

func.func @qr_dtype(%x: tensor<2x2xi32>) {
  // expected-error@+1 {{dtype of operand 0: expected float32, float64, complex64 or complex128, got int32}}
  %r = kiln.qr %x {complete = 0 : i64} : (tensor<2x2xi32>) -> tensor<8xi32>
  return
}

// -----

func.func @eigh_result(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{kiln.eigh}}
  %r = kiln.eigh %x {upper = 0 : i64, vectors = 1 : i64} : (tensor<2x2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @eig_choice(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{vectors: expected 0 to 1, got -1}}
  %r = kiln.eig %x {vectors = -1 : i64} : (tensor<2x2xf32>) -> tensor<2xcomplex<f32>>
  return
}

// -----

func.func @svd_choice(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{vectors: expected 0 to 2, got 3}}
  %r = kiln.svd %x {vectors = 3 : i64} : (tensor<2x2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @fft_dtype(%x: tensor<2xf32>) {
  // expected-error@+1 {{dtype of operand 0: expected a complex dtype, got float32}}
  %r = kiln.fft %x {axes = array<i64: 0>, inverse = 0 : i64, norm = 0 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @fft_axes(%x: tensor<2x2xcomplex<f32>>) {
  // expected-error@+1 {{axes: expected axes named once}}
  %r = kiln.fft %x {axes = array<i64: 0, 0>, inverse = 0 : i64, norm = 0 : i64} : (tensor<2x2xcomplex<f32>>) -> tensor<2x2xcomplex<f32>>
  return
}

// -----

func.func @fft_nothing(%x: tensor<2xcomplex<f32>>) {
  // expected-error@+1 {{axes: expected at least one, got none}}
  %r = kiln.fft %x {axes = array<i64>, inverse = 0 : i64, norm = 0 : i64} : (tensor<2xcomplex<f32>>) -> tensor<2xcomplex<f32>>
  return
}

// -----

func.func @rfft_points(%x: tensor<0xf32>) {
  // expected-error@+1 {{points: expected at least 1, got 0}}
  %r = kiln.rfft %x {axis = 0 : i64, norm = 0 : i64} : (tensor<0xf32>) -> tensor<1xcomplex<f32>>
  return
}

// -----

func.func @irfft_points(%x: tensor<3xcomplex<f32>>) {
  // expected-error@+1 {{frequencies: expected 4 for 6 points, got 3}}
  %r = kiln.irfft %x {axis = 0 : i64, size = 6 : i64, norm = 0 : i64} : (tensor<3xcomplex<f32>>) -> tensor<6xf32>
  return
}
// What a kernel may hold is a matter of its kind.

func.func @kernel_of_nothing(%x: tensor<2xf32>) {
  // expected-error@+1 {{yield: expected at least one value}}
  kiln.kernel "elementwise"(%a = %x : tensor<2xf32>) {
    kiln.yield
  }
  return
}

// -----

func.func @kernel_of_other_ops(%x: tensor<2xf32>) {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    // expected-error@+1 {{in a kernel: expected operations on arrays alone}}
    %k = kiln.kernel "elementwise"(%b = %a : tensor<2xf32>) -> (tensor<2xf32>) {
      kiln.yield %b : tensor<2xf32>
    }
    kiln.yield %k : tensor<2xf32>
  }
  return
}

// -----

func.func @kernel_reshape(%x: tensor<2x3xf32>) {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<2x3xf32>) -> (tensor<6xf32>) {
    // expected-error@+1 {{in a kernel: expected a reshape that only adds or drops axes of size 1}}
    %r = kiln.reshape %a : (tensor<2x3xf32>) -> tensor<6xf32>
    kiln.yield %r : tensor<6xf32>
  }
  return
}

// -----

func.func @kernel_gather(%x: tensor<4xf32>, %i: tensor<2xi64>) {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<4xf32>, %j = %i : tensor<2xi64>) -> (tensor<2xf32>) {
    %n = kiln.negative %a : (tensor<4xf32>) -> tensor<4xf32>
    // expected-error@+1 {{in a kernel: expected an input of the kernel to gather from}}
    %r = kiln.gather %n, %j {axis = 0 : i64} : (tensor<4xf32>, tensor<2xi64>) -> tensor<2xf32>
    kiln.yield %r : tensor<2xf32>
  }
  return
}

// -----

func.func @elementwise_kernel(%x: tensor<2x3xf32>) {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<2x3xf32>) -> (tensor<2xf32>) {
    // expected-error@+1 {{in a kernel: expected one of kind 'reduction', got 'elementwise'}}
    %s = kiln.sum %a {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
    kiln.yield %s : tensor<2xf32>
  }
  return
}

// -----

func.func @elementwise_kernel_shapes(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{results: expected one shape, got (2,) and (3,)}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>, %b = %y : tensor<3xf32>) -> (tensor<2xf32>, tensor<3xf32>) {
    kiln.yield %a, %b : tensor<2xf32>, tensor<3xf32>
  }
  return
}

// -----

func.func @reduction_kernel(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected an operation of kind 'reduction', got none}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @reduction_kernel_axes(%x: tensor<2x3xf32>) {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<2x3xf32>) -> (tensor<f32>) {
    // expected-error@+1 {{in a kernel: expected one axis: run kiln-simplify first}}
    %s = kiln.sum %a {axes = array<i64: 0, 1>} : (tensor<2x3xf32>) -> tensor<f32>
    kiln.yield %s : tensor<f32>
  }
  return
}

// -----

func.func @reduction_kernel_two_axes(%x: tensor<3x3xf32>) {
  %0:2 = kiln.kernel "reduction"(%a = %x : tensor<3x3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
    %s = kiln.sum %a {axes = array<i64: 1>} : (tensor<3x3xf32>) -> tensor<3xf32>
    // expected-error@+1 {{in a kernel: expected a reduction of axis 1 of (3, 3), got axis 0 of (3, 3)}}
    %m = kiln.max %a {axes = array<i64: 0>} : (tensor<3x3xf32>) -> tensor<3xf32>
    kiln.yield %s, %m : tensor<3xf32>, tensor<3xf32>
  }
  return
}

// -----

func.func @reduction_kernel_results(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{results: expected (2, 3), or that without axis 1, got (2, 5)}}
  %0 = kiln.kernel "reduction"(%a = %x : tensor<2x3xf32>) -> (tensor<2x5xf32>) {
    %s = kiln.sum %a {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
    %b = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<2x5xf32>
    kiln.yield %b : tensor<2x5xf32>
  }
  return
}

// -----

func.func @reduction_kernel_product(%x: tensor<4x3xf32>, %y: tensor<2x4xf32>) {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<4x3xf32>, %b = %y : tensor<2x4xf32>) -> (tensor<3x2xf32>) {
    // expected-error@+1 {{in a kernel: expected one of kind 'contraction', got 'reduction'}}
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 0 : i64, y_axis = 1 : i64} : (tensor<4x3xf32>, tensor<2x4xf32>) -> tensor<3x2xf32>
    kiln.yield %d : tensor<3x2xf32>
  }
  return
}

// -----

func.func @contraction_kernel(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected an operation of kind 'contraction', got none}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @contraction_kernel_form(%x: tensor<2xf32>) {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<2xf32>) -> (tensor<f32>) {
    // expected-error@+1 {{in a kernel: expected batch axes before the others, and a matrix: run kiln-simplify first}}
    %d = kiln.dot_general %a, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 0 : i64, y_axis = 0 : i64} : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>
    kiln.yield %d : tensor<f32>
  }
  return
}

// -----

func.func @contraction_kernel_two(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{expected one operation of kind 'contraction', got 2}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<2x2xf32>) -> (tensor<2x2xf32>) {
    %d = kiln.dot_general %a, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    %f = kiln.dot_general %d, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    kiln.yield %f : tensor<2x2xf32>
  }
  return
}

// -----

func.func @contraction_kernel_results(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{results: expected (2, 2), got (2,)}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<2x2xf32>) -> (tensor<2xf32>) {
    %d = kiln.dot_general %a, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    %s = kiln.slice %d {starts = array<i64: 0, 0>, sizes = array<i64: 1, 2>, steps = array<i64: 1, 1>} : (tensor<2x2xf32>) -> tensor<1x2xf32>
    %r = kiln.reshape %s : (tensor<1x2xf32>) -> tensor<2xf32>
    kiln.yield %r : tensor<2xf32>
  }
  return
}

// -----

func.func @contraction_kernel_type(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{results: expected one of type float32[2, 2]}}
  %0 = kiln.kernel "contraction"(%a = %x : tensor<2x2xf32>) -> (tensor<2x2xf64>) {
    %d = kiln.dot_general %a, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1 : i64, y_axis = 0 : i64} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    %c = kiln.cast %d : (tensor<2x2xf32>) -> tensor<2x2xf64>
    kiln.yield %c : tensor<2x2xf64>
  }
  return
}

// -----

func.func @assemble_kernel(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected an operation of kind 'assemble', got none}}
  %0 = kiln.kernel "assemble"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @assemble_kernel_yield(%x: tensor<2xf32>) {
  // expected-error@+1 {{yield: expected the result of 'kiln.concat' alone}}
  %0 = kiln.kernel "assemble"(%a = %x : tensor<2xf32>) -> (tensor<4xf32>) {
    %c = kiln.concat %a, %a {axis = 0 : i64} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
    %n = kiln.negative %c : (tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  return
}

// -----

func.func @scatter_kernel(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected an operation of kind 'scatter', got none}}
  %0 = kiln.kernel "scatter"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @scan_kernel(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected an operation of kind 'scan', got none}}
  %0 = kiln.kernel "scan"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @compact_kernel(%x: tensor<2xi64>) {
  // expected-error@+1 {{expected an operation of kind 'compact', got none}}
  %0 = kiln.kernel "compact"(%a = %x : tensor<2xi64>) -> (tensor<2xi64>) {
    kiln.yield %a : tensor<2xi64>
  }
  return
}

// -----

func.func @sort_kernel(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected an operation of kind 'sort', got none}}
  %0 = kiln.kernel "sort"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

// What a compact kernel takes is as long as its mask.
func.func @compact_kernel_length(%x: tensor<3xf32>, %m: tensor<2xi1>) {
  // expected-error@+1 {{yield: expected the result of 'kiln.nonzero' alone}}
  %0 = kiln.kernel "compact"(%a = %x : tensor<3xf32>, %b = %m : tensor<2xi1>) -> (tensor<2xf32>) {
    %p = kiln.nonzero %b {count = 2 : i64} : (tensor<2xi1>) -> tensor<2xi64>
    %n = kiln.gather %a, %p {axis = 0 : i64} : (tensor<3xf32>, tensor<2xi64>) -> tensor<2xf32>
    kiln.yield %n : tensor<2xf32>
  }
  return
}

// -----

func.func @sort_kernel_yield(%x: tensor<2xf32>) {
  // expected-error@+1 {{yield: expected the result of 'kiln.sort' alone}}
  %0 = kiln.kernel "sort"(%a = %x : tensor<2xf32>) -> (tensor<2xf32>) {
    %s = kiln.sort %a {axis = 0 : i64, descending = 0 : i64} : (tensor<2xf32>) -> tensor<2xf32>
    kiln.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @convolution_kernel(%x: tensor<1x4x1xf32>) {
  // expected-error@+1 {{expected an operation of kind 'convolution', got none}}
  %0 = kiln.kernel "convolution"(%a = %x : tensor<1x4x1xf32>) -> (tensor<1x4x1xf32>) {
    kiln.yield %a : tensor<1x4x1xf32>
  }
  return
}

// -----

func.func @library_kernel(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{expected an operation of kind 'library', got none}}
  %0 = kiln.kernel "library"(%a = %x : tensor<2x2xf32>) -> (tensor<2x2xf32>) {
    kiln.yield %a : tensor<2x2xf32>
  }
  return
}

// -----

func.func @library_kernel_operand(%x: tensor<2x2xf32>) {
  %0 = kiln.kernel "library"(%a = %x : tensor<2x2xf32>) -> (tensor<2x2xf32>) {
    %n = kiln.negative %a : (tensor<2x2xf32>) -> tensor<2x2xf32>
    // expected-error@+1 {{in a kernel: expected inputs of the kernel as operands}}
    %c = kiln.cholesky %n {upper = 0 : i64} : (tensor<2x2xf32>) -> tensor<2x2xf32>
    kiln.yield %c : tensor<2x2xf32>
  }
  return
}

// -----

// -----

// expected-error@+1 {{attribute "kiln.replaces" of result 0: expected one of 1 arguments, got 1 : i64}}
func.func @replaces(%x: tensor<2xf32>) -> (tensor<2xf32> {kiln.replaces = 1 : i64}) {
  return %x : tensor<2xf32>
}

// -----

// expected-error@+1 {{attribute "kiln.replaces" of result 0: expected an argument of type 'tensor<f32>', got 'tensor<2xf32>'}}
func.func @replaces(%x: tensor<2xf32>, %y: tensor<f32>) -> (tensor<f32> {kiln.replaces = 0 : i64}) {
  return %y : tensor<f32>
}

// -----

// expected-error@+1 {{attribute "kiln.in_place" of result 0: expected a row-major argument of the host}}
func.func @in_place(%x: tensor<2xf32> {kiln.strides = array<i64: 3>}) -> (tensor<2xf32> {kiln.in_place = 0 : i64}) {
  return %x : tensor<2xf32>
}

// -----

// expected-error@+1 {{attribute "kiln.replaces" of result 1: expected an argument of its own, got that of result 0}}
func.func @replaces(%x: tensor<2xf32>) -> (tensor<2xf32> {kiln.replaces = 0 : i64}, tensor<2xf32> {kiln.replaces = 0 : i64}) {
  return %x, %x : tensor<2xf32>, tensor<2xf32>
}

// -----

// expected-error@+1 {{attribute "kiln.strides" of argument 0: expected a stride for each axis of 'tensor<2xf32>', got array<i64: 1, 2>}}
func.func @strides(%x: tensor<2xf32> {kiln.strides = array<i64: 1, 2>}) {
  return
}

// -----

// expected-error@+1 {{attribute "kiln.other" of argument 0: expected kiln.strides, or kiln.device, kiln.input or kiln.name with a text, of a function}}
func.func @argument(%x: tensor<2xf32> {kiln.other = 1 : i64}) {
  return
}

// -----

// expected-error@+1 {{attribute "kiln.other" of result 0: expected kiln.replaces or kiln.in_place, or kiln.name with a text, of a function}}
func.func @result(%x: tensor<2xf32>) -> (tensor<2xf32> {kiln.other = 1 : i64}) {
  return %x : tensor<2xf32>
}

// -----

// expected-error@+1 {{attribute "kiln.workspace_bytes": expected a number of 64 bits from -1, got -2 : i64}}
func.func @workspace() attributes {kiln.workspace_bytes = -2 : i64} {
  return
}

// -----

// expected-error@+1 {{attribute "kiln.products": expected symbols below 1, got 1}}
func.func @products() attributes {kiln.symbols = 1 : i64, kiln.products = [array<i64: -1, -2>]} {
  return
}

// -----

// expected-error@+1 {{attribute "kiln.products": expected lists of sizes, got 3 : i64}}
func.func @products() attributes {kiln.products = [3 : i64]} {
  return
}

// -----

// expected-error@+1 {{attribute "kiln.products": expected a list, got 3 : i64}}
func.func @products() attributes {kiln.products = 3 : i64} {
  return
}

// -----

// expected-error@+1 {{attribute "kiln.workspace_blocks": expected a list of types of arrays, got [i32]}}
func.func @blocks() attributes {kiln.workspace_blocks = [i32]} {
  return
}

// -----

// expected-error@+1 {{attribute kiln.in_place: expected a list of arguments, of a module or function, got 3 : i64}}
module attributes {kiln.in_place = 3 : i64} {
}

// -----

func.func @in_place(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{in_place: expected 2 inputs, got 1}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>, %b = %y : tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %n = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
    kiln.yield %n, %a : tensor<2xf32>, tensor<2xf32>
  } {in_place = array<i64: 0>}
  return
}

// -----

func.func @in_place(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{in_place: expected -1 or one of 2 inputs, got 99}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>, %b = %y : tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %n = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
    kiln.yield %n, %a : tensor<2xf32>, tensor<2xf32>
  } {in_place = array<i64: -1, 99>}
  return
}

// -----

func.func @in_place(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{in_place: expected -1 or one of 2 inputs, got -5}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>, %b = %y : tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %n = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
    kiln.yield %n, %a : tensor<2xf32>, tensor<2xf32>
  } {in_place = array<i64: -5, -1>}
  return
}

// -----

func.func @in_place(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{in_place: expected an input of type 'tensor<2xf32>', got 'tensor<3xf32>'}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>, %b = %y : tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %n = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
    kiln.yield %n, %a : tensor<2xf32>, tensor<2xf32>
  } {in_place = array<i64: 1, -1>}
  return
}

// -----

func.func @in_place(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{in_place: expected an input of its own for each result, got 0 again}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>, %b = %y : tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %n = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
    kiln.yield %n, %a : tensor<2xf32>, tensor<2xf32>
  } {in_place = array<i64: 0, 0>}
  return
}

// -----

func.func @in_place(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{attribute kiln.in_place: expected a list of arguments, of a module or function, got array<i64: 0, -1>}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>, %b = %y : tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %n = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
    kiln.yield %n, %a : tensor<2xf32>, tensor<2xf32>
  } {kiln.in_place = array<i64: 0, -1>}
  return
}

// -----

func.func @apart(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{apart: expected a name and a line, those of the other kernel, and a text, got ["sum"]}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<2xf32>, %b = %y : tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %n = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
    kiln.yield %n, %a : tensor<2xf32>, tensor<2xf32>
  } {apart = [["sum"]]}
  return
}

// -----

// expected-error@+1 {{attribute kiln.fast_math: expected none but its name, of a function, got 1 : i64}}
func.func @fast() attributes {kiln.fast_math = 1 : i64} {
  return
}

// -----

func.func @open_reshape(%x: tensor<?x4xf32, #kiln.symbols<0, -1>>) {
  // expected-error@+1 {{number of elements: expected that of (s0, 4) for some sizes, got none of (s0, 5)}}
  %0 = kiln.reshape %x : (tensor<?x4xf32, #kiln.symbols<0, -1>>) -> tensor<?x5xf32, #kiln.symbols<0, -1>>
  return
}

// -----

func.func @open_slice(%x: tensor<?xf32, #kiln.symbols<0>>) {
  // expected-error@+1 {{range of axis 0: expected positions within s0, got s0 from 1 in steps of 1}}
  %0 = kiln.slice %x {starts = array<i64: 1>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
  return
}

// -----

func.func @open_channels(%x: tensor<1x9x?xf32, #kiln.symbols<-1, -1, 0>>, %w: tensor<3x?x4xf32, #kiln.symbols<-1, 0, -1>>) {
  // expected-error@+1 {{channels: expected s0 * 2 in}}
  %0 = kiln.convolution %x, %w {strides = array<i64: 1>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 1>, groups = 2 : i64} : (tensor<1x9x?xf32, #kiln.symbols<-1, -1, 0>>, tensor<3x?x4xf32, #kiln.symbols<-1, 0, -1>>) -> tensor<1x7x4xf32>
  return
}

// -----

func.func @no_size(%x: tensor<4xf32>) {
  // expected-error@+1 {{'starts' failed to satisfy constraint: sizes, or positions that follow from sizes}}
  %0 = kiln.slice %x {starts = array<i64: -9223372036854775808>, sizes = array<i64: 1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<1xf32>
  return
}

// -----

// expected-error@+1 {{symbols: expected 0 to 1048575 of an open dimension, got -1}}
func.func @no_symbol(%x: tensor<?xf32, #kiln.symbols<-1>>) {
  return
}

// -----

// expected-error@+1 {{symbols: expected one a dimension, got 1}}
func.func @few_symbols(%x: tensor<?x?xf32, #kiln.symbols<0>>) {
  return
}
