package kiln;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A library of compiled functions that Kiln has made. Any number of threads may call its functions.
 *
 * <pre>
 *   try (Library scores = Library.open(Path.of("libscores.so"))) {
 *     Tensor x = Tensor.of(new float[] {1, 2, 3}, 1, 3), y = Tensor.zeros(Tensor.Type.FLOAT32, 1, 4);
 *     scores.call("run", new Tensor[] {x}, new Tensor[] {y});
 *   }
 * </pre>
 *
 * The part of it that is C, {@code kiln_jni.c}, is loaded from {@code java.library.path} as {@code kiln_jni}.
 */
public final class Library implements AutoCloseable {
  static {
    System.loadLibrary("kiln_jni");
  }

  private static final int TEXT = 512; // bytes of a sentence

  private final ReadWriteLock lock = new ReentrantReadWriteLock(); // calls read, closing writes
  private final ConcurrentHashMap<String, Long> functions = new ConcurrentHashMap<>();
  private final String name;
  private long opened;

  private Library(String name, long opened) {
    this.name = name;
    this.opened = opened;
  }

  /** Opens a library; its name in C is that of the file. Throws Failure: no weights, another processor. */
  public static Library open(Path file) {
    String stem = file.getFileName().toString().replaceFirst("\\.so(\\..*)?$", "");
    return open(file, stem.startsWith("lib") ? stem.substring(3) : stem, null);
  }

  /** The same with the name in C, and the file of the weights where they are in one (null: beside the library). */
  public static Library open(Path file, String name, Path weights) {
    int[] status = new int[1];
    byte[] text = new byte[TEXT];
    long opened = open0(bytes(file.toAbsolutePath().toString()), bytes(name), weights == null ? null : bytes(weights.toString()), status, text);
    if (status[0] != 0) throw new Failure(status[0], sentence(text));
    return new Library(name, opened);
  }

  /** Functions, arguments, dtypes, shapes and bounds of sizes, as JSON. */
  public String signature() {
    lock.readLock().lock();
    try {
      return new String(signature0(alive(), bytes(name)), StandardCharsets.UTF_8);
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Runs a function: {@code inputs} are what the header takes before the sizes, {@code outputs} what it writes behind them. Inputs that it
   * writes are changed. Outputs whose size the values decide are as large as there is room for; they get the shape that they have. Throws
   * Failure; then what is in outputs is undefined.
   */
  public void call(String function, Tensor[] inputs, Tensor[] outputs) {
    lock.readLock().lock();
    try {
      long library = alive();
      long entry = functions.computeIfAbsent(function, f -> find0(library, bytes(name + "_" + f + "_dlpack")));
      byte[] text = new byte[TEXT];
      long[] forms = forms(outputs, true);
      int status = call0(library, entry, buffers(inputs), forms(inputs, false), buffers(outputs), forms, text);
      if (status != 0) throw new Failure(status, sentence(text));
      reshape(outputs, forms);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Waits for calls that run. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (opened != 0) close0(opened);
      opened = 0;
    } finally {
      lock.writeLock().unlock();
    }
  }

  private long alive() {
    if (opened == 0) throw new IllegalStateException(name + ": expected a library that is open, got one that is closed");
    return opened;
  }

  private static String sentence(byte[] text) {
    int length = 0;
    while (length < text.length && text[length] != 0) ++length;
    return new String(text, 0, length, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String text) {
    return (text + "\0").getBytes(StandardCharsets.UTF_8);
  }

  private static ByteBuffer[] buffers(Tensor[] tensors) {
    ByteBuffer[] buffers = new ByteBuffer[tensors.length];
    for (int i = 0; i < tensors.length; ++i) buffers[i] = tensors[i].data();
    return buffers;
  }

  /** Of each: the code and the bits of its type, its rank, its sizes; of outputs those that there is room for. */
  private static long[] forms(Tensor[] tensors, boolean areOutputs) {
    int length = 0, at = 0;
    for (Tensor t : tensors) length += 3 + t.shape().length;
    long[] forms = new long[length];
    for (Tensor t : tensors) {
      forms[at++] = t.type().code;
      forms[at++] = t.type().bits;
      forms[at++] = t.shape().length;
      for (long size : areOutputs ? t.room() : t.shape()) forms[at++] = size;
    }
    return forms;
  }

  private static void reshape(Tensor[] tensors, long[] forms) {
    int at = 0;
    for (Tensor t : tensors) {
      int rank = t.shape().length;
      t.take(Arrays.copyOfRange(forms, at + 3, at + 3 + rank));
      at += 3 + rank;
    }
  }

  private static native long open0(byte[] file, byte[] name, byte[] weights, int[] status, byte[] text);
  private static native byte[] signature0(long library, byte[] name);
  private static native long find0(long library, byte[] symbol);
  private static native int call0(
      long library, long function, ByteBuffer[] inputs, long[] inputForms, ByteBuffer[] outputs, long[] outputForms, byte[] text);
  private static native void close0(long library);
}
