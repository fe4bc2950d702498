package clicktrends.json;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * Reads a flat JSON object within a record, each byte once. Each value is a slice of the record's
 * bytes, so these must not change while the row is in use.
 *
 * <p>It reads only what every JSON parser reads in the same way, and gives up the rest: more than a
 * line, nested values, repeated columns, escapes, control characters, bytes that are not UTF-8, and
 * numbers whose text a parser may change. For use by one thread.
 */
final class FlatObjectScanner {
  /**
   * Of an object. No name in it can be longer than the 50,000 characters that Jackson allows
   * ({@code StreamReadConstraints.DEFAULT_MAX_NAME_LEN}), the lowest of its limits.
   */
  static final int MAX_BYTES = 50_000;

  private static final int NOT_READ = -1;
  private static final int NO_COLUMN = -1;

  /** More digits could exceed the range of a long, beyond which parsers differ. */
  private static final int MAX_DIGITS = 18;

  private static final VarHandle EIGHT_BYTES =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long ONES = 0x0101010101010101L;
  private static final long QUOTES = '"' * ONES;
  private static final long BACKSLASHES = '\\' * ONES;
  private static final long SPACES = ' ' * ONES;
  private static final long HIGH_BITS = 0x80 * ONES;

  /** Not UTF-8, so it equals no name. */
  private static final byte[] NO_NAME = {(byte) 0xFF};

  private static final byte[] TRUE = "true".getBytes(UTF_8);
  private static final byte[] FALSE = "false".getBytes(UTF_8);
  private static final byte[] NULL = "null".getBytes(UTF_8);

  private final byte[][] names;
  private final boolean[] isText;
  private final boolean allColumnsNeeded;

  /** For each column, the number of the last object with it. */
  private final int[] seenIn;

  private int objectNumber;
  private int end;

  /**
   * A scanner for rows of these columns.
   *
   * @param names what fills a column; null for one that no object fills
   * @param isText whether a column takes text; an object with a value for another one is given up
   * @param allColumnsNeeded whether an object that lacks a column is given up
   */
  FlatObjectScanner(String[] names, boolean[] isText, boolean allColumnsNeeded) {
    this.names =
        Arrays.stream(names)
            .map(name -> name == null ? NO_NAME : name.getBytes(UTF_8))
            .toArray(byte[][]::new);
    this.isText = isText;
    this.allColumnsNeeded = allColumnsNeeded;
    this.seenIn = new int[names.length];
  }

  /**
   * The row of the object that begins at {@code from}, or null if the scanner gives it up.
   *
   * @param segments the record, for the slices to share
   * @param to the end of the record; the object may end before
   */
  RowData scan(MemorySegment[] segments, byte[] record, int from, int to) {
    int limit = to - from > MAX_BYTES ? from + MAX_BYTES : to;
    objectNumber++;
    GenericRowData row = new GenericRowData(names.length);
    int at = skipSpace(record, from + 1, limit);
    int columnsLeft = names.length;
    if (!has(record, at, limit, '}')) {
      int expected = 0;
      while (true) {
        if (!has(record, at, limit, '"')) {
          return null;
        }
        int nameEnd = endOfString(record, at + 1, limit);
        if (nameEnd == NOT_READ) {
          return null;
        }
        int column = columnOf(record, at + 1, nameEnd, expected);
        at = skipSpace(record, nameEnd + 1, limit);
        if (!has(record, at, limit, ':')) {
          return null;
        }
        int begin = skipSpace(record, at + 1, limit);
        int valueEnd = endOfValue(record, begin, limit);
        if (valueEnd == NOT_READ) {
          return null;
        }
        if (column != NO_COLUMN) {
          if (seenIn[column] == objectNumber) {
            return null;
          }
          seenIn[column] = objectNumber;
          columnsLeft--;
          expected = column + 1;
          if (record[begin] != 'n') {
            if (!isText[column]) {
              return null;
            }
            row.setField(column, slice(segments, record, begin, valueEnd));
          }
        }
        at = skipSpace(record, valueEnd, limit);
        if (has(record, at, limit, '}')) {
          break;
        }
        if (!has(record, at, limit, ',')) {
          return null;
        }
        at = skipSpace(record, at + 1, limit);
      }
    }
    end = at + 1;
    return columnsLeft == 0 || !allColumnsNeeded ? row : null;
  }

  /** The position after the object that {@code scan} has read last. */
  int end() {
    return end;
  }

  private static boolean has(byte[] record, int at, int limit, char expected) {
    return at < limit && record[at] == expected;
  }

  /** The next position without the space that JSON allows in a line. */
  static int skipSpace(byte[] record, int from, int limit) {
    int at = from;
    while (at < limit && (record[at] == ' ' || record[at] == '\r' || record[at] == '\t')) {
      at++;
    }
    return at;
  }

  /** A producer's records mostly have their columns in one order, so the next is expected. */
  private int columnOf(byte[] record, int from, int to, int expected) {
    for (int i = 0; i < names.length; i++) {
      int column = expected + i < names.length ? expected + i : expected + i - names.length;
      byte[] name = names[column];
      if (name.length == to - from && Arrays.equals(name, 0, name.length, record, from, to)) {
        return column;
      }
    }
    return NO_COLUMN;
  }

  /** A string without its quotes; a number or literal as it is. */
  private static BinaryStringData slice(
      MemorySegment[] segments, byte[] record, int begin, int end) {
    return record[begin] == '"'
        ? BinaryStringData.fromAddress(segments, begin + 1, end - begin - 2)
        : BinaryStringData.fromAddress(segments, begin, end - begin);
  }

  /** The position after the value. */
  private static int endOfValue(byte[] record, int begin, int limit) {
    if (begin == limit) {
      return NOT_READ;
    }
    switch (record[begin]) {
      case '"':
        int quote = endOfString(record, begin + 1, limit);
        return quote == NOT_READ ? NOT_READ : quote + 1;
      case 't':
        return endOfLiteral(record, begin, limit, TRUE);
      case 'f':
        return endOfLiteral(record, begin, limit, FALSE);
      case 'n':
        return endOfLiteral(record, begin, limit, NULL);
      default:
        return endOfInteger(record, begin, limit);
    }
  }

  private static int endOfLiteral(byte[] record, int begin, int limit, byte[] literal) {
    int end = begin + literal.length;
    boolean isThere = end <= limit && Arrays.equals(record, begin, end, literal, 0, literal.length);
    return isThere ? end : NOT_READ;
  }

  /** The caller checks what follows the digits: a fraction does not end a value. */
  private static int endOfInteger(byte[] record, int begin, int limit) {
    int first = record[begin] == '-' ? begin + 1 : begin;
    int end = first;
    while (end < limit && record[end] >= '0' && record[end] <= '9') {
      end++;
    }
    int digits = end - first;
    boolean beginsWithZero = has(record, first, limit, '0');
    boolean isWrittenOneWay =
        beginsWithZero ? digits == 1 && first == begin : digits >= 1 && digits <= MAX_DIGITS;
    return isWrittenOneWay ? end : NOT_READ;
  }

  /** The position of the closing quote, if nothing before it needs decoding. */
  private static int endOfString(byte[] record, int from, int limit) {
    int at = from;
    while (true) {
      at = skipPlain(record, at, limit);
      if (at == limit) {
        return NOT_READ;
      }
      byte found = record[at];
      if (found == '"') {
        return at;
      }
      int bytes = found >= 0 ? 0 : Utf8.bytesOfCharacter(record, at, limit);
      if (bytes == 0) {
        return NOT_READ;
      }
      at += bytes;
    }
  }

  /**
   * The next byte that is a quote, a backslash, a control character or not ASCII. It checks eight
   * bytes at once: a byte's high bit in {@code found} marks such a byte. A borrow can set the bit
   * wrongly only above a byte that is one.
   */
  private static int skipPlain(byte[] record, int from, int limit) {
    int at = from;
    while (at <= limit - Long.BYTES) {
      long bytes = (long) EIGHT_BYTES.get(record, at);
      long quotes = bytes ^ QUOTES;
      long backslashes = bytes ^ BACKSLASHES;
      long found =
          (((quotes - ONES) & ~quotes)
                  | ((backslashes - ONES) & ~backslashes)
                  | (bytes - SPACES)
                  | bytes)
              & HIGH_BITS;
      if (found != 0) {
        return at + Long.numberOfTrailingZeros(found) / Byte.SIZE;
      }
      at += Long.BYTES;
    }
    while (at < limit && record[at] >= ' ' && record[at] != '"' && record[at] != '\\') {
      at++;
    }
    return at;
  }
}
