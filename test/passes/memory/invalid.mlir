// Plans that are not sound, as after an edit by hand: every target refuses them, before it schedules and before it emits code.
// RUN: kiln-opt %s --split-input-file --verify-diagnostics --kiln-schedule
// RUN: kiln-opt %s --split-input-file --verify-diagnostics --kiln-emit-cpu
// RUN: kiln-opt %s --split-input-file --verify-diagnostics --kiln-schedule-nvptx

// Where intermediates lie.
func.func @outside(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 256 : i64} {
  // expected-error@+1 {{workspace of result 0: expected 256 bytes within the 256 of the workspace, got them from 4096 on}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 4096>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}

// -----

func.func @unaligned(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 256 : i64} {
  // expected-error@+1 {{workspace of result 0: expected a multiple of 64, got 4}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 4>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}

// -----

func.func @nowhere(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 256 : i64} {
  // expected-error@+1 {{workspace of result 0: expected a place, as it is no result of the function, got -1}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}

// -----

func.func @no_block(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 256 : i64} {
  // expected-error@+1 {{workspace of result 0: expected one of 0 open blocks, got that of number 7}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -9>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}

// -----

func.func @other_block(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.symbols = 1 : i64, kiln.workspace_blocks = [tensor<?xf32, #kiln.symbols<0>>], kiln.workspace_bytes = 0 : i64} {
  // expected-error@+1 {{workspace of result 0: expected a block as large as float32[64], got one of float32[s0]}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -2>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}

// -----

func.func @open(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 1 : i64, kiln.workspace_bytes = 4096 : i64} {
  // expected-error@+1 {{workspace of result 0: expected an open block, as its size is open, got byte 0}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {workspace = array<i64: 0>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {workspace = array<i64: -1>}
  return %1 : tensor<?xf32, #kiln.symbols<0>>
}

// -----

// expected-error@+1 {{workspace: expected 0 to 72057594037927936 bytes, got -1}}
func.func @no_workspace(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = -1 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0 : tensor<64xf32>
}

// -----

func.func @elsewhere(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 256 : i64} {
  // expected-error@+1 {{workspace of result 0: expected -1, as it lies elsewhere, got 0}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 0>}
  return %0 : tensor<64xf32>
}

// -----

// Two arrays that are needed at once, of which one begins inside the other.
func.func @overlaps(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 512 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 64>}
  // expected-error@+1 {{workspace of result 0: expected memory that holds nothing which is read then or later}}
  %1 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 0>}
  %2 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>, %b = %1 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.add %a, %b : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %2 : tensor<64xf32>
}

// -----

// What is read at other positions cannot be written over; nor what is read from another place.
func.func @reads_behind(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 256 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 0>}
  // expected-error@+1 {{workspace of result 0: expected memory that holds nothing which is read then or later}}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.slice %a {starts = array<i64: 63>, sizes = array<i64: 64>, steps = array<i64: -1>} : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 0>}
  %2 = kiln.kernel "elementwise"(%a = %1 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %2 : tensor<64xf32>
}

// -----

func.func @shifted(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 320 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 0>}
  // expected-error@+1 {{workspace of result 0: expected memory that holds nothing which is read then or later}}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 64>}
  %2 = kiln.kernel "elementwise"(%a = %1 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %2 : tensor<64xf32>
}

// -----

func.func @of_one_kernel(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.workspace_bytes = 256 : i64} {
  // expected-error@+1 {{workspace of result 1: expected memory that holds nothing which is read then or later}}
  %0:2 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    %m = kiln.abs %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n, %m : tensor<64xf32>, tensor<64xf32>
  } {workspace = array<i64: 0, 0>}
  %1 = kiln.kernel "elementwise"(%a = %0#0 : tensor<64xf32>, %b = %0#1 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.add %a, %b : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}

// -----

func.func @block_again(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 1 : i64, kiln.workspace_blocks = [tensor<?xf32, #kiln.symbols<0>>], kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {workspace = array<i64: -2>}
  // expected-error@+1 {{workspace of result 0: expected memory that holds nothing which is read then or later}}
  %1 = kiln.kernel "elementwise"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {workspace = array<i64: -2>}
  %2 = kiln.kernel "elementwise"(%a = %0 : tensor<?xf32, #kiln.symbols<0>>, %b = %1 : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.add %a, %b : (tensor<?xf32, #kiln.symbols<0>>, tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  } {workspace = array<i64: -1>}
  return %2 : tensor<?xf32, #kiln.symbols<0>>
}

// -----

// Results of a program.
// expected-error@+1 {{result 0: expected the result of a kernel, which no other result is: run kiln-fuse first}}
func.func @argument(%x: tensor<64xf32>) -> tensor<64xf32> {
  return %x : tensor<64xf32>
}

// -----

// expected-error@+1 {{result 1: expected the result of a kernel, which no other result is: run kiln-fuse first}}
func.func @twice(%x: tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>) {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0, %0 : tensor<64xf32>, tensor<64xf32>
}

// -----

// Written over what the kernel still reads, or a later one.
func.func @reverses(%x: tensor<64xf32>) -> (tensor<64xf32> {kiln.in_place = 0 : i64, kiln.replaces = 0 : i64}) {
  // expected-error@+1 {{workspace of result 0: expected memory that holds nothing which is read then or later}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.slice %a {starts = array<i64: 63>, sizes = array<i64: 64>, steps = array<i64: -1>} : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0 : tensor<64xf32>
}

// -----

func.func @reads_later(%x: tensor<64xf32>) -> (tensor<64xf32> {kiln.in_place = 0 : i64}, tensor<64xf32>) {
  // expected-error@+1 {{workspace of result 0: expected memory that holds nothing which is read then or later}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  %1 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0, %1 : tensor<64xf32>, tensor<64xf32>
}

// -----

// A gather that can fail when the argument is overwritten.
// expected-error@+1 {{result 0: expected its argument overwritten only where nothing can fail any more}}
func.func @fails_later(%x: tensor<64xf32>, %i: tensor<64xi64>) -> (tensor<64xf32> {kiln.in_place = 0 : i64, kiln.replaces = 0 : i64}, tensor<64xf32>) {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>, %b = %i : tensor<64xi64>) -> (tensor<64xf32>) {
    %n = kiln.gather %a, %b {axis = 0 : i64} : (tensor<64xf32>, tensor<64xi64>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0, %1 : tensor<64xf32>, tensor<64xf32>
}

// -----

// Bodies.
// expected-error@+1 {{result 0: expected a body's result in the place of the argument with its number, got 1}}
func.func private @other(%x: tensor<64xf32>, %y: tensor<64xf32>) -> (tensor<64xf32> {kiln.in_place = 1 : i64}) {
  %0 = kiln.kernel "elementwise"(%a = %y : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0 : tensor<64xf32>
}

// -----

// Its caller is not told of the write.
func.func private @unsaid(%x: tensor<64xf32>) -> tensor<64xf32> {
  // expected-error@+1 {{in_place: expected inputs that lie where an argument does whose place a result of the body takes}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {in_place = array<i64: 0>, workspace = array<i64: -1>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}

// -----

func.func @program(%x: tensor<64xf32>) -> (tensor<64xf32> {kiln.in_place = 0 : i64}) {
  // expected-error@+1 {{in_place: expected inputs that lie where an argument does whose place a result of the body takes}}
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {in_place = array<i64: 0>, workspace = array<i64: -1>}
  return %0 : tensor<64xf32>
}

// -----

func.func private @in_workspace(%x: tensor<64xf32>) -> (tensor<64xf32> {kiln.in_place = 0 : i64}) attributes {kiln.workspace_bytes = 256 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: 0>}
  // expected-error@+1 {{in_place: expected inputs that lie where an argument does whose place a result of the body takes}}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {in_place = array<i64: 0>, workspace = array<i64: -1>}
  return %1 : tensor<64xf32>
}

// -----

// Symbols that nobody gives.
// expected-error@+1 {{sizes: expected symbols below 1, which the function has by kiln.symbols and kiln.products, got 3}}
func.func @symbol(%x: tensor<?xf32, #kiln.symbols<3>>) -> tensor<?xf32, #kiln.symbols<3>> attributes {kiln.symbols = 1 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<?xf32, #kiln.symbols<3>>) -> (tensor<?xf32, #kiln.symbols<3>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<3>>) -> tensor<?xf32, #kiln.symbols<3>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<3>>
  } {workspace = array<i64: -1>}
  return %0 : tensor<?xf32, #kiln.symbols<3>>
}

// -----

// expected-error@+1 {{sizes: expected symbols below 1, which the function has by kiln.symbols and kiln.products, got 3}}
func.func @block_symbol(%x: tensor<64xf32>) -> tensor<64xf32> attributes {kiln.symbols = 1 : i64, kiln.workspace_blocks = [tensor<?xf32, #kiln.symbols<3>>]} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0 : tensor<64xf32>
}

// -----

// No program of kernels in a row.
// expected-error@+1 {{expected one block of kernels: run kiln-fuse first}}
func.func @blocks(%x: tensor<64xf32>) -> tensor<64xf32> {
  cf.br ^next
^next:
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  } {workspace = array<i64: -1>}
  return %0 : tensor<64xf32>
}

// -----

func.func @not_returned(%x: tensor<64xf32>) {
  // expected-error@+1 {{expected only kernels: run kiln-fuse first}}
  llvm.unreachable
}
