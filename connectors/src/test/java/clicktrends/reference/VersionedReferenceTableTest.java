package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.util.CollectionUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The table as SQL sees it, in a Flink cluster in this JVM. */
class VersionedReferenceTableTest {
  private static final String COLUMNS =
      "gender STRING, user_id STRING, age_band STRING, as_of TIMESTAMP_LTZ(3)";
  private static final String JOIN =
      """
      SELECT c.click_id, s.gender, s.age_band, s.as_of = c.clicked_at
      FROM clicks AS c
      LEFT JOIN segments FOR SYSTEM_TIME AS OF c.arrived_at AS s
        ON s.user_id = c.user_id AND s.as_of = c.clicked_at""";

  private static final String SCAN = "SELECT * FROM segments";

  /** For what fails before a job starts. */
  private static final TableEnvironment PLANNER = tableEnvironment(true);

  @TempDir Path path;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_click_joins_the_version_that_held_when_it_happened(boolean streaming) throws Exception {
    SegmentFiles files = new SegmentFiles(path);
    files.publish("20260101T000000Z", SegmentFiles.HEADER + "u1,f,25-34\nu2,m,25-34\n");
    files.publish("20260102T000000Z", SegmentFiles.HEADER + "u1,f,35-44\nu3,x,日本\n");
    TableEnvironment tables = tableEnvironment(streaming);
    createTable(tables, COLUMNS, "'check-interval' = '0 s', 'history' = '100000 d'");

    List<String> rows =
        CollectionUtil.iteratorToList(tables.executeSql(JOIN).collect()).stream()
            .map(Object::toString)
            .toList();
    assertThat(rows)
        .containsExactlyInAnyOrder(
            "+I[before, null, null, null]",
            "+I[first, f, 25-34, true]",
            "+I[last, f, 25-34, true]",
            "+I[second, f, 35-44, true]",
            "+I[gone, null, null, null]",
            "+I[new, x, 日本, true]",
            "+I[no user, null, null, null]",
            "+I[no time, null, null, null]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "user_id STRING, gender STRING | 0 columns of type TIMESTAMP_LTZ(3) and needs exactly one",
        "user_id STRING, a TIMESTAMP_LTZ(3), b TIMESTAMP_LTZ(3) | 2 columns of type TIMESTAMP_LTZ(3)",
        "user_id STRING, as_of TIMESTAMP(3) | 0 columns of type TIMESTAMP_LTZ(3)",
        "user_id BIGINT, as_of TIMESTAMP_LTZ(3) | column 'user_id' is BIGINT",
        "user_id STRING, age INT, as_of TIMESTAMP_LTZ(3) | column 'age' is INT",
      })
  void a_wrong_column_is_refused_with_the_fix(String columns, String reason) {
    assertThatThrownBy(() -> explain(columns, "'check-interval' = '1 s'", SCAN))
        .rootCause()
        .isInstanceOf(ValidationException.class)
        .hasMessageContaining("segments")
        .hasMessageContaining(reason)
        .hasMessageContaining("Declare it as");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'check-interval' = 'PT-1S' | PT-1S",
        "'history' = 'PT-1H' | PT-1H",
        "'chek-interval' = '1 s' | chek-interval",
        "'check-interval' = 'often' | often",
      },
      quoteCharacter = '`')
  void a_wrong_option_is_refused(String options, String reason) {
    assertThatThrownBy(() -> explain(COLUMNS, options, SCAN)).hasStackTraceContaining(reason);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s.user_id = c.user_id",
        "s.as_of = c.clicked_at",
        "s.user_id = c.user_id AND s.gender = c.click_id",
        "s.user_id = c.user_id AND s.as_of = c.clicked_at AND s.gender = 'f'"
      })
  void a_join_on_other_columns_is_refused_with_the_fix(String condition) {
    String join = JOIN.substring(0, JOIN.indexOf("ON ")) + "ON " + condition;
    assertThatThrownBy(() -> explain(COLUMNS, "'check-interval' = '1 s'", join))
        .rootCause()
        .isInstanceOf(ValidationException.class)
        .hasMessageContaining("exactly one STRING column and 'as_of'")
        .hasMessageContaining("Write the join as");
  }

  @Test
  void the_table_cannot_be_scanned() {
    assertThatThrownBy(() -> explain(COLUMNS, "'check-interval' = '1 s'", SCAN))
        .hasStackTraceContaining("segments");
  }

  @Test
  void corrections_are_named_after_their_versions_one_of_each() {
    String first = "s3://b/corrections/20260101T000000Z/0001.csv";
    explain(
        COLUMNS, "'corrections' = '%s;%s'".formatted(first, first.replace("0101", "0102")), JOIN);
    for (String wrong : List.of("0001.csv", "/a/0001.csv", first + ";" + first)) {
      assertThatThrownBy(() -> explain(COLUMNS, "'corrections' = '%s'".formatted(wrong), JOIN))
          .rootCause()
          .isInstanceOf(ValidationException.class)
          .hasMessageContaining("The option 'corrections' has");
    }
  }

  private void explain(String columns, String options, String query) {
    createTable(PLANNER, columns, options);
    PLANNER.explainSql(query);
  }

  private void createTable(TableEnvironment tables, String columns, String options) {
    tables.executeSql("DROP TABLE IF EXISTS segments");
    tables.executeSql(
        "CREATE TABLE segments (%s) WITH ('connector' = 'versioned-reference', 'path' = '%s', %s)"
            .formatted(columns, path, options));
  }

  private static TableEnvironment tableEnvironment(boolean streaming) {
    EnvironmentSettings.Builder settings = EnvironmentSettings.newInstance();
    TableEnvironment tables =
        TableEnvironment.create(
            (streaming ? settings.inStreamingMode() : settings.inBatchMode()).build());
    tables.getConfig().set("table.local-time-zone", "UTC");
    tables.getConfig().set("parallelism.default", "2");
    tables.executeSql(
        """
        CREATE TEMPORARY VIEW clicks AS
        SELECT
          click_id,
          user_id,
          TO_TIMESTAMP_LTZ(millis, 3) AS clicked_at,
          PROCTIME() AS arrived_at
        FROM (VALUES
          ('before', 'u1', 1767225599999),
          ('first', 'u1', 1767225600000),
          ('last', 'u1', 1767311999999),
          ('second', 'u1', 1767312000000),
          ('gone', 'u2', 1767312000000),
          ('new', 'u3', 4102444800000),
          ('no user', CAST(NULL AS STRING), 1767312000000),
          ('no time', 'u1', CAST(NULL AS BIGINT))
        ) AS v (click_id, user_id, millis)""");
    return tables;
  }
}
