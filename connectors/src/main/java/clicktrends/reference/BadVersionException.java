package clicktrends.reference;

/** What a version's file holds is wrong; the message names the file, the line and the fix. */
final class BadVersionException extends Exception {
  private static final long serialVersionUID = 1L;

  BadVersionException(String message) {
    super(message);
  }
}
