package clicktrends.reference;

import java.nio.charset.StandardCharsets;

/**
 * What a field of a version's file may hold; docs/reference/contracts.md tells publishers the same.
 */
final class FieldRules {
  /** UTF-8 bytes; the same as for the ids of a click. */
  static final int MAX_KEY_BYTES = 512;

  /** UTF-8 bytes; a segment's value becomes part of every count's key. */
  static final int MAX_VALUE_BYTES = 256;

  /** What decoding puts in place of bytes that are not UTF-8. */
  private static final char UNDECODABLE = '\uFFFD';

  private static final char LINE_SEPARATOR = '\u2028';
  private static final char PARAGRAPH_SEPARATOR = '\u2029';
  private static final char NEXT_LINE = '\u0085';
  private static final int MAX_BYTES_OF_A_CHAR = 3;

  private FieldRules() {}

  /** What is wrong with the characters of a field, and how to mend it; null if nothing is. */
  static String problemOfCharacters(CharSequence field) {
    for (int i = 0; i < field.length(); i++) {
      char character = field.charAt(i);
      if (isLineBreak(character)) {
        return ("holds the line break U+%04X at its character %d; if it should hold none, look for a"
                + " stray quote in this line")
            .formatted((int) character, i + 1);
      }
      if (Character.isISOControl(character)) {
        return "holds the control character U+%04X at its character %d; take it out"
            .formatted((int) character, i + 1);
      }
      if (character == UNDECODABLE) {
        return "is not UTF-8 (or holds U+FFFD, the trace of an earlier wrong decoding); write the file"
            + " as UTF-8";
      }
    }
    return null;
  }

  /** What is wrong with the length of a field, and how to mend it; null if nothing is. */
  static String problemOfLength(CharSequence field, int maxBytes) {
    if (field.isEmpty()) {
      return "is empty; give it a value or leave the row out";
    }
    if (field.length() * MAX_BYTES_OF_A_CHAR <= maxBytes) {
      return null;
    }
    int bytes = field.toString().getBytes(StandardCharsets.UTF_8).length;
    return bytes <= maxBytes
        ? null
        : "has %,d bytes of UTF-8, at most %d are allowed; shorten it".formatted(bytes, maxBytes);
  }

  private static boolean isLineBreak(char character) {
    return character == '\n'
        || character == '\r'
        || character == NEXT_LINE
        || character == LINE_SEPARATOR
        || character == PARAGRAPH_SEPARATOR;
  }
}
