package clicktrends.json;

/** UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
final class Utf8 {
  private static final int NOT_A_CONTINUATION = -1;

  private Utf8() {}

  /**
   * Length in bytes, two to four, of the character at this position; 0 if it is not valid, or does
   * not end before the limit.
   */
  static int bytesOfCharacter(byte[] text, int at, int limit) {
    int lead = text[at] & 0xFF;
    int bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || at + bytes > limit) {
      return 0;
    }
    int second = continuation(text[at + 1]);
    boolean valid =
        switch (lead) {
          case 0xE0 -> second >= 0x20;
          case 0xED -> second >= 0 && second < 0x20;
          case 0xF0 -> second >= 0x10;
          case 0xF4 -> second >= 0 && second < 0x10;
          default -> second >= 0;
        };
    for (int i = 2; i < bytes; i++) {
      valid &= continuation(text[at + i]) >= 0;
    }
    return valid ? bytes : 0;
  }

  /** The six bits that a continuation byte carries. */
  private static int continuation(byte value) {
    return (value & 0xC0) == 0x80 ? value & 0x3F : NOT_A_CONTINUATION;
  }
}
