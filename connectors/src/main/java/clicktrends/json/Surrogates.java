package clicktrends.json;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Half a surrogate pair: JSON can write it, as in {@code "\\ud83d"}, but UTF-8 cannot. */
final class Surrogates {
  private Surrogates() {}

  /** Whether a text contains one half of a pair without the other. */
  static boolean hasHalf(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (i + 1 == text.length()
            || !Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
          return true;
        }
        i++;
      }
    }
    return false;
  }

  /**
   * UTF-8, with the three bytes of its number for each half. So different texts stay different,
   * unlike with a question mark for every half.
   */
  static byte[] bytes(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() + 16);
    text.codePoints()
        .forEach(
            each -> {
              if (each >= Character.MIN_SURROGATE && each <= Character.MAX_SURROGATE) {
                bytes.write(0xE0 | each >> 12);
                bytes.write(0x80 | each >> 6 & 0x3F);
                bytes.write(0x80 | each & 0x3F);
              } else {
                bytes.writeBytes(Character.toString(each).getBytes(StandardCharsets.UTF_8));
              }
            });
    return bytes.toByteArray();
  }
}
