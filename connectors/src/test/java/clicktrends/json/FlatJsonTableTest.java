package clicktrends.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.util.CollectionUtil;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The format as SQL sees it, in a Flink cluster in this JVM. */
class FlatJsonTableTest {
  @TempDir Path path;

  @BeforeEach
  void writeRecords() throws Exception {
    Files.writeString(
        path.resolve("records.json"),
        """
        {"id":"one","number":1,"text":"{}"}
        {"id":"two","number":2,"text":{}}
        {"id":"three","number":"3","text":"\\u0033"}
        broken
        """);
  }

  @Test
  void columns_of_all_types_and_projections_are_read_and_broken_records_skipped() {
    String options = "'flat-json.ignore-parse-errors' = 'true'";
    assertThat(rows(options, "SELECT * FROM records"))
        .containsExactly("+I[one, 1, {}]", "+I[two, 2, {}]", "+I[three, 3, 3]");
    assertThat(rows(options, "SELECT number + 1, id FROM records"))
        .containsExactly("+I[2, one]", "+I[3, two]", "+I[4, three]");
  }

  @Test
  void nested_values_are_null_if_asked_for() {
    String options = "'flat-json.ignore-parse-errors' = 'true', 'flat-json.nested-values' = 'null'";
    assertThat(rows(options, "SELECT id, text FROM records"))
        .containsExactly("+I[one, {}]", "+I[two, null]", "+I[three, 3]");
  }

  @Test
  void a_broken_record_fails_the_job_if_errors_are_not_ignored() {
    assertThatThrownBy(() -> rows("'flat-json.nested-values' = 'text'", "SELECT * FROM records"))
        .hasStackTraceContaining("Failed to deserialize JSON 'broken'");
  }

  @Test
  void a_value_that_an_option_does_not_take_is_named() {
    assertThatThrownBy(() -> rows("'flat-json.nested-values' = 'drop'", "SELECT * FROM records"))
        .hasStackTraceContaining("Could not parse value 'drop' for key 'flat-json.nested-values'");
  }

  @Test
  void an_aggregated_record_is_read_unless_every_record_is_a_line() throws Exception {
    byte[] aggregated = Aggregates.of(List.of("{\"id\":\"four\"}".getBytes(UTF_8)));
    assertThat(aggregated).doesNotContain('\n');
    Files.write(path.resolve("aggregated.json"), aggregated);
    String options = "'flat-json.ignore-parse-errors' = 'true'";
    String query = "SELECT COUNT(*) FROM records WHERE id = 'four'";
    assertThat(rows(options, query)).containsExactly("+I[1]");
    options += ", 'flat-json.aggregated-records' = 'false'";
    assertThat(rows(options, query)).containsExactly("+I[0]");
  }

  @Test
  void what_is_not_read_is_shown_in_the_column_that_is_asked_for() {
    String options =
        "'flat-json.ignore-parse-errors' = 'true', 'flat-json.unparseable-column' = 'text'";
    assertThat(rows(options, "SELECT text FROM records WHERE id IS NULL"))
        .containsExactly("+I[broken]");
    assertThat(rows(options, "SELECT COUNT(*) FROM records")).containsExactly("+I[4]");
  }

  @Test
  void a_column_for_what_is_not_read_must_be_there_take_text_and_find_such_rows() {
    for (String column : List.of("rest", "number")) {
      assertThatThrownBy(
              () ->
                  rows(
                      "'flat-json.ignore-parse-errors' = 'true', 'flat-json.unparseable-column' = '"
                          + column
                          + "'",
                      "SELECT * FROM records"))
          .hasStackTraceContaining(
              "'" + column + "': add a column of this name and the type STRING");
    }
    assertThatThrownBy(
            () -> rows("'flat-json.unparseable-column' = 'text'", "SELECT * FROM records"))
        .hasStackTraceContaining("needs flat-json.ignore-parse-errors = 'true'");
  }

  @Test
  void each_distinct_row_is_known_by_the_digest_of_its_bytes() throws Exception {
    Files.writeString(path.resolve("repeated.json"), "{\"id\":\"two\",\"number\":2,\"text\":{}}\n");
    String options = "'flat-json.ignore-parse-errors' = 'true', 'flat-json.digest-column' = 'text'";
    assertThat(rows(options, "SELECT COUNT(*), COUNT(DISTINCT text) FROM records"))
        .containsExactly("+I[4, 3]");
    assertThat(rows(options, "SELECT COUNT(DISTINCT id) FROM records")).containsExactly("+I[3]");
  }

  @Test
  void a_column_for_digests_must_be_there_and_take_text() {
    String options =
        "'flat-json.ignore-parse-errors' = 'true', 'flat-json.digest-column' = 'number'";
    assertThatThrownBy(() -> rows(options, "SELECT * FROM records"))
        .hasStackTraceContaining("flat-json.digest-column names 'number': add a column");
  }

  private List<String> rows(String options, String query) {
    TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inBatchMode());
    tables.getConfig().set("parallelism.default", "1");
    tables.executeSql(
        "CREATE TABLE records (id STRING, number BIGINT, text STRING) WITH ('connector' = 'filesystem',"
            + " 'path' = '%s', 'format' = 'flat-json', %s)".formatted(path.toUri(), options));
    return CollectionUtil.iteratorToList(tables.executeSql(query).collect()).stream()
        .map(Object::toString)
        .toList();
  }
}
