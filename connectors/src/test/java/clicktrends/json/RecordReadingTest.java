package clicktrends.json;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.Charset;
import java.util.List;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which clicks are in a record, and which rest of a line is unread. */
class RecordReadingTest {
  private static final RowType COLUMNS = Decoders.textColumns("a", "b", "unparseable");
  private static final String A = "{\"a\":1}";
  private static final String B = "{\"b\": 2}";
  private static final String ESCAPED = "{\"a\":\"\\u0033\"}";
  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private DeserializationSchema<RowData> decoder;

  @BeforeEach
  void open() throws Exception {
    decoder =
        Decoders.opened(Decoders.flat(COLUMNS, false, true, NestedValues.NULL, "unparseable"));
  }

  private List<String> read(String record) throws IOException {
    return read(record.getBytes(UTF_8));
  }

  /** Each row as {@code a=1} or {@code unread: rest}. */
  private List<String> read(byte[] record) throws IOException {
    return Decoders.rows(decoder, record).stream()
        .map(
            row ->
                !row.isNullAt(2)
                    ? "unread: " + row.getString(2)
                    : row.isNullAt(0) ? "b=" + row.getString(1) : "a=" + row.getString(0))
        .toList();
  }

  @Test
  void a_line_of_a_file_is_no_aggregated_record() throws Exception {
    byte[] aggregate = Aggregates.of(List.of(A.getBytes(UTF_8)));
    assertThat(read(aggregate)).containsExactly("a=1");
    decoder = Decoders.opened(Decoders.flatOfLines(COLUMNS));
    assertThat(read(aggregate)).isNotEmpty().allMatch(row -> row.startsWith("unread: "));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\t", "\r", "\n", "\r\n", "\n\n \r\n", "[]", "[ ]", "\n\uFEFF"})
  void clicks_are_read_one_after_another(String between) throws Exception {
    assertThat(read(A + between + B)).containsExactly("a=1", "b=2");
    assertThat(read(BYTE_ORDER_MARK + ESCAPED + between + ESCAPED + between + A + "\n"))
        .containsExactly("a=3", "a=3", "a=1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "\r\n", " \t\r\n\n", "\uFEFF", "\uFEFF \n\uFEFF", "[]", "[ ]"})
  void a_blank_line_and_an_empty_array_are_nothing(String blank) throws Exception {
    assertThat(read(blank)).isEmpty();
  }

  @Test
  void an_array_of_clicks_is_read_whole_or_not_at_all() throws Exception {
    String array = "[" + A + ", " + B + "]";
    assertThat(read(array + A)).containsExactly("a=1", "b=2", "a=1");
    String withNumber = "[" + A + ",3," + B + "]";
    assertThat(read(B + withNumber + A + "\n" + A))
        .containsExactly("b=2", "unread: " + withNumber + A, "a=1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "no json",
        "{\"a\": ",
        "7",
        "\"text\"",
        "null",
        "[1]",
        "[[]]",
        "[{\"a\":1}",
        ",",
        "}",
        "\0",
        "\u000b",
        "\u00a0",
        "\uFEFF",
        "{\0",
        "[\0",
        "{\0\0\0",
        "{\"a\":\"",
        "{\"a\":NaN}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":01}",
        "//",
      })
  void what_is_no_click_is_unread_with_the_rest_of_its_line(String rest) throws Exception {
    assertThat(read(A + rest + B + "\n" + B)).containsExactly("a=1", "unread: " + rest + B, "b=2");
    assertThat(read(B + "\n" + ESCAPED + " " + rest))
        .containsExactly("b=2", "a=3", "unread: " + rest);
  }

  @Test
  void a_value_does_not_span_lines() throws Exception {
    assertThat(read("{\n  \"a\": 1\n}\n"))
        .containsExactly("unread: {", "unread: \"a\": 1", "unread: }");
    assertThat(read("{\"a\": \"x\ny\"}")).containsExactly("unread: {\"a\": \"x", "unread: y\"}");
    assertThat(read("[" + A + ",\n" + A + "]"))
        .containsExactly("unread: [" + A + ",", "a=1", "unread: ]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "UTF-32BE"})
  void utf_16_and_utf_32_are_unread(String charset) throws Exception {
    assertThat(read("{\"a\":\"日\"}".getBytes(Charset.forName(charset))))
        .singleElement()
        .asString()
        .startsWith("unread: ");
  }

  /** Jackson takes this byte for its own padding, and reads the name of the first click. */
  @Test
  void a_name_that_is_no_utf_8_is_not_read_as_one_that_was_read_before() throws Exception {
    String record = "{\"\\u0061\":1,\"userid\":1}{\"\\u0061\":1,\"user\u00FFid\":1}";
    assertThat(read(record.getBytes(ISO_8859_1))).hasSize(2).last().asString().startsWith("unread");
    String padded = "{\"\\u0061\":1,\"userx\":1}{\"\\u0061\":1,\"user\u00FF\u00FF\u00FFx\":1}";
    assertThat(read(padded.getBytes(ISO_8859_1))).hasSize(2).last().asString().startsWith("unread");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{\"unparseable\":\"x\",\"a\":1}", "{\"unparseable\":\"\\u0061\",\"a\":1}"})
  void no_field_of_a_click_fills_the_column_of_unread_rests(String click) throws Exception {
    assertThat(read(click)).containsExactly("a=1");
  }

  @Test
  void an_unread_rest_is_cut_at_a_whole_character_and_what_is_no_text_is_replaced()
      throws Exception {
    for (String character : new String[] {"x", "é", "日", "😀"}) {
      assertThat(read(character.repeat(4095) + "!" + character))
          .containsExactly("unread: " + character.repeat(4095) + "!");
      assertThat(read(character.repeat(4097))).containsExactly("unread: " + character.repeat(4096));
    }
    assertThat(read("x\u00FF".getBytes(ISO_8859_1))).containsExactly("unread: x\uFFFD");
  }

  @Test
  void without_its_column_the_row_of_an_unread_rest_has_nothing() throws Exception {
    RowType projected = Decoders.textColumns("a");
    DeserializationSchema<RowData> counting =
        Decoders.opened(Decoders.flat(projected, false, true, NestedValues.NULL, "unparseable"));
    List<RowData> rows = Decoders.rows(counting, (A + "rest").getBytes(UTF_8));
    assertThat(rows).hasSize(2);
    assertThat(rows.get(1).isNullAt(0)).isTrue();
  }

  @Test
  void without_the_option_an_unread_rest_is_skipped_or_ends_the_job() throws Exception {
    byte[] record = (A + "rest\n" + A).getBytes(UTF_8);
    DeserializationSchema<RowData> skipping =
        Decoders.opened(Decoders.flat(COLUMNS, false, true, NestedValues.NULL, null));
    assertThat(Decoders.rows(skipping, record)).hasSize(2);
    DeserializationSchema<RowData> strict =
        Decoders.opened(Decoders.flat(COLUMNS, false, false, NestedValues.NULL, null));
    assertThatThrownBy(() -> Decoders.rows(strict, record))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("Failed to deserialize JSON '" + A + "rest");
  }

  @Test
  void clicks_of_a_record_do_not_share_what_they_hold() throws Exception {
    List<RowData> rows =
        Decoders.rows(decoder, "{\"a\":\"x\"}{\"a\":\"longer\"}{\"a\":\"\"}{}".getBytes(UTF_8));
    assertThat(rows.subList(0, 3))
        .extracting(row -> row.getString(0).toString())
        .containsExactly("x", "longer", "");
    assertThat(rows.get(3).isNullAt(0)).isTrue();
  }

  @Test
  void the_limit_of_the_fast_path_is_one_of_a_click_and_not_of_a_record() throws Exception {
    String click = "{\"a\":\"" + "x".repeat(FlatObjectScanner.MAX_BYTES / 2) + "\"}";
    byte[] record = click.repeat(4).getBytes(UTF_8);
    for (RowData row : Decoders.rows(decoder, record)) {
      StringData text = row.getString(0);
      assertThat(((org.apache.flink.table.data.binary.BinaryStringData) text).getSegments()[0])
          .as("a slice of the record")
          .matches(segment -> segment.size() == record.length);
    }
  }

  @Test
  void an_error_of_what_follows_is_none_of_the_record() throws Exception {
    Collector<RowData> failing =
        new Collector<>() {
          @Override
          public void collect(RowData row) {
            throw new IllegalStateException("the sink is gone");
          }

          @Override
          public void close() {}
        };
    for (String record : new String[] {A, ESCAPED, "[" + A + "]", "rest"}) {
      assertThatThrownBy(() -> decoder.deserialize(record.getBytes(UTF_8), failing))
          .hasMessage("the sink is gone");
    }
  }
}
