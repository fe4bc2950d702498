package clicktrends.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.table.data.RowData;
import org.junit.jupiter.api.Test;

/** A row's digest is that of the bytes that it was read from, wherever these stand. */
class ClickDigestTest {
  private static final String PLAIN = "{\"click_id\":\"1\"}";
  private static final String ESCAPED = "{\"click_id\":\"\\u0031\"}";
  private static final String NESTED = "{ \"click_id\":\"日本\",\"a\":[{\"b\":\"]},{\"}] }";
  private static final String CLAIMING = "{\"click_id\":\"1\",\"digest\":\"mine\"}";

  @Test
  void a_click_has_one_digest_alone_beside_others_and_in_an_array() throws Exception {
    String rest = "no json";
    String alone = String.join("\n", PLAIN, ESCAPED, NESTED, CLAIMING, rest);
    String glued = PLAIN + " " + ESCAPED + NESTED + "\t" + CLAIMING + rest;
    String array = " [" + String.join(" ,", PLAIN, ESCAPED, NESTED, CLAIMING) + "\t] " + rest;
    List<String> expected =
        Stream.of(PLAIN, ESCAPED, NESTED, CLAIMING, rest).map(ClickDigestTest::sha256).toList();
    for (String record : List.of(alone, glued, array)) {
      assertThat(digests(record)).as(record).isEqualTo(expected);
    }
  }

  @Test
  void clicks_of_other_bytes_have_other_digests_even_with_the_same_fields() throws Exception {
    assertThat(digests(PLAIN + "{\"click_id\": \"1\"}" + ESCAPED))
        .doesNotHaveDuplicates()
        .hasSize(3);
  }

  @Test
  void an_array_of_many_clicks_gives_each_its_own() throws Exception {
    List<String> clicks =
        Stream.iterate(0, i -> i + 1).limit(1000).map(i -> "{\"click_id\":\"" + i + "\"}").toList();
    assertThat(digests("[" + String.join(",", clicks) + "]"))
        .isEqualTo(clicks.stream().map(ClickDigestTest::sha256).toList());
  }

  @Test
  void the_whole_of_a_long_rest_is_told_apart() throws Exception {
    String begin = "x".repeat(20_000);
    assertThat(digests(begin + "1\n" + begin + "2")).doesNotHaveDuplicates().hasSize(2);
  }

  @Test
  void no_digest_is_taken_of_a_column_that_is_not_read() throws Exception {
    DeserializationSchema<RowData> schema =
        Decoders.opened(
            Decoders.flatWithDigests(Decoders.textColumns("click_id", "unparseable"), "digest"));
    assertThat(Decoders.rows(schema, (PLAIN + "[" + ESCAPED + "]x").getBytes(UTF_8)))
        .hasSize(3)
        .allMatch(row -> row.getArity() == 2);
  }

  private static List<String> digests(String record) throws Exception {
    DeserializationSchema<RowData> schema =
        Decoders.opened(
            Decoders.flatWithDigests(
                Decoders.textColumns("click_id", "unparseable", "digest"), "digest"));
    return Decoders.rows(schema, record.getBytes(UTF_8)).stream()
        .map(row -> row.getString(2).toString())
        .toList();
  }

  private static String sha256(String text) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
