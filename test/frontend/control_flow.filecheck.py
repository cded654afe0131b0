# RUN: %python %s | FileCheck %s
"""What tracing makes of Python: control flow is gone, views are moves, numbers are constants."""
import kiln as kn


@kn.jit
def unrolled(x):
    for i in range(2):
        x = kn.tanh(x) if i else x + 1
    return x


# CHECK: func.func @kiln_entry(%arg0: tensor<3xf32>) -> tensor<3xf32>
# CHECK: kiln.constant 1.000000e+00 : f32
# CHECK: kiln.broadcast
# CHECK: kiln.add
# CHECK: kiln.tanh
# CHECK-NOT: kiln.tanh
print(unrolled.lower(kn.ones(3)).ir("kiln"))


@kn.jit
def views(x):
    return x[1:, ::2].T * 2


# CHECK: kiln.slice {{.*}} {sizes = array<i64: 2, 2>, starts = array<i64: 1, 0>, steps = array<i64: 1, 2>}
# CHECK: kiln.transpose
# CHECK: kiln.multiply
print(views.lower(kn.ones((3, 4))).ir("kiln"))

w = kn.ones(3)


@kn.jit
def captured(x):
    return x * w


# A captured array is an input.
# CHECK: func.func @kiln_entry(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>)
# CHECK: kiln.multiply %arg0, %arg1
print(captured.lower(kn.ones(3)).ir("kiln"))

# Strided arguments carry their strides at run time.
# CHECK: tensor<2x3xf32> {kiln.strides = array<i64: -9223372036854775808, -9223372036854775808>}
print(kn.jit(lambda x: x + 1).lower(kn.ones((3, 2)).T).ir("kiln"))
