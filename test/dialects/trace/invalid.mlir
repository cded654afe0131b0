// RUN: kiln-opt %s --verify-diagnostics --split-input-file

// expected-error@+1 {{body: expected blocks, got none}}
trace.tree @nothing(tensor<f32>) -> tensor<f32>

// -----

// expected-error@+1 {{types: expected arrays of at most 32 axes, got 'i32'}}
trace.tree @number(%x: i32) {
  trace.return
}

// -----

// expected-error@+1 {{types: expected arrays of at most 32 axes, got 'tensor<2xindex>'}}
trace.tree @index(%x: tensor<2xindex>) {
  trace.return
}

// -----

trace.tree @outside(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{expected segments, guards and returns in a tree}}
  %y = kiln.exp %x : (tensor<f32>) -> tensor<f32>
  trace.return %y : tensor<f32>
}

// -----

trace.tree @result(%x: tensor<f32>) -> tensor<i1> {
  // expected-error@+1 {{types: expected those of the results, ('tensor<i1>'), got ('tensor<f32>')}}
  trace.return %x : tensor<f32>
}

// -----

trace.tree @arguments(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{block arguments: expected the types of the inputs}}
  %y = "trace.segment"(%x) ({
  ^bb0(%a: tensor<f64>):
    %c = kiln.constant 1.0 : f32 : tensor<f32>
    trace.return %c : tensor<f32>
  }) : (tensor<f32>) -> tensor<f32>
  trace.return %y : tensor<f32>
}

// -----

trace.tree @foreign(%x: tensor<f32>) -> tensor<f32> {
  %y = trace.segment(%a = %x : tensor<f32>) -> tensor<f32> {
    // expected-error@+1 {{expected operations of the kiln dialect in a segment}}
    %z = arith.addf %a, %a : tensor<f32>
    trace.return %z : tensor<f32>
  }
  trace.return %y : tensor<f32>
}

// -----

trace.tree @kernel(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = trace.segment(%a = %x : tensor<2xf32>) -> tensor<2xf32> {
    // expected-error@+1 {{expected operations of the kiln dialect in a segment}}
    %z = kiln.kernel "elementwise"(%b = %a : tensor<2xf32>) -> (tensor<2xf32>) {
      kiln.yield %b : tensor<2xf32>
    }
    trace.return %z : tensor<2xf32>
  }
  trace.return %y : tensor<2xf32>
}

// -----

trace.tree @values(%x: tensor<f32>) -> tensor<f32> {
  %y = trace.segment(%a = %x : tensor<f32>) -> tensor<f32> {
    // expected-error@+1 {{types: expected those of the results, ('tensor<f32>'), got ('tensor<f32>', 'tensor<f32>')}}
    trace.return %a, %a : tensor<f32>, tensor<f32>
  }
  trace.return %y : tensor<f32>
}

// -----

trace.tree @end(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{end: expected trace.return, got llvm.unreachable}}
  %y = trace.segment(%a = %x : tensor<f32>) -> tensor<f32> {
    llvm.unreachable
  }
  trace.return %y : tensor<f32>
}

// -----

trace.tree @rank(%x: tensor<1xi1>) {
  // expected-error@+1 {{rank of the value: expected 0, got 1}}
  trace.guard %x is true : tensor<1xi1> -> ^a, otherwise ^a
^a:
  trace.return
}

// -----

trace.tree @type(%x: tensor<i32>) {
  // expected-error@+1 {{type of the expected value: expected 'i32', got 'i64'}}
  trace.guard %x is 1 : i64 : tensor<i32> -> ^a, otherwise ^a
^a:
  trace.return
}

// -----

trace.tree @no_number(%x: tensor<i32>) {
  // expected-error@+1 {{expected value: expected a bool, an integer or a float, got dense<1> : tensor<1xi32>}}
  trace.guard %x is dense<1> : tensor<1xi32> : tensor<i32> -> ^a, otherwise ^a
^a:
  trace.return
}

// -----

trace.tree @block(%x: tensor<i1>) {
  // expected-error@+1 {{type mismatch for bb argument #0 of successor #0}}
  trace.guard %x is true : tensor<i1> -> ^a(%x : tensor<i1>), otherwise ^b
^a(%y: tensor<f32>):
  trace.return
^b:
  trace.return
}

// -----

func.func @alone(%x: tensor<f32>) {
  // expected-error@+1 {{expects parent op to be one of 'trace.tree, trace.segment'}}
  trace.return %x : tensor<f32>
}

// -----

func.func @segment_alone() {
  // expected-error@+1 {{expects parent op 'trace.tree'}}
  trace.segment() {
    trace.return
  }
  return
}
