package clicktrends.json;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Makes records as producers send them, as they should not send them, and damaged ones. */
final class Records {
  /** The text columns of the tests' table. */
  static final String[] COLUMNS = {"click_id", "clicked_at", "user_id", "日", "a", "it em"};

  private static final String[] OTHER_NAMES = {
    "click_i",
    "click_idd",
    "CLICK_ID",
    "platform",
    "aa",
    "日本",
    "x".repeat(70),
    "é",
    " a",
    "",
    "\\u0061"
  };
  private static final String[] TEXTS = {
    "",
    " ",
    "7",
    "null",
    "{}",
    "[1]",
    "{\\\"a\\\":1}",
    "2026-01-31T12:00:00.000Z",
    "0123456789abcdef0123456789abcdef",
    "user-0000123",
    "日本語の利用者",
    "é",
    "😀",
    "seven b",
    "eight by",
    "nine byte",
    "seven b\\\"",
    "\\\\",
    "\\n",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\u0000",
    "\t",
    "\u0000",
    "\u001f",
    "\u007f",
    "\uFEFF",
    "\uFFFF",
    "'",
    "x".repeat(600),
    "é".repeat(300),
  };
  private static final String[] OTHER_VALUES = {
    "0",
    "7",
    "-1",
    "-0",
    "00",
    "01",
    "-",
    "+1",
    ".5",
    "1.",
    "1.5",
    "1.0",
    "1e2",
    "1E-7",
    "-0.0",
    "100e400",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775808",
    "123456789012345678901234567890",
    "true",
    "false",
    "null",
    "tru",
    "truex",
    "nul",
    "True",
    "NaN",
    "Infinity",
    "-Infinity",
    "{}",
    "[]",
    "[1]",
    "{\"a\":1}",
    "[[{}]]",
    "{\"a\":{\"a\":null}}",
    "[\"x\"",
    "{\"a\"",
    "'x'",
    "x",
    "",
    "1e999999",
    "0x10",
    "1 2",
    "\"a\" \"b\""
  };
  private static final String[] SPACES = {
    " ", "  ", "\t", "\r", "\n", " \r\n\t", "\f", "\u00a0", "/**/"
  };
  private static final String[] PARTS = {
    "\"", "\\", "{", "}", "[", "]", ",", ":", " ", "\0", "\n", "/", "#", "é", "日", "😀", "null",
    "\uFEFF"
  };
  private static final int[] BYTES = {
    0x00, 0x1f, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef,
    0xf0, 0xf4, 0xf5, 0xf7, 0xf8, 0xfe, 0xff
  };

  private final Random random;

  Records(long seed) {
    random = new Random(seed);
  }

  byte[] next() {
    byte[] record = utf8(random.nextInt(10) < 6 ? likeAProducers() : object());
    if (random.nextInt(40) == 0) {
      record = join(record, utf8(object()));
    }
    if (random.nextInt(60) == 0) {
      record = utf8("[" + object() + "," + object() + "," + value() + "]");
    }
    for (int i = random.nextInt(3) == 0 ? 1 + random.nextInt(3) : 0; i > 0; i--) {
      record = damaged(record);
    }
    return record;
  }

  /** Flat, each column once, in order; occasionally with an unusual value. */
  private String likeAProducers() {
    StringBuilder record = new StringBuilder("{");
    String separator = random.nextInt(4) == 0 ? ", " : ",";
    String colon = random.nextInt(4) == 0 ? ": " : ":";
    for (String column : COLUMNS) {
      if (random.nextInt(20) > 0) {
        record.append(record.length() > 1 ? separator : "").append('"').append(column).append('"');
        record.append(colon).append(random.nextInt(12) == 0 ? value() : plain());
      }
    }
    return record.append("}").append(random.nextInt(3) == 0 ? "\n" : "").toString();
  }

  private String plain() {
    return switch (random.nextInt(4)) {
      case 0 -> String.valueOf(random.nextInt(1000));
      case 1 -> "\"" + Long.toHexString(random.nextLong()) + "\"";
      case 2 -> "\"" + "日本語é😀abcdefgh".substring(0, random.nextInt(6)) + "\"";
      default -> "\"user-" + random.nextInt() + "\"";
    };
  }

  private String object() {
    StringBuilder record = new StringBuilder(space()).append("{").append(space());
    int fields = random.nextInt(7);
    for (int i = 0; i < fields; i++) {
      record.append(i > 0 ? "," : "").append(space()).append('"').append(name()).append('"');
      record.append(space()).append(':').append(space()).append(value()).append(space());
    }
    return record.append("}").append(space()).toString();
  }

  private String name() {
    return random.nextInt(4) == 0 ? pick(OTHER_NAMES) : pick(COLUMNS);
  }

  private String value() {
    return random.nextInt(3) == 0 ? pick(OTHER_VALUES) : "\"" + pick(TEXTS) + "\"";
  }

  private String space() {
    return random.nextInt(12) == 0 ? pick(SPACES) : "";
  }

  private byte[] damaged(byte[] record) {
    int from = random.nextInt(record.length + 1);
    int to = Math.min(record.length, from + random.nextInt(4));
    byte[] part =
        switch (random.nextInt(4)) {
          case 0 -> new byte[] {(byte) BYTES[random.nextInt(BYTES.length)]};
          case 1 -> utf8(pick(PARTS));
          case 2 -> new byte[] {(byte) random.nextInt(), (byte) random.nextInt()};
          default -> new byte[0];
        };
    int restFrom = random.nextInt(30) == 0 ? record.length : to;
    byte[] head = java.util.Arrays.copyOf(record, from);
    byte[] rest = java.util.Arrays.copyOfRange(record, restFrom, record.length);
    return join(head, join(part, rest));
  }

  private String pick(String[] choices) {
    return choices[random.nextInt(choices.length)];
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] join(byte[] first, byte[] second) {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(first);
    both.writeBytes(second);
    return both.toByteArray();
  }
}
