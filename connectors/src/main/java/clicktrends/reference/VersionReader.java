package clicktrends.reference;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * Reads one version's CSV file (RFC 4180, UTF-8, a header that names the columns).
 *
 * <p>A row with known values creates no object: garbage collection after a load would hold up the
 * tasks of the same JVM.
 */
final class VersionReader {
  private static final int READ_BYTES = 1 << 16;

  private static final byte[] BYTE_ORDER_MARK = "\uFEFF".getBytes(StandardCharsets.UTF_8);

  private final Path file;
  private final long fileBytes;
  private final ReferenceSettings settings;
  private final KeyHash keyHash = new KeyHash();
  private final CodeTable.Builder codes = new CodeTable.Builder(this::expectedRows);
  private final Map<CharBuffer, Integer> codeOfRow = new HashMap<>();
  private final List<StringData[]> rows = new ArrayList<>();
  private FSDataInputStream source;
  private CharBuffer values = CharBuffer.allocate(FieldRules.MAX_VALUE_BYTES);

  private VersionReader(VersionFile file, ReferenceSettings settings) {
    this.file = file.path();
    this.fileBytes = file.size();
    this.settings = settings;
  }

  /**
   * Returns the version that the file holds.
   *
   * @throws BadVersionException if the content is wrong
   * @throws IOException if the file cannot be read
   */
  static Version read(VersionFile file, long validFromMillis, ReferenceSettings settings)
      throws IOException, BadVersionException {
    return new VersionReader(file, settings).read(validFromMillis);
  }

  private Version read(long validFromMillis) throws IOException, BadVersionException {
    try (InputStream bytes = openPastByteOrderMark();
        CsvReader<CsvRow> csv =
            CsvReader.builder()
                .allowUnclosedQuote(false)
                .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                .build(new CsvRow(), bytes, StandardCharsets.UTF_8)) {
      Iterator<CsvRow> records = csv.iterator();
      if (!records.hasNext()) {
        throw bad(1, "the file is empty; begin it with a header that names the columns");
      }
      Columns columns = columnsOf(records.next());
      while (records.hasNext()) {
        add(records.next(), columns);
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException("Stopped while loading " + file);
        }
      }
      if (rows.isEmpty()) {
        throw bad(
            1, "no row follows the header, so every reader would be unknown; add the readers");
      }
    } catch (CsvParseException e) {
      throw new BadVersionException(
          file + " is not CSV as in RFC 4180: " + reasonOf(e) + "; quote what must be quoted");
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new Version(validFromMillis, codes.build(), rows.toArray(StringData[][]::new));
  }

  private InputStream openPastByteOrderMark() throws IOException {
    source = file.getFileSystem().open(file);
    InputStream bytes = new BufferedInputStream(source, READ_BYTES);
    bytes.mark(BYTE_ORDER_MARK.length);
    if (!Arrays.equals(bytes.readNBytes(BYTE_ORDER_MARK.length), BYTE_ORDER_MARK)) {
      bytes.reset();
    }
    return bytes;
  }

  /** Estimated from the share of the file that so many keys took. */
  private long expectedRows(long rowsRead) {
    try {
      double share = (double) source.getPos() / fileBytes;
      return Math.round(rowsRead / Math.min(share, 1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Columns columnsOf(CsvRow header) throws BadVersionException {
    List<String> names =
        IntStream.range(0, header.fields()).mapToObj(i -> header.field(i).toString()).toList();
    for (int i = 0; i < names.size(); i++) {
      refuse(1, "field " + (i + 1), FieldRules.problemOfCharacters(names.get(i)));
    }
    int[] values = new int[settings.valueColumns().size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = indexOf(settings.valueColumns().get(i), names);
    }
    int key = indexOf(settings.keyColumn(), names);
    IntStream read = IntStream.concat(IntStream.of(key), IntStream.of(values));
    Set<Integer> used = read.boxed().collect(Collectors.toSet());
    int[] extra = IntStream.range(0, names.size()).filter(i -> !used.contains(i)).toArray();
    return new Columns(names, key, values, extra);
  }

  private int indexOf(String column, List<String> names) throws BadVersionException {
    int index = names.indexOf(column);
    if (index < 0) {
      throw bad(
          1,
          "the header "
              + names
              + " lacks the column '"
              + column
              + "'; add it to the file (fields are parted by commas), or take it out of the table's DDL");
    }
    if (index != names.lastIndexOf(column)) {
      throw bad(1, "the header names the column '" + column + "' twice; keep one of them");
    }
    return index;
  }

  private void add(CsvRow row, Columns columns) throws BadVersionException {
    long line = row.line();
    if (row.fields() != columns.count()) {
      throw bad(
          line,
          row.fields()
              + " fields where the header has "
              + columns.count()
              + "; quote fields that contain commas");
    }
    for (int extra : columns.extra()) {
      refuse(line, columns.name(extra), FieldRules.problemOfCharacters(row.field(extra)));
    }
    int key = columns.key();
    check(line, columns.name(key), row.field(key), FieldRules.MAX_KEY_BYTES);
    int code = codeOf(row, columns);
    if (!codes.add(keyHash.of(row.field(key)), code)) {
      throw bad(
          line,
          settings.keyColumn()
              + " '"
              + row.field(key)
              + "' stands in an earlier line too; keep one row each");
    }
  }

  /** A known row was checked when it was new. */
  private int codeOf(CsvRow row, Columns columns) throws BadVersionException {
    join(row, columns.values());
    Integer known = codeOfRow.get(values);
    if (known != null) {
      return known;
    }
    StringData[] kept = new StringData[columns.values().length];
    for (int i = 0; i < kept.length; i++) {
      CharBuffer value = row.field(columns.values()[i]);
      check(row.line(), settings.valueColumns().get(i), value, FieldRules.MAX_VALUE_BYTES);
      kept[i] = stringData(value.toString());
    }
    codeOfRow.put(CharBuffer.allocate(values.length()).put(values).flip(), rows.size());
    rows.add(kept);
    return rows.size() - 1;
  }

  /** Each value and a line feed, which no valid value contains. */
  private void join(CsvRow row, int[] columns) {
    if (row.length() > values.capacity()) {
      values = CharBuffer.allocate(row.length() * 2);
    }
    values.clear();
    for (int column : columns) {
      row.appendTo(values, column);
      values.put('\n');
    }
    values.flip();
  }

  /** Binary from the start, so that tasks share a value that never changes. */
  private static StringData stringData(String text) {
    BinaryStringData data = BinaryStringData.fromString(text);
    data.ensureMaterialized();
    return data;
  }

  private void check(long line, String column, CharSequence field, int maxBytes)
      throws BadVersionException {
    refuse(line, column, FieldRules.problemOfCharacters(field));
    refuse(line, column, FieldRules.problemOfLength(field, maxBytes));
  }

  private void refuse(long line, String column, String problem) throws BadVersionException {
    if (problem != null) {
      throw bad(line, column + " " + problem);
    }
  }

  private static String reasonOf(CsvParseException e) {
    return e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
  }

  private BadVersionException bad(long line, String reason) {
    return new BadVersionException(file + ", line " + line + ": " + reason);
  }

  /**
   * The header, and the positions of the columns in each record.
   *
   * @param extra columns that the table does not read
   */
  private record Columns(List<String> names, int key, int[] values, int[] extra) {
    int count() {
      return names.size();
    }

    String name(int column) {
      return names.get(column);
    }
  }
}
