package clicktrends.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.api.Test;

/**
 * No record of 1 MiB takes longer than its bytes: each of these is read in about a second at most,
 * and would take minutes if its bytes were read again for each value, line or user record.
 */
class LargeRecordTest {
  private static final RowType COLUMNS = Decoders.textColumns("a", "unparseable");
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int MIB = 1 << 20;

  private static String repeated(String part) {
    return part.repeat(MIB / part.length());
  }

  private static int rowsOf(byte[] record) throws Exception {
    DeserializationSchema<RowData> decoder =
        Decoders.opened(Decoders.flat(COLUMNS, false, true, NestedValues.NULL, "unparseable"));
    return assertTimeoutPreemptively(LIMIT, () -> Decoders.rows(decoder, record).size());
  }

  @Test
  void the_time_for_a_record_grows_with_its_bytes() throws Exception {
    String click = "{\"a\":\"" + "x".repeat(284) + "\"}";
    String escaped = "{\"a\":\"\\u0061\"}";
    Map<String, Integer> rows =
        Map.ofEntries(
            Map.entry(repeated(click), MIB / click.length()),
            Map.entry(repeated("{}"), MIB / 2),
            Map.entry(repeated("[]"), 0),
            Map.entry(repeated("[{}]"), MIB / 4),
            Map.entry("[" + repeated("{},") + "{}]", MIB / 3 + 1),
            Map.entry(repeated(escaped), MIB / escaped.length()),
            Map.entry(repeated("["), 1),
            Map.entry(repeated("{\"a\":"), 1),
            Map.entry(repeated("{\"a\":["), 1),
            Map.entry("{\"a\":\"" + repeated("x"), 1),
            Map.entry("{\"a\":\"" + repeated("\\u00e9"), 1),
            Map.entry("{\"a\":" + repeated("1"), 1),
            Map.entry("{\"" + repeated("n") + "\":1}", 1),
            Map.entry("{\"a\":\"" + repeated("x") + "\"}", 1),
            Map.entry("{" + repeated("\"n\":1,") + "\"n\":1}", 1),
            Map.entry("{" + repeated(" "), 1),
            Map.entry(repeated(" "), 0),
            Map.entry(repeated("\n"), 0),
            Map.entry(repeated("x\n"), MIB / 2),
            Map.entry(repeated("{\n"), MIB / 2),
            Map.entry(repeated("{\"a\":\"\\u0061\"}x\n"), 2 * (MIB / 16)),
            Map.entry(repeated("\uFEFF"), 1));
    for (Map.Entry<String, Integer> each : rows.entrySet()) {
      String record = each.getKey();
      assertThat(rowsOf(record.getBytes(UTF_8)))
          .as(record.substring(0, 12))
          .isEqualTo(each.getValue());
    }
  }

  @Test
  void the_time_for_an_aggregated_record_grows_with_its_bytes() throws Exception {
    byte[] empty = {};
    byte[] click = "{}".getBytes(UTF_8);
    assertThat(rowsOf(Aggregates.of(Collections.nCopies(100_000, empty)))).isZero();
    assertThat(rowsOf(Aggregates.of(Collections.nCopies(100_000, click)))).isEqualTo(100_000);
    // A newline may be in the bytes of a digest.
    byte[] inner = Aggregates.of(Collections.nCopies(100_000, click));
    assertThat(rowsOf(Aggregates.of(List.of(inner)))).isPositive();
    assertThat(rowsOf(Aggregates.sealed(new byte[MIB]))).isPositive();
    byte[] endless = new byte[MIB];
    java.util.Arrays.fill(endless, (byte) 0x80);
    assertThat(rowsOf(Aggregates.sealed(endless))).isPositive();
  }
}
