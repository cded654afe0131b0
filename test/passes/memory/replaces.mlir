// RUN: kiln-opt %s --mlir-disable-threading --kiln-plan-memory --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// RUN: kiln-opt %s --kiln-plan-memory | kiln-run - --all --target=both --input=1,2,3,4
// STATS: plan-memory.replaced: 4

// Results that are new content of an argument lie in its memory, several of one kernel as well.
// CHECK-LABEL: @adam
// CHECK-SAME: -> (tensor<4xf32> {kiln.in_place = 0 : i64, kiln.replaces = 0 : i64}, tensor<4xf32> {kiln.in_place = 1 : i64, kiln.replaces = 1 : i64})
func.func @adam(%w: tensor<4xf32>, %m: tensor<4xf32>, %g: tensor<4xf32>)
    -> (tensor<4xf32> {kiln.replaces = 0 : i64}, tensor<4xf32> {kiln.replaces = 1 : i64}) {
  %0:2 = kiln.kernel "elementwise"(%a = %w : tensor<4xf32>, %b = %m : tensor<4xf32>, %c = %g : tensor<4xf32>)
      -> (tensor<4xf32>, tensor<4xf32>) {
    %n = kiln.add %b, %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %v = kiln.subtract %a, %n : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %v, %n : tensor<4xf32>, tensor<4xf32>
  }
  return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
}

// Not where elements are read at other positions,
// CHECK-LABEL: @reversed
// CHECK-SAME: -> (tensor<4xf32> {kiln.replaces = 0 : i64}) attributes
func.func @reversed(%w: tensor<4xf32>) -> (tensor<4xf32> {kiln.replaces = 0 : i64}) {
  %0 = kiln.kernel "elementwise"(%a = %w : tensor<4xf32>) -> (tensor<4xf32>) {
    %n = kiln.negative %a : (tensor<4xf32>) -> tensor<4xf32>
    %r = kiln.slice %n {starts = array<i64: 3>, sizes = array<i64: 4>, steps = array<i64: -1>} : (tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %r : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// nor where the argument is read later,
// CHECK-LABEL: @later
// CHECK-SAME: -> (tensor<4xf32> {kiln.replaces = 0 : i64}, tensor<4xf32>) attributes
func.func @later(%w: tensor<4xf32>) -> (tensor<4xf32> {kiln.replaces = 0 : i64}, tensor<4xf32>) {
  %0 = kiln.kernel "elementwise"(%a = %w : tensor<4xf32>) -> (tensor<4xf32>) {
    %n = kiln.negative %a : (tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  %1 = kiln.kernel "elementwise"(%a = %w : tensor<4xf32>, %b = %0 : tensor<4xf32>) -> (tensor<4xf32>) {
    %n = kiln.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// nor where something behind can fail on values: the program would have to end without effect. What comes before may fail.
// CHECK-LABEL: @fails
// CHECK-SAME: -> (tensor<4xf32> {kiln.replaces = 0 : i64}, tensor<1xf32>, tensor<4xf32> {kiln.in_place = 2 : i64, kiln.replaces = 2 : i64})
func.func @fails(%w: tensor<4xf32>, %i: tensor<1xi64> {kiln.input = "2"}, %v: tensor<4xf32>)
    -> (tensor<4xf32> {kiln.replaces = 0 : i64}, tensor<1xf32>, tensor<4xf32> {kiln.replaces = 2 : i64}) {
  %0 = kiln.kernel "elementwise"(%a = %w : tensor<4xf32>) -> (tensor<4xf32>) {
    %n = kiln.negative %a : (tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<4xf32>, %b = %i : tensor<1xi64>) -> (tensor<1xf32>) {
    %n = kiln.gather %a, %b {axis = 0 : i64} : (tensor<4xf32>, tensor<1xi64>) -> tensor<1xf32>
    kiln.yield %n : tensor<1xf32>
  }
  %2 = kiln.kernel "elementwise"(%a = %v : tensor<4xf32>) -> (tensor<4xf32>) {
    %n = kiln.abs %a : (tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  return %0, %1, %2 : tensor<4xf32>, tensor<1xf32>, tensor<4xf32>
}

// A scatter looks at its positions first, so that it may write in place,
// CHECK-LABEL: @put
// CHECK-SAME: -> (tensor<4xf32> {kiln.in_place = 0 : i64, kiln.replaces = 0 : i64})
func.func @put(%w: tensor<4xf32>, %i: tensor<2xi64> {kiln.input = "3,1"}, %v: tensor<2xf32>) -> (tensor<4xf32> {kiln.replaces = 0 : i64}) {
  %0 = kiln.kernel "scatter"(%a = %w : tensor<4xf32>, %b = %i : tensor<2xi64>, %c = %v : tensor<2xf32>) -> (tensor<4xf32>) {
    %n = kiln.scatter %a, %b, %c {axis = 0 : i64} : (tensor<4xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// but not where its values can fail too.
// CHECK-LABEL: @put_taken
// CHECK-SAME: -> (tensor<4xf32> {kiln.replaces = 0 : i64}) attributes
func.func @put_taken(%w: tensor<4xf32>, %i: tensor<2xi64> {kiln.input = "3,1"}, %v: tensor<4xf32>) -> (tensor<4xf32> {kiln.replaces = 0 : i64}) {
  %0 = kiln.kernel "scatter"(%a = %w : tensor<4xf32>, %b = %i : tensor<2xi64>, %c = %v : tensor<4xf32>) -> (tensor<4xf32>) {
    %t = kiln.gather %c, %b {axis = 0 : i64} : (tensor<4xf32>, tensor<2xi64>) -> tensor<2xf32>
    %n = kiln.scatter %a, %b, %t {axis = 0 : i64} : (tensor<4xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
