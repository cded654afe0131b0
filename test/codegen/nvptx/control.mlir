// Loops and branches become steps of the program around calls of their bodies, and steps of the launch plan.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s
// RUN: kiln-translate %s --mlir-to-code --target=nvptx | FileCheck %s --check-prefix=PLAN

// How often is known before the first trip; the array changes places, and the count of trips is a number of the call.
// CHECK: func.func @counted(%[[X:[a-z0-9_]+]]: !llvm.ptr, %[[N:[a-z0-9_]+]]: !llvm.ptr, %[[Y:[a-z0-9_]+]]: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[STATUS:[a-z0-9_]+]]: !llvm.ptr)
// CHECK: "llvm.intr.memcpy"(%[[Y]], %[[X]]
// CHECK: %[[END:[a-z0-9_]+]] = llvm.load %[[N]]
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[END]] step %{{.*}} iter_args(%[[I:[a-z0-9_]+]] = %{{.*}}, %[[J:[a-z0-9_]+]] = %{{.*}}, %[[NOW:[a-z0-9_]+]] = %[[Y]], %[[NEXT:[a-z0-9_]+]] = %{{.*}})
// CHECK: func.call @step(%[[I]], %[[NOW]], %[[N]], %[[J]], %[[NEXT]], %{{.*}}, %[[STATUS]])
// CHECK: scf.yield %[[J]], %[[I]], %[[NEXT]], %[[NOW]]
// CHECK: {kiln.counts = array<i64: 0, 1>}
// PLAN: kiln-launch-plan 4
// PLAN: program counted 2 1
// PLAN-NEXT: launch
// PLAN: copy
// PLAN-NEXT: output 0 0 1024
// PLAN-NEXT: input 0 0 1024
// PLAN-NEXT: repeat [[STEP:[0-9]+]] 2 0 1
// PLAN-NEXT: constant 0 0 0
// PLAN-NEXT: input 1 0 8
// PLAN-NEXT: workspace
// PLAN-NEXT: workspace
// PLAN-NEXT: output 0 0 1024
// PLAN-NEXT: workspace {{[0-9]+}} 0 8
// PLAN-NEXT: workspace {{[0-9]+}} 0 1024
// PLAN-NEXT: input 1 0 8
// PLAN-NEXT: end
func.func @counted(%x: tensor<128xf64>, %n: tensor<i64>) -> tensor<128xf64> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %i, %y = kiln.loop @less, @step(%zero, %x, %n) : (tensor<i64>, tensor<128xf64>, tensor<i64>) -> (tensor<i64>, tensor<128xf64>)
  return %y : tensor<128xf64>
}

// A condition that only values decide: its flag is read in each trip. The array is changed where it lies.
// CHECK: func.func @asked
// CHECK: scf.while (%[[T:[a-z0-9_]+]] = %{{.*}}, %[[U:[a-z0-9_]+]] = %{{.*}}) : (!llvm.ptr, !llvm.ptr) -> (!llvm.ptr, !llvm.ptr)
// CHECK: func.call @isSmall(%[[T]], %[[PLACE:[a-z0-9_]+]], %[[FLAG:[a-z0-9_]+]], %{{.*}}, %{{.*}})
// CHECK: llvm.load %[[FLAG]]
// CHECK: scf.condition
// CHECK: } do {
// CHECK: func.call @put(%[[A:[a-z0-9_]+]], %[[PLACE]], %[[B:[a-z0-9_]+]], %[[PLACE]],
// CHECK: scf.yield %[[B]], %[[A]]
// PLAN: program asked 1 2
// PLAN: while {{[0-9]+}} {{[0-9]+}} 2
// PLAN-NEXT: workspace {{[0-9]+}} 0 1
// PLAN-NEXT: workspace
// PLAN-NEXT: output 0 0 8
// PLAN-NEXT: output 1 0 1024
// PLAN-NEXT: workspace {{[0-9]+}} 0 8
// PLAN-NEXT: output 1 0 1024
// PLAN-NEXT: end
func.func @asked(%x: tensor<128xf64>) -> (tensor<f64>, tensor<128xf64>) {
  %one = kiln.constant 1.0 : f64 : tensor<f64>
  %s, %y = kiln.loop @isSmall, @put(%one, %x) : (tensor<f64>, tensor<128xf64>) -> (tensor<f64>, tensor<128xf64>)
  return %s, %y : tensor<f64>, tensor<128xf64>
}

// Counting down to a constant, and a value that stays what it is: it is read where it lies.
// CHECK: func.func @down(%[[N:[a-z0-9_]+]]: !llvm.ptr, %[[X:[a-z0-9_]+]]: !llvm.ptr, %[[R:[a-z0-9_]+]]: !llvm.ptr,
// CHECK: %[[FROM:[a-z0-9_]+]] = llvm.load %[[N]]
// CHECK: scf.for %{{.*}} = %c3{{.*}} to %[[FROM]]
// CHECK: func.call @less_one(%{{.*}}, %[[X]], %{{.*}}, %[[X]],
// CHECK: kiln.counts = array<i64: 0, -1>
// CHECK: "llvm.intr.memcpy"(%[[R]], %[[X]]
// PLAN: program down 2 1
// PLAN: repeat {{[0-9]+}} 2 0 -1
// PLAN-NEXT: constant 3 0 0
// PLAN-NEXT: input 0 0 8
func.func @down(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %i, %y = kiln.loop @above, @less_one(%n, %x) : (tensor<i64>, tensor<4xf32>) -> (tensor<i64>, tensor<4xf32>)
  return %y : tensor<4xf32>
}

// A body that writes into its argument is given a copy, once for all branches.
// CHECK: func.func @choose
// CHECK: %[[NUMBER:[a-z0-9_]+]] = llvm.load
// CHECK: %[[WIDE:[a-z0-9_]+]] = arith.extui %{{.*}} : i1 to i64
// CHECK: scf.index_switch
// CHECK-NEXT: case 1 {
// CHECK-NEXT: func.call @double(
// CHECK: default {
// CHECK-NEXT: func.call @first.apart_0(
// CHECK: scf.index_switch
// CHECK: func.call @first.apart_0(
// CHECK: func.func private @first.apart_0(%[[IN:[a-z0-9_]+]]: !llvm.ptr, %[[OUT:[a-z0-9_]+]]: !llvm.ptr
// CHECK: "llvm.intr.memcpy"(%[[OUT]], %[[IN]]
// CHECK: call @first(%[[OUT]], %[[OUT]],
// CHECK-NOT: @first.apart_1
// PLAN: program choose 2 2
// PLAN-NEXT: choose [[FIRST:[0-9]+]] [[DOUBLE:[0-9]+]]
// PLAN-NEXT: input 0 0 1
// PLAN-NEXT: workspace
// PLAN-NEXT: input 1 0 16
// PLAN-NEXT: output 0 0 16
// PLAN-NEXT: choose [[FIRST]] [[DOUBLE]]
// PLAN: body less 3 1
// PLAN: body step 3 2
// PLAN: body first.apart_0 1 1
// PLAN-NEXT: copy
// PLAN-NEXT: output 0 0 16
// PLAN-NEXT: input 0 0 16
// PLAN-NEXT: call
func.func @choose(%b: tensor<i1>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y = kiln.branch [@first, @double](%b, %x) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  %z = kiln.branch [@first, @double](%b, %y) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}

func.func private @less(%i: tensor<i64>, %x: tensor<128xf64>, %n: tensor<i64>) -> tensor<i1> {
  %r = kiln.less %i, %n : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @step(%i: tensor<i64>, %x: tensor<128xf64>, %n: tensor<i64>) -> (tensor<i64>, tensor<128xf64>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %j = kiln.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %y = kiln.add %x, %x : (tensor<128xf64>, tensor<128xf64>) -> tensor<128xf64>
  return %j, %y : tensor<i64>, tensor<128xf64>
}
func.func private @isSmall(%s: tensor<f64>, %x: tensor<128xf64>) -> tensor<i1> {
  %most = kiln.constant 100.0 : f64 : tensor<f64>
  %r = kiln.less %s, %most : (tensor<f64>, tensor<f64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @put(%s: tensor<f64>, %x: tensor<128xf64>) -> (tensor<f64>, tensor<128xf64>) {
  %t = kiln.add %s, %s : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %v = kiln.reshape %t : (tensor<f64>) -> tensor<1xf64>
  %y = kiln.update %x, %v {starts = array<i64: 7>, steps = array<i64: 1>} : (tensor<128xf64>, tensor<1xf64>) -> tensor<128xf64>
  return %t, %y : tensor<f64>, tensor<128xf64>
}
func.func private @above(%i: tensor<i64>, %x: tensor<4xf32>) -> tensor<i1> {
  %three = kiln.constant 3 : i64 : tensor<i64>
  %r = kiln.greater %i, %three : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @less_one(%i: tensor<i64>, %x: tensor<4xf32>) -> (tensor<i64>, tensor<4xf32>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %j = kiln.subtract %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %j, %x : tensor<i64>, tensor<4xf32>
}
func.func private @first(%x: tensor<4xf32>) -> tensor<4xf32> {
  %nine = kiln.constant 9.0 : f32 : tensor<f32>
  %v = kiln.reshape %nine : (tensor<f32>) -> tensor<1xf32>
  %r = kiln.update %x, %v {starts = array<i64: 0>, steps = array<i64: 1>} : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
func.func private @double(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = kiln.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
