package clicktrends.json;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * Reads a record that is one flat JSON object, each byte once. Each value is a slice of the
 * record's bytes, so these must not change while the row is in use.
 *
 * <p>It reads only what every JSON parser reads in the same way, and gives up the rest: anything
 * but one object, nested values, repeated columns, escapes, control characters, bytes that are not
 * UTF-8, and numbers whose text a parser may change. For use by one thread.
 */
final class FlatObjectScanner {
  /**
   * No name in such a record can be longer than the 50,000 characters that Jackson allows ({@code
   * StreamReadConstraints.DEFAULT_MAX_NAME_LEN}), the lowest of its limits.
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

  private static final byte[] TRUE = "true".getBytes(UTF_8);
  private static final byte[] FALSE = "false".getBytes(UTF_8);
  private static final byte[] NULL = "null".getBytes(UTF_8);

  private final byte[][] names;
  private final boolean[] isText;
  private final boolean allColumnsNeeded;

  /** For each column, the number of the last record with it. */
  private final int[] seenIn;

  private int recordNumber;

  /**
   * A scanner for rows of these columns.
   *
   * @param isText whether a column takes text; a record with a value for another one is given up
   * @param allColumnsNeeded whether a record that lacks a column is given up
   */
  FlatObjectScanner(String[] names, boolean[] isText, boolean allColumnsNeeded) {
    this.names = Arrays.stream(names).map(name -> name.getBytes(UTF_8)).toArray(byte[][]::new);
    this.isText = isText;
    this.allColumnsNeeded = allColumnsNeeded;
    this.seenIn = new int[names.length];
  }

  /** The record's row, or null if the scanner gives it up. */
  RowData scan(byte[] record) {
    if (record.length > MAX_BYTES) {
      return null;
    }
    int at = skipSpace(record, 0);
    if (!has(record, at, '{')) {
      return null;
    }
    recordNumber++;
    GenericRowData row = new GenericRowData(names.length);
    at = skipSpace(record, at + 1);
    int columnsLeft = names.length;
    if (has(record, at, '}')) {
      at++;
    } else {
      MemorySegment[] segments = {MemorySegmentFactory.wrap(record)};
      int expected = 0;
      while (true) {
        if (!has(record, at, '"')) {
          return null;
        }
        int nameEnd = endOfString(record, at + 1);
        if (nameEnd == NOT_READ) {
          return null;
        }
        int column = columnOf(record, at + 1, nameEnd, expected);
        at = skipSpace(record, nameEnd + 1);
        if (!has(record, at, ':')) {
          return null;
        }
        int begin = skipSpace(record, at + 1);
        int end = endOfValue(record, begin);
        if (end == NOT_READ) {
          return null;
        }
        if (column != NO_COLUMN) {
          if (seenIn[column] == recordNumber) {
            return null;
          }
          seenIn[column] = recordNumber;
          columnsLeft--;
          expected = column + 1;
          if (record[begin] != 'n') {
            if (!isText[column]) {
              return null;
            }
            row.setField(column, slice(segments, record, begin, end));
          }
        }
        at = skipSpace(record, end);
        if (has(record, at, '}')) {
          at++;
          break;
        }
        if (!has(record, at, ',')) {
          return null;
        }
        at = skipSpace(record, at + 1);
      }
    }
    boolean complete = columnsLeft == 0 || !allColumnsNeeded;
    return complete && skipSpace(record, at) == record.length ? row : null;
  }

  private static boolean has(byte[] record, int at, char expected) {
    return at < record.length && record[at] == expected;
  }

  private static int skipSpace(byte[] record, int from) {
    int at = from;
    while (at < record.length
        && (record[at] == ' ' || record[at] == '\n' || record[at] == '\r' || record[at] == '\t')) {
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
  private static int endOfValue(byte[] record, int begin) {
    if (begin == record.length) {
      return NOT_READ;
    }
    switch (record[begin]) {
      case '"':
        int quote = endOfString(record, begin + 1);
        return quote == NOT_READ ? NOT_READ : quote + 1;
      case 't':
        return endOfLiteral(record, begin, TRUE);
      case 'f':
        return endOfLiteral(record, begin, FALSE);
      case 'n':
        return endOfLiteral(record, begin, NULL);
      default:
        return endOfInteger(record, begin);
    }
  }

  private static int endOfLiteral(byte[] record, int begin, byte[] literal) {
    int end = begin + literal.length;
    boolean isThere =
        end <= record.length && Arrays.equals(record, begin, end, literal, 0, literal.length);
    return isThere ? end : NOT_READ;
  }

  /** The caller checks what follows the digits: a fraction does not end a value. */
  private static int endOfInteger(byte[] record, int begin) {
    int first = record[begin] == '-' ? begin + 1 : begin;
    int end = first;
    while (end < record.length && record[end] >= '0' && record[end] <= '9') {
      end++;
    }
    int digits = end - first;
    boolean beginsWithZero = has(record, first, '0');
    boolean isWrittenOneWay =
        beginsWithZero ? digits == 1 && first == begin : digits >= 1 && digits <= MAX_DIGITS;
    return isWrittenOneWay ? end : NOT_READ;
  }

  /** The position of the closing quote, if nothing before it needs decoding. */
  private static int endOfString(byte[] record, int from) {
    int at = from;
    while (true) {
      at = skipPlain(record, at);
      if (at == record.length) {
        return NOT_READ;
      }
      byte found = record[at];
      if (found == '"') {
        return at;
      }
      int bytes = found >= 0 ? 0 : Utf8.bytesOfCharacter(record, at);
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
  private static int skipPlain(byte[] record, int from) {
    int at = from;
    while (at <= record.length - Long.BYTES) {
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
    while (at < record.length && record[at] >= ' ' && record[at] != '"' && record[at] != '\\') {
      at++;
    }
    return at;
  }
}
