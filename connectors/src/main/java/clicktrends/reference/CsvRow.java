package clicktrends.reference;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.CsvParseException;
import java.nio.CharBuffer;
import java.util.Arrays;

/**
 * The characters of one record of a CSV file. FastCSV fills the same object for each record, so
 * that reading creates no objects; callers copy what they keep.
 *
 * <p>The limits are those of FastCSV's own records, with the same messages.
 */
final class CsvRow extends AbstractBaseCsvCallbackHandler<CsvRow> {
  private static final int MAX_FIELDS = 16 * 1024;
  private static final int MAX_CHARACTERS = 64 * 1024 * 1024;
  private static final int FIRST_CHARACTERS = 1 << 10;
  private static final int FIRST_FIELDS = 1 << 4;

  private char[] characters = new char[FIRST_CHARACTERS];
  private CharBuffer view = CharBuffer.wrap(characters);
  private int[] ends = new int[FIRST_FIELDS];
  private int used;

  /** The line in which the record begins, from 1. */
  long line() {
    return getStartingLineNumber();
  }

  int fields() {
    return getFieldCount();
  }

  /** Characters of the whole record, separators and line end included, quotes not. */
  int length() {
    return used + fields();
  }

  /** The characters of a field, valid until the next call. */
  CharBuffer field(int index) {
    return view.limit(ends[index]).position(begin(index));
  }

  /** Copies a field to the end of another buffer's content. */
  void appendTo(CharBuffer target, int index) {
    int begin = begin(index);
    target.put(characters, begin, ends[index] - begin);
  }

  private int begin(int index) {
    return index == 0 ? 0 : ends[index - 1];
  }

  @Override
  protected void handleBegin(long line) {
    used = 0;
  }

  @Override
  protected void handleField(int index, char[] buffer, int offset, int length, boolean quoted) {
    if (length > MAX_CHARACTERS - used) {
      throw new CsvParseException(
          "Field at index %d in record starting at line %d exceeds the max record size of %d characters"
              .formatted(index, line(), MAX_CHARACTERS));
    }
    if (index == MAX_FIELDS) {
      throw new CsvParseException(
          "Record starting at line %d has surpassed the maximum limit of %d fields"
              .formatted(line(), MAX_FIELDS));
    }
    if (index == ends.length) {
      ends = Arrays.copyOf(ends, index * 2);
    }
    if (length > characters.length - used) {
      characters = Arrays.copyOf(characters, Math.max(characters.length * 2, used + length));
      view = CharBuffer.wrap(characters);
    }
    System.arraycopy(buffer, offset, characters, used, length);
    used += length;
    ends[index] = used;
  }

  @Override
  protected CsvRow buildRecord() {
    return this;
  }
}
