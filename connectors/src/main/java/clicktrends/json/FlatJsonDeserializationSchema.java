package clicktrends.json;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonRowDataDeserializationSchema;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * Reads records as contract/click.py defines them: lines of UTF-8 with JSON values one after
 * another, alone or in aggregated records. Each object is a row, alone or in an array of objects.
 * The rest of a line from where anything else begins is unread: a row with the text in a column of
 * its own, if there is one; otherwise it is skipped, or an error.
 *
 * <p>A value is read where it stands. Values that {@link FlatObjectScanner} gives up are decoded by
 * Flink's JSON decoder, but half a surrogate pair keeps its own bytes, where Flink writes a
 * question mark. No byte is read more often than the scanner, the decoder and the search for the
 * end of a line do, whatever the record.
 */
final class FlatJsonDeserializationSchema extends JsonRowDataDeserializationSchema {
  private static final long serialVersionUID = 1L;

  /** Characters of an unread rest in its column. */
  static final int MAX_UNPARSEABLE_CHARACTERS = 4096;

  private static final int MAX_BYTES_OF_A_CHARACTER = 4;
  private static final byte[] BYTE_ORDER_MARK = "\uFEFF".getBytes(UTF_8);
  private static final int UNREAD = -1;
  private static final int UNKNOWN = -1;

  /** Jackson reads some names with this byte as others, but it is in no UTF-8. */
  private static final byte IN_NO_UTF_8 = (byte) 0xFF;

  private final String table;
  private final String[] names;
  private final boolean[] isText;
  private final NestedValues nestedValues;
  private final String unparseableColumn;
  private final boolean aggregatedRecords;
  private final String digestColumn;
  private transient FlatObjectScanner scanner;
  private transient ClickDigest digest;
  private transient ReadMetrics metrics;
  private transient List<RowData> decoded;
  private transient int unreadBytes;

  /**
   * A decoder for a table.
   *
   * @param table its name, with which the names of metrics begin
   * @param unparseableColumn the column for the rest of a line that is unread, which may be missing
   *     in {@code rowType}; null if no row shows such a rest
   * @param aggregatedRecords whether a record may be an aggregated one
   * @param digestColumn the column for a digest of the bytes of each row, which may be missing in
   *     {@code rowType}; null if no row has one
   */
  FlatJsonDeserializationSchema(
      String table,
      RowType rowType,
      TypeInformation<RowData> producedType,
      boolean failOnMissingField,
      boolean ignoreParseErrors,
      TimestampFormat timestampFormat,
      NestedValues nestedValues,
      String unparseableColumn,
      boolean aggregatedRecords,
      String digestColumn) {
    super(rowType, producedType, failOnMissingField, ignoreParseErrors, timestampFormat);
    this.table = table;
    this.names = rowType.getFieldNames().toArray(String[]::new);
    this.isText = new boolean[names.length];
    for (int i = 0; i < names.length; i++) {
      LogicalType type = rowType.getTypeAt(i);
      isText[i] = type.is(LogicalTypeFamily.CHARACTER_STRING);
    }
    this.nestedValues = nestedValues;
    this.unparseableColumn = unparseableColumn;
    this.aggregatedRecords = aggregatedRecords;
    this.digestColumn = digestColumn;
  }

  @Override
  public void open(InitializationContext context) throws Exception {
    super.open(context);
    String[] filled =
        Arrays.stream(names)
            .map(name -> isFilledOtherwise(name) ? null : name)
            .toArray(String[]::new);
    digest = ClickDigest.of(names, digestColumn);
    scanner = new FlatObjectScanner(filled, isText, failOnMissingField);
    decoded = new ArrayList<>();
    metrics =
        new ReadMetrics(context.getMetricGroup(), ReadMetrics.prefix(table), System::nanoTime);
  }

  private boolean isFilledOtherwise(String name) {
    return name.equals(unparseableColumn) || name.equals(digestColumn);
  }

  @Override
  public void deserialize(byte[] message, Collector<RowData> out) throws IOException {
    if (message == null) {
      return;
    }
    unreadBytes = 0;
    MemorySegment[] segments = {MemorySegmentFactory.wrap(message)};
    int[] userRecords = aggregatedRecords ? AggregatedRecord.userRecords(message) : null;
    if (userRecords == null) {
      readLines(segments, message, 0, message.length, out);
    } else {
      metrics.aggregatedRecord();
      for (int i = 0; i < userRecords.length; i += 2) {
        readLines(segments, message, userRecords[i], userRecords[i + 1], out);
      }
    }
    metrics.record(message.length, unreadBytes);
  }

  private void readLines(
      MemorySegment[] segments, byte[] record, int from, int to, Collector<RowData> out)
      throws IOException {
    int at = from;
    while (at < to) {
      at = readLine(segments, record, at, to, out) + 1;
    }
  }

  /** Returns the position of the newline that ends the line, or {@code to}. */
  private int readLine(
      MemorySegment[] segments, byte[] record, int from, int to, Collector<RowData> out)
      throws IOException {
    int lineEnd = UNKNOWN; // sought when a value needs it, and once
    int at = pastByteOrderMark(record, from, to);
    while (true) {
      at = FlatObjectScanner.skipSpace(record, at, to);
      if (at == to || record[at] == '\n') {
        return at;
      }
      RowData row = record[at] == '{' ? scanner.scan(segments, record, at, to) : null;
      if (row != null) {
        if (digest != null) {
          digest.fill((GenericRowData) row, record, at, scanner.end());
        }
        at = scanner.end();
        metrics.click();
        out.collect(row);
        continue;
      }
      lineEnd = lineEnd == UNKNOWN ? endOfLine(record, at, to) : lineEnd;
      int valueEnd = readValue(record, at, lineEnd, out);
      if (valueEnd == UNREAD) {
        metrics.unparseable();
        unreadBytes += lineEnd - at;
        if (unparseableColumn != null) {
          out.collect(rowOfRest(record, at, lineEnd));
        }
        return lineEnd;
      }
      at = valueEnd;
    }
  }

  private static int pastByteOrderMark(byte[] record, int from, int to) {
    int end = from + BYTE_ORDER_MARK.length;
    boolean isThere =
        end <= to
            && record[from] == BYTE_ORDER_MARK[0]
            && Arrays.equals(record, from, end, BYTE_ORDER_MARK, 0, BYTE_ORDER_MARK.length);
    return isThere ? end : from;
  }

  private static int endOfLine(byte[] record, int from, int to) {
    int at = from;
    while (at < to && record[at] != '\n') {
      at++;
    }
    return at;
  }

  /** Hands on the rows of the value that begins here; returns the position after it, or UNREAD. */
  private int readValue(byte[] record, int from, int lineEnd, Collector<RowData> out)
      throws IOException {
    boolean isContainer = record[from] == '{' || record[from] == '[';
    boolean seemsUtf16 = from + 1 < lineEnd && record[from + 1] == 0; // to Jackson
    if (!isContainer || seemsUtf16) {
      return refused(record, null);
    }
    int valueEnd;
    try (JsonParser parser = objectMapper.getFactory().createParser(record, from, lineEnd - from)) {
      JsonNode value = objectMapper.readTree(parser);
      valueEnd = from + (int) parser.currentLocation().getByteOffset();
      if (contains(record, from, valueEnd, IN_NO_UTF_8) || !decode(value)) {
        return refused(record, null);
      }
      if (digest != null) {
        fillDigests(record, from, valueEnd);
      }
    } catch (IOException | RuntimeException e) {
      return refused(record, e);
    }
    // Not within the try: an error of an operator that follows is not one of this record.
    for (RowData row : decoded) {
      out.collect(row);
    }
    metrics.clicks(decoded.size());
    decoded.clear();
    return valueEnd;
  }

  private void fillDigests(byte[] record, int from, int to) throws IOException {
    int[] bounds = ClickDigest.objects(objectMapper.getFactory(), record, from, to);
    for (int i = 0; i < decoded.size(); i++) {
      digest.fill((GenericRowData) decoded.get(i), record, bounds[2 * i], bounds[2 * i + 1]);
    }
  }

  private int refused(byte[] record, Exception cause) throws IOException {
    if (!ignoreParseErrors) {
      throw new IOException(
          "Failed to deserialize JSON '%s'.".formatted(new String(record, UTF_8)), cause);
    }
    return UNREAD;
  }

  private static boolean contains(byte[] record, int from, int to, byte wanted) {
    for (int i = from; i < to; i++) {
      if (record[i] == wanted) {
        return true;
      }
    }
    return false;
  }

  /** Whether the value is an object or an array of objects, whose rows are in {@code decoded}. */
  private boolean decode(JsonNode value) {
    decoded.clear();
    if (!value.isArray()) {
      return decoded.add(convertToRowData(value));
    }
    for (JsonNode element : value) {
      if (!element.isObject()) {
        return false;
      }
      decoded.add(convertToRowData(element));
    }
    return true;
  }

  /** Decodes an object that the scanner gave up. */
  @Override
  public RowData convertToRowData(JsonNode message) {
    if (message instanceof ObjectNode object) {
      if (unparseableColumn != null) {
        object.remove(unparseableColumn);
      }
      if (digestColumn != null) {
        object.remove(digestColumn);
      }
      if (nestedValues == NestedValues.NULL) {
        dropNestedValues(object);
      }
    }
    RowData row = super.convertToRowData(message);
    if (row instanceof GenericRowData whole) {
      keepHalfPairs(whole);
    }
    return row;
  }

  private void dropNestedValues(ObjectNode object) {
    for (int i = 0; i < names.length; i++) {
      JsonNode value = isText[i] ? object.get(names[i]) : null;
      if (value != null && value.isContainerNode()) {
        object.putNull(names[i]);
      }
    }
  }

  private void keepHalfPairs(GenericRowData row) {
    for (int i = 0; i < names.length; i++) {
      if (isText[i] && row.getField(i) instanceof StringData value) {
        String text = value.toString();
        if (Surrogates.hasHalf(text)) {
          row.setField(i, StringData.fromBytes(Surrogates.bytes(text)));
        }
      }
    }
  }

  /** A copy, for a slice would keep the record in memory for as long as a sink holds the row. */
  private RowData rowOfRest(byte[] record, int from, int to) {
    GenericRowData row = new GenericRowData(names.length);
    int column = Arrays.asList(names).indexOf(unparseableColumn);
    if (column >= 0) {
      int bytes = Math.min(to - from, MAX_UNPARSEABLE_CHARACTERS * MAX_BYTES_OF_A_CHARACTER);
      String text = new String(record, from, bytes, UTF_8);
      if (text.codePointCount(0, text.length()) > MAX_UNPARSEABLE_CHARACTERS) {
        text = text.substring(0, text.offsetByCodePoints(0, MAX_UNPARSEABLE_CHARACTERS));
      }
      row.setField(column, StringData.fromString(text));
    }
    if (digest != null) {
      digest.fill(row, record, from, to);
    }
    return row;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof FlatJsonDeserializationSchema that
        && table.equals(that.table)
        && Arrays.equals(names, that.names)
        && nestedValues == that.nestedValues
        && Objects.equals(unparseableColumn, that.unparseableColumn)
        && aggregatedRecords == that.aggregatedRecords
        && Objects.equals(digestColumn, that.digestColumn);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        super.hashCode(), nestedValues, unparseableColumn, aggregatedRecords, digestColumn);
  }
}
