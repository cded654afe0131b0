package kiln;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A row-major array outside of Java's heap, which compiled code reads and writes in place. At most 2 GB. */
public final class Tensor {
  /** What elements are. Booleans are bytes, complex numbers pairs, float16 and bfloat16 their bits. */
  public enum Type {
    BOOL(6, 8), INT8(0, 8), INT16(0, 16), INT32(0, 32), INT64(0, 64), UINT8(1, 8), UINT16(1, 16), UINT32(1, 32), UINT64(1, 64),
    FLOAT16(2, 16), BFLOAT16(4, 16), FLOAT32(2, 32), FLOAT64(2, 64), COMPLEX64(5, 64), COMPLEX128(5, 128);

    final int code, bits;

    Type(int code, int bits) {
      this.code = code;
      this.bits = bits;
    }

    /** Of one element. */
    public int bytes() {
      return bits / 8;
    }
  }

  private final Type type;
  private final long[] room; // the shape that it was made with
  private final ByteBuffer data;
  private long[] shape;

  private Tensor(Type type, long[] shape, ByteBuffer data) {
    this.type = type;
    this.room = this.shape = shape.clone();
    this.data = data;
  }

  private static int count(Type type, long... shape) {
    long count = 1;
    for (long size : shape) {
      if (size < 0) throw new IllegalArgumentException("shape: expected sizes of 0 or more, got " + Arrays.toString(shape));
      count = Math.multiplyExact(count, size);
    }
    if (count > Integer.MAX_VALUE / type.bytes())
      throw new IllegalArgumentException("shape: expected at most 2 GB, got " + Arrays.toString(shape) + " of " + type);
    return (int) count;
  }

  /** Zeros. A number has no axes: {@code zeros(Type.FLOAT32)}. */
  public static Tensor zeros(Type type, long... shape) {
    return new Tensor(type, shape, ByteBuffer.allocateDirect(count(type, shape) * type.bytes()).order(ByteOrder.nativeOrder()));
  }

  private static Tensor zerosFor(int values, Type type, long... shape) {
    if (count(type, shape) != values)
      throw new IllegalArgumentException("shape: expected one of " + values + " elements, got " + Arrays.toString(shape));
    return zeros(type, shape);
  }

  /** A copy of the values. */
  public static Tensor of(float[] values, long... shape) {
    Tensor made = zerosFor(values.length, Type.FLOAT32, shape);
    made.data.asFloatBuffer().put(values);
    return made;
  }

  /** A copy of the values. */
  public static Tensor of(double[] values, long... shape) {
    Tensor made = zerosFor(values.length, Type.FLOAT64, shape);
    made.data.asDoubleBuffer().put(values);
    return made;
  }

  /** A copy of the values. */
  public static Tensor of(int[] values, long... shape) {
    Tensor made = zerosFor(values.length, Type.INT32, shape);
    made.data.asIntBuffer().put(values);
    return made;
  }

  /** A copy of the values. */
  public static Tensor of(long[] values, long... shape) {
    Tensor made = zerosFor(values.length, Type.INT64, shape);
    made.data.asLongBuffer().put(values);
    return made;
  }

  /** The elements that are in a direct buffer of this machine's byte order, from its position on; no copy is made. */
  public static Tensor wrap(Type type, ByteBuffer data, long... shape) {
    if (!data.isDirect() || data.isReadOnly()) throw new IllegalArgumentException("data: expected a direct buffer that may be written");
    int bytes = count(type, shape) * type.bytes();
    if (data.remaining() < bytes)
      throw new IllegalArgumentException("data: expected " + bytes + " bytes for " + Arrays.toString(shape) + ", got " + data.remaining());
    return new Tensor(type, shape, data.slice().order(ByteOrder.nativeOrder()));
  }

  public Type type() {
    return type;
  }

  /** Of an output whose size values decided, what the last call gave it. */
  public long[] shape() {
    return shape.clone();
  }

  long[] room() {
    return room;
  }

  void take(long[] found) {
    shape = found;
  }

  /** The elements; what is written into it is what the next call reads. */
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.nativeOrder());
  }

  private void expect(Type wanted) {
    if (type != wanted) throw new IllegalStateException("elements: expected a tensor of " + wanted + ", got one of " + type);
  }

  /** A copy of the elements. */
  public float[] floats() {
    expect(Type.FLOAT32);
    float[] values = new float[count(type, shape)];
    data.asFloatBuffer().get(values);
    return values;
  }

  /** A copy of the elements. */
  public double[] doubles() {
    expect(Type.FLOAT64);
    double[] values = new double[count(type, shape)];
    data.asDoubleBuffer().get(values);
    return values;
  }

  /** A copy of the elements. */
  public int[] ints() {
    expect(Type.INT32);
    int[] values = new int[count(type, shape)];
    data.asIntBuffer().get(values);
    return values;
  }

  /** A copy of the elements. */
  public long[] longs() {
    expect(Type.INT64);
    long[] values = new long[count(type, shape)];
    data.asLongBuffer().get(values);
    return values;
  }
}
