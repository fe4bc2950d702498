package clicktrends.json;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;

/**
 * Fills a column of each row with a digest of the bytes that the row was read from: those of the
 * object, in an array those of the element, or those of the unread rest of a line. So a row that
 * was read twice is known, whatever record or file it stands in. For use by one thread.
 *
 * <p>128 bits of SHA-256: among 10 billion rows two of different bytes have one digest with a
 * chance of 10^-19, and nobody can craft such rows in fewer than 2^64 attempts.
 */
final class ClickDigest {
  private static final int BYTES = 16;

  private final int column;
  private final MessageDigest sha256;

  private ClickDigest(int column) {
    this.column = column;
    try {
      this.sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** Null if no column of {@code names} is the one to fill. */
  static ClickDigest of(String[] names, String digestColumn) {
    int column = digestColumn == null ? -1 : Arrays.asList(names).indexOf(digestColumn);
    return column < 0 ? null : new ClickDigest(column);
  }

  void fill(GenericRowData row, byte[] record, int from, int to) {
    sha256.update(record, from, to - from);
    byte[] digest = sha256.digest(); // and is ready for the next row
    row.setField(column, StringData.fromString(HexFormat.of().formatHex(digest, 0, BYTES)));
  }

  /**
   * Where the objects of a value are, in order: the first position of one and the position after
   * it, then those of the next.
   *
   * @param from where the value begins, an object or an array of objects that was read before
   */
  static int[] objects(JsonFactory json, byte[] record, int from, int to) throws IOException {
    if (record[from] == '{') {
      return new int[] {from, to};
    }
    int[] bounds = new int[16];
    int count = 0;
    try (JsonParser parser = json.createParser(record, from, to - from)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.START_OBJECT) {
        if (count == bounds.length) {
          bounds = Arrays.copyOf(bounds, 2 * count);
        }
        bounds[count++] = from + (int) parser.currentTokenLocation().getByteOffset();
        parser.skipChildren();
        bounds[count++] = from + (int) parser.currentLocation().getByteOffset();
      }
    }
    return Arrays.copyOf(bounds, count);
  }
}
