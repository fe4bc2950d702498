package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VersionReaderTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir Path directory;

  @Test
  void columns_may_stand_in_any_order_with_others_between() throws Exception {
    Version version = read("age_band,extra,user_id,gender\n25-34,x,u1,f\n35-44,y,u2,m\n");
    assertThat(valuesOf(version, "u1")).containsExactly("f", "25-34");
    assertThat(valuesOf(version, "u2")).containsExactly("m", "35-44");
    assertThat(version.find(new KeyHash().of("u3"))).isNull();
  }

  @Test
  void equal_rows_are_stored_once() throws Exception {
    Version version = read("user_id,gender,age_band\nu1,f,25-34\nu2,f,25-34\nu3,m,25-34\n");
    assertThat(version.users()).isEqualTo(3);
    assertThat(version.rows()).hasDimensions(2, 2);
    assertThat(version.find(new KeyHash().of("u1"))).isSameAs(version.find(new KeyHash().of("u2")));
  }

  @Test
  void quotes_byte_order_mark_line_ends_and_other_scripts_are_understood() throws Exception {
    Version version =
        read("\uFEFF\"user_id\",gender,age_band\r\n\"u,1\",\"a \"\"b\"\"\",二十代\r\n\r\nu2,f,x");
    assertThat(valuesOf(version, "u,1")).containsExactly("a \"b\"", "二十代");
    assertThat(valuesOf(version, "u2")).containsExactly("f", "x");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                                             | 1 | the file is empty",
        "user_id,gender,age_band                        | 1 | no row follows the header",
        "user_id,gender,age_band;;                      | 1 | no row follows the header",
        "user_id,gender;u1,f                            | 1 | lacks the column 'age_band'",
        "gender,age_band;f,x                            | 1 | lacks the column 'user_id'",
        "user_id,gender,gender,age_band;u1,f,f,x        | 1 | names the column 'gender' twice",
        "user_id,gender,age_band;u1,f,x;u2,f            | 3 | 2 fields where the header has 3",
        "user_id,gender,age_band;u1,f,x;u2,f,x,y        | 3 | 4 fields where the header has 3",
        "user_id,gender,age_band;u1,f,x;u2,m,x;u1,m,y   | 4 | user_id 'u1' stands in an earlier line",
        "user_id,gender,age_band;,f,x                   | 2 | user_id is empty",
        "user_id,gender,age_band;u1,f,x;u2,,x           | 3 | gender is empty",
        "user_id,gender,age_band;u1,f<TAB>,x            | 2 | gender holds the control character U+0009",
        "user_id,gender,age_band;u1,f,x<DEL>            | 2 | age_band holds the control character U+007F",
        "user_id,gender,age_band;u<NUL>,f,x             | 2 | user_id holds the control character U+0000",
        "user_id,gender,age_band;u1,f,x;u2,\"f;u3,m\",x  | 3 | gender holds the line break U+000A",
        "user_id,gender,age_band;\"u1;u2\",f,x          | 2 | user_id holds the line break U+000A",
        "note,user_id,gender,age_band;\"a;b\",u1,f,x    | 2 | note holds the line break U+000A",
        "user_id,gender,age_band;u1,\"f\"x,y            | 2 | is not CSV",
        "user_id,gender,age_band;u1,f,x;u2,\"f,x        | 3 | is not CSV",
        "user_id,gender,age_band;u1,f,x;u2,<FF>,x       | 3 | gender is not UTF-8",
        "user_id,gender,age<E9>_band;u1,f,x             | 1 | field 3 is not UTF-8",
      })
  void a_bad_file_is_refused_with_file_line_and_reason(String content, int line, String reason) {
    // Latin 1, so that the first two marks become bytes that are not UTF-8
    byte[] bytes =
        content
            .strip()
            .replace("<TAB>", "\t")
            .replace("<DEL>", "\u007F")
            .replace("<NUL>", "\0")
            .replace(';', '\n')
            .replace("<FF>", "\u00FF")
            .replace("<E9>", "\u00E9")
            .getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(BadVersionException.class)
        .hasMessageContaining("20260131T000000Z.csv")
        .hasMessageContaining("line " + line)
        .hasMessageContaining(reason);
  }

  @Test
  void two_stray_quotes_that_swallow_readers_are_refused_with_the_line_of_the_first() {
    StringBuilder content = new StringBuilder("user_id,gender,age_band\nu0,f,x\nu1,\"f,x\n");
    for (int i = 2; i < 50_000; i++) {
      content.append("u").append(i).append(",f,x\n");
    }
    content.append("u50000,f\",x\n");
    assertThatThrownBy(() -> read(content.toString()))
        .isInstanceOf(BadVersionException.class)
        .hasMessageContaining("line 3: gender holds the line break U+000A at its character 4")
        .hasMessageContaining("a stray quote");
  }

  @ParameterizedTest
  @CsvSource({
    "u1, 256, x, true",
    "u1, 257, x, false",
    "u1, 85, 日, true",
    "u1, 86, 日, false",
    "u1, 64, 😀, true",
    "u1, 65, 😀, false",
  })
  void a_value_may_have_256_bytes(String user, int times, String character, boolean accepted)
      throws Exception {
    String content = "user_id,gender,age_band\n" + user + ",f," + character.repeat(times) + "\n";
    if (accepted) {
      assertThat(read(content).users()).isEqualTo(1);
    } else {
      assertThatThrownBy(() -> read(content))
          .hasMessageContaining("line 2: age_band has")
          .hasMessageContaining("at most 256 are allowed");
    }
  }

  @Test
  void a_key_may_have_512_bytes_as_the_id_of_a_click() throws Exception {
    String header = "user_id,gender,age_band\n";
    assertThat(read(header + "x".repeat(512) + ",f,x\n").users()).isEqualTo(1);
    assertThatThrownBy(() -> read(header + "x".repeat(513) + ",f,x\n"))
        .hasMessageContaining("line 2: user_id has 513 bytes of UTF-8, at most 512 are allowed");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\u0085", "\u2028", "\u2029", "\r"})
  void line_breaks_of_all_kinds_are_refused(String lineBreak) {
    assertThatThrownBy(() -> read("user_id,gender,age_band\nu1,\"f" + lineBreak + "\",x\n"))
        .hasMessageContaining(
            "line 2: gender holds the line break U+%04X".formatted((int) lineBreak.charAt(0)));
  }

  @Test
  void a_column_that_no_table_reads_may_be_empty() throws Exception {
    assertThat(read("note,user_id,gender,age_band\n,u1,f,x\n").users()).isEqualTo(1);
  }

  @Test
  void a_file_in_another_encoding_is_refused() {
    byte[] bytes = "user_id,gender,age_band\nu1,f,x\n".getBytes(StandardCharsets.UTF_16);
    assertThatThrownBy(() -> read(bytes)).hasMessageContaining("line 1: field 1 is not UTF-8");
  }

  @Test
  void a_file_that_cannot_be_opened_is_not_called_bad() {
    assertThatThrownBy(() -> VersionReader.read(file(1), 0, settings()))
        .isInstanceOf(IOException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 1L << 50})
  void a_file_whose_size_is_listed_wrongly_is_read_whole(long size) throws Exception {
    int users = 50_000;
    read(rows(users));
    assertThat(VersionReader.read(file(size), 0, settings()).users()).isEqualTo(users);
  }

  @Test
  void a_row_leaves_nothing_to_the_garbage_collector_but_its_place_in_the_table() throws Exception {
    int users = 300_000;
    byte[] content = rows(users).getBytes(StandardCharsets.UTF_8);
    read(content); // loads the classes
    long before = THREADS.getCurrentThreadAllocatedBytes();
    VersionReader.read(file(content.length), 0, settings());
    long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertThat(bytes / users).isLessThan(60); // its place is 1.5 * 9, growing and trimming the rest
  }

  private Version read(String content) throws Exception {
    return read(content.getBytes(StandardCharsets.UTF_8));
  }

  private Version read(byte[] content) throws Exception {
    Files.write(directory.resolve("20260131T000000Z.csv"), content);
    return VersionReader.read(file(content.length), 0, settings());
  }

  private VersionFile file(long size) {
    return new VersionFile(
        new org.apache.flink.core.fs.Path(directory.resolve("20260131T000000Z.csv").toUri()),
        size,
        0);
  }

  private ReferenceSettings settings() {
    return new SegmentFiles(directory).settings(Duration.ZERO, null);
  }

  private static String rows(int users) {
    StringBuilder content = new StringBuilder("user_id,gender,age_band\n");
    for (int i = 0; i < users; i++) {
      content.append("user-%07d,%s,%d0s\n".formatted(i, i % 3 == 0 ? "f" : "m", i % 7));
    }
    return content.toString();
  }

  private static List<String> valuesOf(Version version, String user) {
    return Arrays.stream(version.find(new KeyHash().of(user))).map(StringData::toString).toList();
  }
}
