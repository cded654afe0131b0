// RUN: kiln-opt %s --verify-diagnostics --split-input-file

func.func @missing(%x: tensor<2xf32>) {
  // expected-error@+1 {{body @nowhere: expected a function of the module with a body}}
  %0 = kiln.loop @nowhere, @nowhere(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @blocks(%x: tensor<2xf32>, %n: tensor<i64>) {
  // expected-error@+1 {{body @next: expected a function of one block}}
  %0 = kiln.branch [@next](%n, %x) : (tensor<i64>, tensor<2xf32>) -> tensor<2xf32>
  return
}
func.func private @next(%x: tensor<2xf32>) -> tensor<2xf32> {
  cf.br ^next(%x : tensor<2xf32>)
^next(%y: tensor<2xf32>):
  return %y : tensor<2xf32>
}

// -----

func.func private @itself(%x: tensor<i1>) -> tensor<i1> {
  // expected-error@+1 {{body @itself: expected a function behind the one that runs it}}
  %0 = kiln.loop @itself, @itself(%x) : (tensor<i1>) -> tensor<i1>
  return %0 : tensor<i1>
}

// -----

func.func @public(%x: tensor<i1>) {
  // expected-error@+1 {{body @test: expected a private function}}
  %0 = kiln.loop @test, @test(%x) : (tensor<i1>) -> tensor<i1>
  return
}
func.func @test(%x: tensor<i1>) -> tensor<i1> {
  return %x : tensor<i1>
}

// -----

func.func @open(%x: tensor<?xi1, #kiln.symbols<0>>) {
  // expected-error@+1 {{expected arrays of fixed sizes}}
  %0 = kiln.loop @test, @test(%x) : (tensor<?xi1, #kiln.symbols<0>>) -> tensor<?xi1, #kiln.symbols<0>>
  return
}
func.func private @test(%x: tensor<?xi1, #kiln.symbols<0>>) -> tensor<?xi1, #kiln.symbols<0>> {
  return %x : tensor<?xi1, #kiln.symbols<0>>
}

// -----

func.func @more_symbols(%x: tensor<?xi1, #kiln.symbols<0>>) attributes {kiln.symbols = 1} {
  // expected-error@+1 {{expected no more symbols than the function that runs it has}}
  %0 = kiln.loop @test, @test(%x) : (tensor<?xi1, #kiln.symbols<0>>) -> tensor<?xi1, #kiln.symbols<0>>
  return
}
func.func private @test(%x: tensor<?xi1, #kiln.symbols<0>>) -> tensor<?xi1, #kiln.symbols<0>> attributes {kiln.symbols = 2} {
  return %x : tensor<?xi1, #kiln.symbols<0>>
}

// -----

func.func @strided(%x: tensor<i1>) {
  // expected-error@+1 {{expected row-major arguments of the host}}
  %0 = kiln.loop @test, @test(%x) : (tensor<i1>) -> tensor<i1>
  return
}
func.func private @test(%x: tensor<i1> {kiln.device = "cuda:0"}) -> tensor<i1> {
  return %x : tensor<i1>
}

// -----

func.func @condition(%x: tensor<2xi1>) {
  // expected-error@+1 {{result of the condition: expected bool[], got bool[2]}}
  %0 = kiln.loop @test, @test(%x) : (tensor<2xi1>) -> tensor<2xi1>
  return
}
func.func private @test(%x: tensor<2xi1>) -> tensor<2xi1> {
  return %x : tensor<2xi1>
}

// -----

func.func @inputs(%x: tensor<i1>, %y: tensor<i1>) {
  // expected-error@+1 {{inputs of the condition: expected 2, got 1}}
  %0 = kiln.loop @test, @test(%x, %y) : (tensor<i1>, tensor<i1>) -> tensor<i1>
  return
}
func.func private @test(%x: tensor<i1>) -> tensor<i1> {
  return %x : tensor<i1>
}

// -----

func.func @carried(%x: tensor<2xf32>) {
  // expected-error@+1 {{carried value 0: expected float32[2], got float64[2]}}
  %0 = kiln.loop @test, @wider(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}
func.func private @test(%x: tensor<2xf32>) -> tensor<i1> {
  %r = kiln.constant false : tensor<i1>
  return %r : tensor<i1>
}
func.func private @wider(%x: tensor<2xf32>) -> tensor<2xf64> {
  %r = kiln.cast %x : (tensor<2xf32>) -> tensor<2xf64>
  return %r : tensor<2xf64>
}

// -----

func.func @results(%x: tensor<i1>) {
  // expected-error@+1 {{type of result 0: expected bool[], got float32[]}}
  %0 = kiln.loop @test, @test(%x) : (tensor<i1>) -> tensor<f32>
  return
}
func.func private @test(%x: tensor<i1>) -> tensor<i1> {
  return %x : tensor<i1>
}

// -----

func.func @none(%x: tensor<i64>) {
  // expected-error@+1 {{bodies: expected at least 1, got 0}}
  %0 = kiln.branch [](%x) : (tensor<i64>) -> tensor<i64>
  return
}

// -----

func.func @number(%x: tensor<f32>) {
  // expected-error@+1 {{the number of the body: expected a bool or int64 of rank 0, got float32[]}}
  %0 = kiln.branch [@same](%x) : (tensor<f32>) -> tensor<f32>
  return
}
func.func private @same() -> tensor<f32> {
  %r = kiln.constant 1.0 : f32 : tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @differ(%i: tensor<i64>, %x: tensor<f32>) {
  // expected-error@+1 {{result 0 of body 1: expected float32[], got int64[]}}
  %0 = kiln.branch [@one, @other](%i, %x) : (tensor<i64>, tensor<f32>) -> tensor<f32>
  return
}
func.func private @one(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}
func.func private @other(%x: tensor<f32>) -> tensor<i64> {
  %r = kiln.constant 1 : i64 : tensor<i64>
  return %r : tensor<i64>
}

// -----

func.func @count(%x: tensor<i1>) {
  // expected-error@+1 {{results: expected 1, got 2}}
  %0:2 = kiln.loop @test, @test(%x) : (tensor<i1>) -> (tensor<i1>, tensor<i1>)
  return
}
func.func private @test(%x: tensor<i1>) -> tensor<i1> {
  return %x : tensor<i1>
}
