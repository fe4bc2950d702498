package clicktrends.json;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts stand for bytes, as in ISO 8859-1. */
class AggregatedRecordTest {
  private static final String KEY = "\u0008\0";
  private static final String DATA = "\u001a\u0002{}";

  private static List<String> userRecords(byte[] record) {
    int[] bounds = AggregatedRecord.userRecords(record);
    if (bounds == null) {
      return null;
    }
    List<String> found = new ArrayList<>();
    for (int i = 0; i < bounds.length; i += 2) {
      found.add(new String(record, bounds[i], bounds[i + 1] - bounds[i], ISO_8859_1));
    }
    return found;
  }

  private static byte[] sealed(String message) {
    return Aggregates.sealed(message.getBytes(ISO_8859_1));
  }

  private static String record(String message) {
    return "\u001a" + (char) message.length() + message;
  }

  @Test
  void an_aggregated_record_has_its_user_records_in_order() {
    byte[] aggregated =
        Aggregates.of(List.of("{\"a\":1}\n".getBytes(ISO_8859_1), new byte[0], new byte[300]));
    assertThat(userRecords(aggregated)).containsExactly("{\"a\":1}\n", "", "\0".repeat(300));
    assertThat(userRecords(sealed(""))).isEmpty();
  }

  @Test
  void a_record_that_is_cut_changed_or_short_is_not_aggregated() {
    byte[] aggregated = sealed(record(KEY + DATA));
    assertThat(userRecords(aggregated)).containsExactly("{}");
    for (int i = 0; i < aggregated.length; i++) {
      byte[] changed = aggregated.clone();
      changed[i]++;
      assertThat(userRecords(changed)).as("changed at %d", i).isNull();
      assertThat(userRecords(java.util.Arrays.copyOf(aggregated, i))).as("cut at %d", i).isNull();
    }
    assertThat(userRecords(java.util.Arrays.copyOf(aggregated, aggregated.length + 1))).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0080",
        "\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\0",
        "\0\0",
        "\u001b\u001c",
        "\u001f\0",
        "\u001a\u0002\u0008\0",
        "\u001a\u0004" + DATA,
        "\u001a\u0006\u0010\0" + DATA,
        "\u001a\u0007\u0008\0\u001a\u0005{}",
        "\u0009\0\0\0\0\0\0\0",
        "\r\0\0\0",
        "\u001a\u00ff\u00ff\u00ff\u00ff\u0007\u0008\0",
        "\u001a\u00ff\u00ff\u00ff\u00ff\u000f\u0008\0",
        "\u001a\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0040\u0008\0",
        "\u001a\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0001\u0008\0",
        "\u001a\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f\u0008\0",
      })
  void a_message_that_protobuf_does_not_read_is_not_aggregated(String message) {
    assertThat(userRecords(sealed(message))).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0020\u0005",
        "\u0021\0\0\0\0\0\0\0\0",
        "\"\1x",
        "\u0025\0\0\0\0",
        "\u0018\u0007",
        "\u0020\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u0001",
        // a number whose last 61 bits are those of DATA
        "\u009a\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u007e\u0001x",
      })
  void unknown_fields_and_known_ones_of_another_type_are_skipped(String field) {
    String message = field + record(field + KEY + field + DATA + field) + field;
    assertThat(userRecords(sealed(message))).containsExactly("{}");
  }

  @Test
  void the_last_data_hold() {
    assertThat(userRecords(sealed(record(KEY + "\u001a\u0002[]" + DATA)))).containsExactly("{}");
  }
}
