package kiln;

/** A function of a library returned a status that is not 0; the message is its sentence. */
public final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final int status;

  Failure(int status, String message) {
    super(message);
    this.status = status;
  }

  /** As the header of the library names it: below 0 what is wrong with the call, above 0 what is wrong with the data. */
  public int status() {
    return status;
  }
}
