package clicktrends.json;

import static org.assertj.core.api.Assertions.assertThat;

import clicktrends.clicks.IsUnicode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonRowDataDeserializationSchema;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.util.InstantiationUtil;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.UserCodeClassLoader;
import org.apache.flink.util.function.ThrowingConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares the format with Flink's own, record by record. */
class FlatJsonFormatTest {
  private static final RowType TEXT_COLUMNS =
      RowType.of(
          Stream.of(Records.COLUMNS)
              .map(name -> VarCharType.STRING_TYPE)
              .toArray(LogicalType[]::new),
          Records.COLUMNS);
  private static final RowType TEXT_AND_NUMBER =
      RowType.of(
          new LogicalType[] {VarCharType.STRING_TYPE, new BigIntType()},
          new String[] {"a", "click_id"});
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
    for (int i = 0; i < FUZZ_RECORDS; i++) {
      byte[] record = records.next();
      String context = "seed " + FUZZ_SEED + ", record " + i + ": " + shown(record);
      scanned += scanner().scan(record) == null ? 0 : 1;
      ignoring.compare(record, context);
      strict.compare(record, context);
      complete.compare(record, context);
      typed.compare(record, context);
    }
    assertThat(scanned).isBetween(FUZZ_RECORDS / 4, FUZZ_RECORDS * 3 / 4);
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
    assertThat(scanner().scan(bytes)).isNotNull();
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
        "{\"a\":\"x\"}{\"a\":\"y\"}",
        "{\"a\":\"x\"} trailing",
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
        "[{\"a\":\"x\"},3,{\"a\":\"y\"}]",
        "\"a\"",
        "7",
        "null",
        " ",
        "",
      })
  void anything_else_is_given_up_and_gives_what_flinks_format_gives(String record)
      throws Exception {
    byte[] bytes = record.getBytes(StandardCharsets.UTF_8);
    assertThat(scanner().scan(bytes)).isNull();
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
          RowData row = scanner().scan(record);
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
          assertThat(scanner().scan(record) != null).as(value).isEqualTo(plain);
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
        opened(
            new FlatJsonDeserializationSchema(
                TEXT_COLUMNS,
                InternalTypeInfo.of(TEXT_COLUMNS),
                false,
                true,
                TimestampFormat.ISO_8601,
                NestedValues.NULL));
    String nested =
        "{\"click_id\":{\"a\":1},\"user_id\":[],\"a\":\"{}\",\"日\":\"[1]\",\"clicked_at\":\"\\n\"}";
    GenericRowData expected = new GenericRowData(Records.COLUMNS.length);
    expected.setField(1, StringData.fromString("\n"));
    expected.setField(3, StringData.fromString("[1]"));
    expected.setField(4, StringData.fromString("{}"));
    assertThat(rows(schema, nested.getBytes(StandardCharsets.UTF_8))).containsExactly(expected);
    assertThat(rows(schema, ("[" + nested + ",7," + nested + "]").getBytes(StandardCharsets.UTF_8)))
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
    byte[] kept = rows(pair.flat, record).get(0).getString(4).toBytes();
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
      rows.addAll(rows(pair.flat, record));
    }
    assertThat(rows)
        .extracting(row -> row.getString(2).toString())
        .containsExactly("u1", "user-2", "3");
  }

  private static FlatObjectScanner scanner() {
    boolean[] isText = new boolean[Records.COLUMNS.length];
    java.util.Arrays.fill(isText, true);
    return new FlatObjectScanner(Records.COLUMNS, isText, false);
  }

  private static String shown(byte[] record) {
    String text = new String(record, StandardCharsets.UTF_8);
    return text + " (base64 " + Base64.getEncoder().encodeToString(record) + ")";
  }

  private static List<RowData> rows(DeserializationSchema<RowData> schema, byte[] record)
      throws IOException {
    List<RowData> rows = new ArrayList<>();
    schema.deserialize(record, new ListCollector(rows::add));
    return rows;
  }

  private static DeserializationSchema<RowData> opened(DeserializationSchema<RowData> schema)
      throws Exception {
    schema.open(
        new DeserializationSchema.InitializationContext() {
          @Override
          public MetricGroup getMetricGroup() {
            return new UnregisteredMetricsGroup();
          }

          @Override
          public UserCodeClassLoader getUserCodeClassLoader() {
            return SimpleUserCodeClassLoader.create(FlatJsonFormatTest.class.getClassLoader());
          }
        });
    return schema;
  }

  private record ListCollector(ThrowingConsumer<RowData, RuntimeException> add)
      implements org.apache.flink.util.Collector<RowData> {
    @Override
    public void collect(RowData row) {
      add.accept(row);
    }

    @Override
    public void close() {}
  }

  /** Both formats with the same options. */
  private static final class Pair {
    private final DeserializationSchema<RowData> flat;
    private final DeserializationSchema<RowData> flinks;

    Pair(RowType columns, boolean failOnMissingField, boolean ignoreParseErrors) throws Exception {
      InternalTypeInfo<RowData> produced = InternalTypeInfo.of(columns);
      flat =
          opened(
              new FlatJsonDeserializationSchema(
                  columns,
                  produced,
                  failOnMissingField,
                  ignoreParseErrors,
                  TimestampFormat.ISO_8601,
                  NestedValues.TEXT));
      flinks =
          opened(
              new JsonRowDataDeserializationSchema(
                  columns,
                  produced,
                  failOnMissingField,
                  ignoreParseErrors,
                  TimestampFormat.ISO_8601));
    }

    /**
     * Jackson takes the byte 0xFF in a name for its own padding: it reads {@code user<FF>_id},
     * which is not UTF-8, as {@code user_id} while it remembers that name. What a decoder remembers
     * depends on the records before, so such records are compared by decoders that have read none.
     */
    void compare(byte[] record, String context) throws Exception {
      Object expected = outcome(flinks, record.clone());
      Object actual = outcome(flat, record);
      if (!expected.equals(actual) && contains(record, (byte) 0xFF)) {
        expected = outcome(opened(InstantiationUtil.clone(flinks)), record.clone());
        actual = outcome(opened(InstantiationUtil.clone(flat)), record);
      }
      if (!expected.equals(actual)) {
        assertThat(actual).as(context).isEqualTo(expected);
      }
    }

    private static boolean contains(byte[] record, byte wanted) {
      for (byte each : record) {
        if (each == wanted) {
          return true;
        }
      }
      return false;
    }

    /** The rows with the bytes of each text, or the message of the exception. */
    private static Object outcome(DeserializationSchema<RowData> schema, byte[] record) {
      try {
        List<RowData> rows = rows(schema, record);
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
      } catch (IOException e) {
        return e.getMessage();
      }
    }
  }
}
