package clicktrends.json;

import static org.assertj.core.api.Assertions.assertThat;

import clicktrends.clicks.IsUnicode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonRowDataDeserializationSchema;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.json.JsonReadFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.json.JsonMapper;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares the format with Flink's own, where each line of a record is one value. */
class FlatJsonFormatTest {
  private static final RowType TEXT_COLUMNS = Decoders.textColumns(Records.COLUMNS);
  private static final RowType TEXT_AND_NUMBER =
      RowType.of(
          new LogicalType[] {VarCharType.STRING_TYPE, new BigIntType()},
          new String[] {"a", "click_id"});

  /** With what Flink's decoder lets pass. */
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS).build();

  private static final int FUZZ_RECORDS = Integer.getInteger("fuzz.records", 20_000);
  private static final long FUZZ_SEED = Long.getLong("fuzz.seed", System.nanoTime());

  @Test
  void made_and_damaged_records_give_what_flinks_format_gives() throws Exception {
    Pair ignoring = new Pair(TEXT_COLUMNS, false, true);
    Pair strict = new Pair(TEXT_COLUMNS, false, false);
    Pair complete = new Pair(TEXT_COLUMNS, true, false);
    Pair typed = new Pair(TEXT_AND_NUMBER, false, true);
    Records records = new Records(FUZZ_SEED);
    int scanned = 0;
    int compared = 0;
    for (int i = 0; i < FUZZ_RECORDS; i++) {
      byte[] record = records.next();
      String context = "seed " + FUZZ_SEED + ", record " + i + ": " + shown(record);
      scanned += scanned(record) == null ? 0 : 1;
      compared += ignoring.compare(record, context) ? 1 : 0;
      strict.compare(record, context);
      complete.compare(record, context);
      typed.compare(record, context);
    }
    assertThat(scanned).isBetween(FUZZ_RECORDS / 4, FUZZ_RECORDS * 3 / 4);
    assertThat(compared).isGreaterThan(FUZZ_RECORDS * 9 / 10);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"click_id\":\"c-1\",\"user_id\":\"u\"}",
        "{ \"click_id\" : \"c-1\" ,\t\"user_id\" : null } \r\n",
        "{}",
        "{\"a\":\"\"}",
        "{\"\":\"7\",\"it em\":\"\",\"a\":7,\"user_id\":-7,\"click_id\":0}",
        "{\"a\":true,\"click_id\":false,\"user_id\":null}",
        "{\"a\":\"日本語 é 😀\",\"日\":\"日\"}",
        "{\"a\":999999999999999999,\"n\":-999999999999999999}",
        "{\"unknown\":\"x\",\"unknown\":\"y\",\"a\":\"z\"}",
        "{\"user_id\":\"u\",\"click_id\":\"c\"}",
      })
  void a_flat_object_is_scanned_and_gives_what_flinks_format_gives(String record) throws Exception {
    byte[] bytes = record.getBytes(StandardCharsets.UTF_8);
    assertThat(scanned(bytes)).isNotNull();
    new Pair(TEXT_COLUMNS, false, true).compare(bytes, record);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\":\"x\",\"a\":\"y\"}",
        "{\"a\":null,\"a\":\"y\"}",
        "{\"a\":\"x\",\"a\":null}",
        "{\"a\":{}}",
        "{\"other\":[1]}",
        "{\"a\":\"\\u0061\"}",
        "{\"\\u0061\":\"x\"}",
        "{\"a\":\"x\ty\"}",
        "{\"a\":1.5}",
        "{\"a\":1e2}",
        "{\"a\":-0}",
        "{\"a\":01}",
        "{\"a\":1000000000000000000}",
        "{\"a\":\"x\",}",
        "{\"a\" \"x\"}",
        "{\"a\":x}",
        "{\"a\":\"x\"",
        "{\"a\":\"x",
        "{\"a\":tru",
        "{\"a\":",
        "{\"a",
        "{",
        "\uFEFF{\"a\":\"x\"}",
        "[{\"a\":\"x\"},{\"a\":\"y\"}]",
        "[]",
        "\"a\"",
        "7",
        "null",
        " ",
        "",
      })
  void anything_else_is_given_up_and_gives_what_flinks_format_gives(String record)
      throws Exception {
    byte[] bytes = record.getBytes(StandardCharsets.UTF_8);
    assertThat(scanned(bytes)).isNull();
    new Pair(TEXT_COLUMNS, false, true).compare(bytes, record);
    new Pair(TEXT_COLUMNS, false, false).compare(bytes, record);
  }

  @Test
  void every_sequence_of_bytes_that_is_not_utf_8_is_given_up() throws Exception {
    Pair pair = new Pair(TEXT_COLUMNS, false, true);
    for (int first = 0x80; first <= 0xFF; first++) {
      for (int second : new int[] {0x22, 0x61, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF}) {
        for (int third : new int[] {0x61, 0x80, 0xBF, 0xC0}) {
          byte[] record = "{\"a\":\"????\"}".getBytes(StandardCharsets.ISO_8859_1);
          record[6] = (byte) first;
          record[7] = (byte) second;
          record[8] = (byte) third;
          record[9] = (byte) 0x80;
          RowData row = scanned(record);
          boolean isUtf8 =
              new String(record, StandardCharsets.UTF_8).indexOf('\uFFFD') < 0 && second != 0x22;
          assertThat(row != null).as(shown(record)).isEqualTo(isUtf8);
          pair.compare(record, shown(record));
        }
      }
    }
  }

  @Test
  void each_position_of_a_special_byte_is_found() throws Exception {
    Pair pair = new Pair(TEXT_COLUMNS, false, true);
    for (int length = 0; length < 40; length++) {
      for (int at = 0; at < length; at++) {
        for (String special :
            new String[] {"\\\\", "\\\"", "\u0001", "\u001f", "é", "\u007f", "!", "#"}) {
          String value = "x".repeat(at) + special + "x".repeat(length - at - 1);
          byte[] record = ("{\"a\":\"" + value + "\"}").getBytes(StandardCharsets.UTF_8);
          boolean plain = special.charAt(0) > '\u001f' && special.charAt(0) != '\\';
          assertThat(scanned(record) != null).as(value).isEqualTo(plain);
          pair.compare(record, value);
        }
      }
    }
  }

  @Test
  void a_name_beyond_jacksons_limit_gives_what_flinks_format_gives() throws Exception {
    Pair pair = new Pair(TEXT_COLUMNS, false, true);
    for (int length : new int[] {49_900, 50_000, 50_001, 60_000}) {
      String record = "{\"" + "n".repeat(length) + "\":1,\"a\":\"x\"}";
      pair.compare(record.getBytes(StandardCharsets.UTF_8), length + " characters");
    }
  }

  @Test
  void nested_values_are_null_if_asked_for_and_strings_that_look_like_them_stay() throws Exception {
    DeserializationSchema<RowData> schema =
        Decoders.opened(Decoders.flat(TEXT_COLUMNS, false, true, NestedValues.NULL, null));
    String nested =
        "{\"click_id\":{\"a\":1},\"user_id\":[],\"a\":\"{}\",\"日\":\"[1]\",\"clicked_at\":\"\\n\"}";
    GenericRowData expected = new GenericRowData(Records.COLUMNS.length);
    expected.setField(1, StringData.fromString("\n"));
    expected.setField(3, StringData.fromString("[1]"));
    expected.setField(4, StringData.fromString("{}"));
    assertThat(Decoders.rows(schema, nested.getBytes(StandardCharsets.UTF_8)))
        .containsExactly(expected);
    assertThat(
            Decoders.rows(
                schema, ("[" + nested + "," + nested + "]").getBytes(StandardCharsets.UTF_8)))
        .containsExactly(expected, expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\\ud83d", "\\ud83e", "x\\ude00", "\\ude00\\ud83d", "\\ud83d\\ud83d\\ude00"})
  void half_a_surrogate_pair_is_no_question_mark_and_no_other_half(String escaped)
      throws Exception {
    Pair pair = new Pair(TEXT_COLUMNS, false, true);
    byte[] record = ("{\"a\":\"" + escaped + "\"}").getBytes(StandardCharsets.UTF_8);
    String text = new ObjectMapper().readValue("\"" + escaped + "\"", String.class);
    byte[] kept = Decoders.rows(pair.flat, record).get(0).getString(4).toBytes();
    assertThat(kept).isEqualTo(threeBytesForEachHalf(text));
    assertThat(new IsUnicode().eval(StringData.fromBytes(kept))).isFalse();
  }

  /** From Java's own encoding, which writes a question mark for each half. */
  private static byte[] threeBytesForEachHalf(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < text.length(); i++) {
      char each = text.charAt(i);
      if (Character.isHighSurrogate(each)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        bytes.writeBytes(text.substring(i, i + 2).getBytes(StandardCharsets.UTF_8));
        i++;
      } else if (Character.isSurrogate(each)) {
        int rest = each - 0xD000;
        bytes.writeBytes(
            new byte[] {(byte) 0xED, (byte) (0x80 + rest / 64), (byte) (0x80 + rest % 64)});
      } else {
        bytes.writeBytes(String.valueOf(each).getBytes(StandardCharsets.UTF_8));
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void rows_of_one_batch_do_not_share_what_they_hold() throws Exception {
    Pair pair = new Pair(TEXT_COLUMNS, false, true);
    List<RowData> rows = new ArrayList<>();
    for (String user : new String[] {"u1", "user-2", "3"}) {
      byte[] record = ("{\"user_id\":\"" + user + "\"}").getBytes(StandardCharsets.UTF_8);
      rows.addAll(Decoders.rows(pair.flat, record));
    }
    assertThat(rows)
        .extracting(row -> row.getString(2).toString())
        .containsExactly("u1", "user-2", "3");
  }

  private static RowData scanned(byte[] record) {
    boolean[] isText = new boolean[Records.COLUMNS.length];
    Arrays.fill(isText, true);
    int from = FlatObjectScanner.skipSpace(record, 0, record.length);
    return from < record.length && record[from] == '{'
        ? new FlatObjectScanner(Records.COLUMNS, isText, false)
            .scan(
                new MemorySegment[] {MemorySegmentFactory.wrap(record)},
                record,
                from,
                record.length)
        : null;
  }

  private static String shown(byte[] record) {
    String text = new String(record, StandardCharsets.UTF_8);
    return text + " (base64 " + Base64.getEncoder().encodeToString(record) + ")";
  }

  /** Both formats with the same options. */
  private static final class Pair {
    private final DeserializationSchema<RowData> flat;
    private final DeserializationSchema<RowData> flinks;
    private final boolean ignoreParseErrors;

    Pair(RowType columns, boolean failOnMissingField, boolean ignoreParseErrors) throws Exception {
      this.ignoreParseErrors = ignoreParseErrors;
      flat =
          Decoders.opened(
              Decoders.flat(
                  columns, failOnMissingField, ignoreParseErrors, NestedValues.TEXT, null));
      flinks =
          Decoders.opened(
              new JsonRowDataDeserializationSchema(
                  columns,
                  InternalTypeInfo.of(columns),
                  failOnMissingField,
                  ignoreParseErrors,
                  TimestampFormat.ISO_8601));
    }

    /** Returns false if the formats differ on purpose: some line is more or less than one value. */
    boolean compare(byte[] record, String context) throws Exception {
      Object expected;
      if (ignoreParseErrors) {
        List<RowData> rows = new ArrayList<>();
        for (byte[] line : lines(record)) {
          if (!isScalar(line) && !isOneValue(line)) {
            return false;
          }
          // Jackson takes this byte in a name for its own padding.
          if (!isScalar(line) && !isNoUtf8(line)) {
            rows.addAll(withBytes(Decoders.rows(flinks, line)));
          }
        }
        expected = rows;
      } else {
        if (!isOneValue(record) || isNoUtf8(record)) {
          return false;
        }
        expected = outcome(flinks, record.clone());
      }
      Object actual = outcome(flat, record);
      if (!expected.equals(actual)) {
        assertThat(actual).as(context).isEqualTo(expected);
      }
      return true;
    }

    private static List<byte[]> lines(byte[] record) {
      List<byte[]> lines = new ArrayList<>();
      int from = 0;
      for (int i = 0; i <= record.length; i++) {
        if (i == record.length || record[i] == '\n') {
          lines.add(Arrays.copyOfRange(record, from, i));
          from = i + 1;
        }
      }
      return lines;
    }

    private static boolean isNoUtf8(byte[] record) {
      return new String(record, StandardCharsets.ISO_8859_1).indexOf('\u00FF') >= 0;
    }

    private static boolean isBlank(byte[] line) {
      return new String(line, StandardCharsets.ISO_8859_1).matches("[ \t\r]*");
    }

    /** Or a blank line: nothing that has a row. */
    private static boolean isScalar(byte[] line) {
      return !new String(line, StandardCharsets.UTF_8).matches("(?s)\uFEFF?[ \t\r]*[\\[{].*");
    }

    /**
     * Whether the line is an object or an array of objects, or begins one that is broken; a newline
     * may end it.
     */
    private static boolean isOneValue(byte[] line) throws IOException {
      for (int i = 0; i < line.length; i++) {
        boolean seemsUtf16 = line[i] == 0 && i < 8;
        if (seemsUtf16 || line[i] == '\n' && i + 1 < line.length) {
          return false;
        }
      }
      if (isScalar(line)) {
        return false;
      }
      try (JsonParser parser = MAPPER.getFactory().createParser(line)) {
        JsonNode value = MAPPER.readTree(parser);
        for (JsonNode element : value.isArray() ? value : List.<JsonNode>of()) {
          if (!element.isObject()) {
            return false;
          }
        }
        int end = (int) parser.currentLocation().getByteOffset();
        return isBlank(Arrays.copyOfRange(line, end, lengthWithoutNewline(line)));
      } catch (JsonProcessingException e) {
        return true;
      }
    }

    private static int lengthWithoutNewline(byte[] line) {
      return line.length > 0 && line[line.length - 1] == '\n' ? line.length - 1 : line.length;
    }

    /** The rows with the bytes of each text, or the message of the exception. */
    private static Object outcome(DeserializationSchema<RowData> schema, byte[] record) {
      try {
        return withBytes(Decoders.rows(schema, record));
      } catch (IOException e) {
        return e.getMessage();
      }
    }

    private static List<RowData> withBytes(List<RowData> rows) {
      for (RowData row : rows) {
        GenericRowData decoded = (GenericRowData) row;
        for (int i = 0; i < decoded.getArity(); i++) {
          // Flink's format keeps the Java string until someone asks for its bytes.
          if (decoded.getField(i) instanceof BinaryStringData text
              && text.getJavaObject() != null) {
            byte[] bytes = threeBytesForEachHalf(text.getJavaObject());
            decoded.setField(i, StringData.fromBytes(bytes));
          }
        }
      }
      return rows;
    }
  }
}
