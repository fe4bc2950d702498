package clicktrends.json;

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
