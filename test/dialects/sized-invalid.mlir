// RUN: kiln-opt %s --verify-diagnostics --split-input-file

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{sizes in `most`: expected 1 as the body is given, got 2}}
  %0 = kiln.sized @body(%n, %n, %x) {most = array<i64: 4, 4>} : (tensor<i64>, tensor<i64>, tensor<4xf32>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{sizes in `most`: expected at least 1, got 0}}
  %0 = kiln.sized @body(%x) {most = array<i64>} : (tensor<4xf32>) -> tensor<4xf32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{operands: expected at least 1, got 0}}
  %0 = kiln.sized @body() {most = array<i64: 4>} : () -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{size 0: expected int64[], got float32[]}}
  %0 = kiln.sized @body(%f, %x) {most = array<i64: 4>} : (tensor<f32>, tensor<4xf32>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{sizes in `most`: expected at least 2, got 1}}
  %0 = kiln.sized @body(%n, %x) {most = array<i64: 1>} : (tensor<i64>, tensor<4xf32>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{inputs of the body: expected 2, got 1}}
  %0 = kiln.sized @body(%n, %x, %x) {most = array<i64: 4>} : (tensor<i64>, tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{input 0 of the body: expected int64[], got float32[4]}}
  %0 = kiln.sized @body(%n, %n) {most = array<i64: 4>} : (tensor<i64>, tensor<i64>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{type of result 0: expected float32[], got float32[4]}}
  %0 = kiln.sized @body(%n, %x) {most = array<i64: 4>} : (tensor<i64>, tensor<4xf32>) -> tensor<4xf32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{results of the body: expected sizes that are known outside, got float32[s0]}}
  %0 = kiln.sized @body(%n, %x) {most = array<i64: 4>} : (tensor<i64>, tensor<4xf32>) -> tensor<4xf32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  return %part : tensor<?xf32, #kiln.symbols<0>>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{inputs of the body: expected sizes that are known outside, got float32[s0]}}
  %0 = kiln.sized @body(%n, %x) {most = array<i64: 4>} : (tensor<i64>, tensor<4xf32>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %r = kiln.sum %x {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) {
  // expected-error@+1 {{expected fixed sizes, as the function that runs it has}}
  %0 = kiln.sized @body(%n, %x) {most = array<i64: 4>} : (tensor<i64>, tensor<4xf32>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{expected no more symbols than the function that runs it has}}
  %0 = kiln.sized @body(%n, %x) {most = array<i64: 4>} : (tensor<i64>, tensor<4xf32>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 2, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @main(%n: tensor<i64>, %f: tensor<f32>, %x: tensor<4xf32>) attributes {kiln.symbols = 0} {
  // expected-error@+1 {{symbols of bodies: expected none that operands give, got 1}}
  %0 = kiln.branch [@body](%n, %x) : (tensor<i64>, tensor<4xf32>) -> tensor<f32>
  return
}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

// expected-error@+1 {{attribute "kiln.given": expected 1 to 1 of the symbols of a body, got 2 : i64}}
func.func private @body(%x: tensor<4xf32>) -> tensor<f32> attributes {kiln.symbols = 1, kiln.given = 2} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}
