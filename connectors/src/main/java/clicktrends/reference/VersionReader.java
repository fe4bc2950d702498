package clicktrends.reference;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.flink.core.fs.Path;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/** Reads one version's CSV file (RFC 4180, UTF-8, a header that names the columns). */
final class VersionReader {
  private static final int READ_BYTES = 1 << 16;

  private static final byte[] BYTE_ORDER_MARK = "\uFEFF".getBytes(StandardCharsets.UTF_8);

  /** What decoding leaves in place of bytes that are not UTF-8. */
  private static final char UNDECODABLE = '\uFFFD';

  private final Path file;
  private final ReferenceSettings settings;
  private final CodeTable.Builder codes = new CodeTable.Builder();
  private final Map<List<String>, Integer> codeOfRow = new HashMap<>();
  private final List<StringData[]> rows = new ArrayList<>();

  private VersionReader(Path file, ReferenceSettings settings) {
    this.file = file;
    this.settings = settings;
  }

  /**
   * Returns the version that the file holds.
   *
   * @throws BadVersionException if the content is wrong
   * @throws IOException if the file cannot be read, whatever it holds
   */
  static Version read(Path file, long validFromMillis, ReferenceSettings settings)
      throws IOException, BadVersionException {
    return new VersionReader(file, settings).read(validFromMillis);
  }

  private Version read(long validFromMillis) throws IOException, BadVersionException {
    try (InputStream bytes = openPastByteOrderMark();
        CsvReader<CsvRecord> csv =
            CsvReader.builder()
                .allowUnclosedQuote(false)
                .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                .ofCsvRecord(bytes, StandardCharsets.UTF_8)) {
      Iterator<CsvRecord> records = csv.iterator();
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
    } catch (CsvParseException e) {
      throw new BadVersionException(
          file + " is not CSV as in RFC 4180: " + reasonOf(e) + "; quote what must be quoted");
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new Version(validFromMillis, codes.build(), rows.toArray(StringData[][]::new));
  }

  private InputStream openPastByteOrderMark() throws IOException {
    InputStream bytes = new BufferedInputStream(file.getFileSystem().open(file), READ_BYTES);
    bytes.mark(BYTE_ORDER_MARK.length);
    if (!Arrays.equals(bytes.readNBytes(BYTE_ORDER_MARK.length), BYTE_ORDER_MARK)) {
      bytes.reset();
    }
    return bytes;
  }

  private Columns columnsOf(CsvRecord header) throws BadVersionException {
    List<String> names = header.getFields();
    checkDecoded(header);
    int[] values = new int[settings.valueColumns().size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = indexOf(settings.valueColumns().get(i), names);
    }
    return new Columns(names.size(), indexOf(settings.keyColumn(), names), values);
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
              + "'; add it to the file, or take it out of the table's DDL");
    }
    if (index != names.lastIndexOf(column)) {
      throw bad(1, "the header names the column '" + column + "' twice; keep one of them");
    }
    return index;
  }

  private void add(CsvRecord row, Columns columns) throws BadVersionException {
    long line = row.getStartingLineNumber();
    if (row.getFieldCount() != columns.count()) {
      throw bad(
          line,
          row.getFieldCount()
              + " fields where the header has "
              + columns.count()
              + "; quote fields that contain commas");
    }
    checkDecoded(row);
    String key = row.getField(columns.key());
    if (key.isEmpty()) {
      throw bad(line, settings.keyColumn() + " is empty; give the row one or leave it out");
    }
    if (!codes.add(Xxh64.of(key), codeOf(row, columns))) {
      throw bad(
          line,
          settings.keyColumn() + " '" + key + "' stands in an earlier line too; keep one row each");
    }
  }

  private int codeOf(CsvRecord row, Columns columns) {
    String[] values = new String[columns.values().length];
    for (int i = 0; i < values.length; i++) {
      values[i] = row.getField(columns.values()[i]);
    }
    return codeOfRow.computeIfAbsent(
        Arrays.asList(values),
        distinct -> {
          rows.add(distinct.stream().map(VersionReader::stringData).toArray(StringData[]::new));
          return rows.size() - 1;
        });
  }

  /** Made binary now, so that tasks share a value that no longer changes. */
  private static StringData stringData(String text) {
    BinaryStringData data = BinaryStringData.fromString(text);
    data.ensureMaterialized();
    return data;
  }

  private void checkDecoded(CsvRecord row) throws BadVersionException {
    for (int i = 0; i < row.getFieldCount(); i++) {
      if (row.getField(i).indexOf(UNDECODABLE) >= 0) {
        throw bad(
            row.getStartingLineNumber(),
            "field "
                + (i + 1)
                + " is not UTF-8 (or holds U+FFFD, the trace of an earlier wrong"
                + " decoding); write the file as UTF-8");
      }
    }
  }

  private static String reasonOf(CsvParseException e) {
    return e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
  }

  private BadVersionException bad(long line, String reason) {
    return new BadVersionException(file + ", line " + line + ": " + reason);
  }

  /** Where the columns stand in a record, and how many fields each record has. */
  private record Columns(int count, int key, int[] values) {}
}
