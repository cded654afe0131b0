import java.nio.file.Path;

import kiln.Failure;
import kiln.Library;
import kiln.Tensor;

/** Calls the library from Java: java -Djava.library.path=... Scores libscores.so */
public final class Scores {
  public static void main(String[] arguments) {
    try (Library scores = Library.open(Path.of(arguments[0]))) {
      Tensor x = Tensor.of(new float[] {0.5f, -1, 2, 0, 1, 1, 1, 1}, 2, 4), y = Tensor.zeros(Tensor.Type.FLOAT32, 2, 3);
      scores.call("run", new Tensor[] {x}, new Tensor[] {y});
      float[] values = y.floats();
      int checksum = 0;
      for (int i = 0; i < values.length; ++i) {
        System.out.printf("%.4f%c", values[i], i % 3 == 2 ? '\n' : ' ');
        checksum = 31 * checksum + Float.floatToRawIntBits(values[i]);
      }
      System.out.printf("bits %08x%n", checksum);
      Tensor rows = Tensor.zeros(Tensor.Type.FLOAT32, 1001, 4), results = Tensor.zeros(Tensor.Type.FLOAT32, 1001, 3);
      try {
        scores.call("run", new Tensor[] {rows}, new Tensor[] {results});
      } catch (Failure failure) {
        System.out.println(failure.getMessage());
      }
    }
  }
}
