package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VersionDirectoryTest {
  private static final String GOOD = SegmentFiles.HEADER + "u1,f,25-34\n";
  private static final String BAD = SegmentFiles.HEADER + "u1,f\n";

  @TempDir Path path;
  private final MovingClock clock = new MovingClock("2026-01-10T00:00:00Z");
  private LogCapture log;
  private SegmentFiles files;
  private VersionDirectory directory;

  @BeforeEach
  void openDirectory() {
    log = new LogCapture(VersionDirectory.class);
    files = new SegmentFiles(path);
    directory = new VersionDirectory(files.settings(Duration.ZERO, null), clock);
  }

  @AfterEach
  void closeLog() {
    log.close();
  }

  @Test
  void each_version_serves_its_own_time() throws Exception {
    files.publish("20260101T000000Z", SegmentFiles.HEADER + "u1,f,25-34\nu2,m,25-34\n");
    files.publish("20260102T000000Z", SegmentFiles.HEADER + "u1,f,35-44\n");
    files.publish("20270101T000000Z", SegmentFiles.HEADER + "u1,f,45-54\n");
    directory.check();
    assertThat(ageBand("u1", "2025-12-31T23:59:59.999Z")).isNull();
    assertThat(ageBand("u1", "2026-01-01T00:00:00Z")).isEqualTo("25-34");
    assertThat(ageBand("u1", "2026-01-01T23:59:59.999Z")).isEqualTo("25-34");
    assertThat(ageBand("u1", "2026-01-02T00:00:00Z")).isEqualTo("35-44");
    assertThat(ageBand("u2", "2026-01-02T00:00:00Z")).isNull();
    assertThat(ageBand("u1", "2027-01-01T00:00:00Z")).isEqualTo("45-54");
  }

  @Test
  void a_bad_version_is_refused_and_the_last_good_one_stays_in_force() throws Exception {
    files.publish("20260101T000000Z", GOOD);
    directory.check();
    files.publish("20260102T000000Z", BAD);
    directory.check();
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
    assertThat(directory.current().refused()).hasSize(1);
    assertThat(log.messages(Level.ERROR))
        .singleElement()
        .asString()
        .contains(
            "20260102T000000Z.csv, line 2: 2 fields",
            "last good version, if any, stays in force",
            "under a later valid_from")
        .doesNotContain("same name");
  }

  @Test
  void a_version_without_rows_is_refused_and_readers_keep_their_segments() throws Exception {
    files.publish("20260101T000000Z", GOOD);
    files.publish("20260102T000000Z", SegmentFiles.HEADER);
    directory.check();
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
    assertThat(directory.current().refused())
        .singleElement()
        .asString()
        .contains("20260102T000000Z.csv, line 1: no row follows the header");
  }

  @Test
  void a_refused_version_is_read_again_only_when_it_has_changed() throws Exception {
    files.publish("20260102T000000Z", BAD);
    directory.check();
    directory.check();
    assertThat(log.messages(Level.ERROR)).hasSize(1);

    Path file = path.resolve("20260102T000000Z.csv");
    Files.setLastModifiedTime(file, FileTime.from(Instant.parse("2026-01-09T00:00:00Z")));
    directory.check();
    assertThat(log.messages(Level.ERROR)).hasSize(2);

    files.publish("20260102T000000Z", GOOD);
    directory.check();
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
    assertThat(directory.current().refused()).isEmpty();
  }

  @Test
  void a_refused_version_that_is_deleted_counts_no_more() throws Exception {
    Path file = files.publish("20260102T000000Z", BAD);
    directory.check();
    Files.delete(file);
    directory.check();
    assertThat(directory.current().refused()).isEmpty();
  }

  @Test
  void a_loaded_version_is_never_read_again() throws Exception {
    files.publish("20260101T000000Z", GOOD);
    directory.check();
    files.publish("20260101T000000Z", SegmentFiles.HEADER + "u1,f,a longer value\n");
    directory.check();
    directory.check();
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
    assertThat(log.messages(Level.WARN))
        .singleElement()
        .asString()
        .contains("20260101T000000Z.csv was written again", "immutable", "later valid_from");
  }

  @Test
  void a_loaded_version_whose_file_is_deleted_stays() throws Exception {
    Path file = files.publish("20260101T000000Z", GOOD);
    directory.check();
    Files.delete(file);
    directory.check();
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
  }

  @Test
  void a_version_is_dropped_when_its_successor_is_older_than_the_history() throws Exception {
    directory = new VersionDirectory(files.settings(Duration.ZERO, Duration.ofHours(26)), clock);
    files.publish("20260101T000000Z", BAD); // far past: must not even be read
    files.publish("20260108T000000Z", GOOD);
    files.publish("20260109T000000Z", GOOD);
    clock.moveTo("2026-01-10T02:00:00Z");
    directory.check();
    assertThat(directory.current().versions().count()).isEqualTo(2);
    assertThat(ageBand("u1", "2026-01-08T12:00:00Z")).isEqualTo("25-34");

    clock.moveTo("2026-01-10T02:00:00.001Z");
    directory.check();
    directory.check();
    assertThat(directory.current().versions().count()).isEqualTo(1);
    assertThat(ageBand("u1", "2026-01-08T12:00:00Z")).isNull();
    assertThat(ageBand("u1", "2026-01-09T00:00:00Z")).isEqualTo("25-34");
  }

  @Test
  void a_bad_successor_drops_nothing() throws Exception {
    directory = new VersionDirectory(files.settings(Duration.ZERO, Duration.ofHours(1)), clock);
    files.publish("20260101T000000Z", GOOD);
    files.publish("20260102T000000Z", BAD);
    directory.check();
    assertThat(ageBand("u1", "2026-01-09T00:00:00Z")).isEqualTo("25-34");
  }

  @Test
  void without_history_every_version_is_kept() throws Exception {
    for (String year : new String[] {"1999", "2010", "2026"}) {
      files.publish(year + "0101T000000Z", GOOD);
    }
    directory.check();
    assertThat(directory.current().versions().count()).isEqualTo(3);
  }

  @Test
  void a_missing_directory_means_no_versions_yet() throws Exception {
    Path later = path.resolve("later");
    directory =
        new VersionDirectory(
            SegmentFiles.settings(later.toUri().toString(), Duration.ZERO, null), clock);
    directory.check();
    directory.check();
    assertThat(directory.current().versions().count()).isZero();
    assertThat(log.messages(Level.WARN)).singleElement().asString().contains("does not exist");

    Files.createDirectory(later);
    new SegmentFiles(later).publish("20260101T000000Z", GOOD);
    directory.check();
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-01-31T00:00:00Z.csv",
        ":",
        "a b.csv",
        "%zz%20.csv",
        "二月 🗾.csv",
        "20260131T000000Z (1).csv",
        "line\nbreak.csv",
        "readme.txt",
      })
  void any_other_name_is_refused_with_one_word_and_its_neighbours_serve(String name)
      throws Exception {
    Path other = Files.writeString(path.resolve(name), GOOD);
    files.publish("20260101T000000Z", GOOD);
    directory.check();
    directory.check();
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
    String shown = "'" + name.replace('\n', '\uFFFD') + "' is no file named like";
    assertThat(directory.current().refused()).singleElement().asString().contains(shown);
    assertThat(log.messages(Level.ERROR)).singleElement().asString().contains(shown);

    Files.delete(other);
    directory.check();
    assertThat(directory.current().refused()).isEmpty();
  }

  @Test
  void a_very_long_name_a_folder_and_a_link_to_nothing_are_refused() throws Exception {
    Files.writeString(path.resolve("x".repeat(251) + ".csv"), GOOD);
    Files.createDirectory(path.resolve("20260101T000000Z.csv"));
    Files.createSymbolicLink(path.resolve("20260102T000000Z.csv"), path.resolve("nothing"));
    files.publish("20260103T000000Z", GOOD);
    directory.check();
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
    assertThat(directory.current().refused()).hasSize(3);
  }

  @Test
  void hidden_names_are_passed_over() throws Exception {
    for (String name : new String[] {".20260101T000000Z.csv", "_temporary"}) {
      Files.writeString(path.resolve(name), "x");
    }
    directory.check();
    assertThat(directory.current().refused()).isEmpty();
    assertThat(log.messages(Level.ERROR)).isEmpty();
  }

  @Test
  void a_path_that_is_no_directory_cannot_be_read_and_is_not_called_missing() throws Exception {
    Path file = Files.writeString(path.resolve("segments"), "x");
    directory =
        new VersionDirectory(SegmentFiles.settings(file.toString(), Duration.ZERO, null), clock);
    assertThatThrownBy(directory::check)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is no directory, or may not be listed");
  }

  @Test
  void a_name_of_which_the_file_system_makes_no_path_fails_the_check_and_keeps_what_is_loaded()
      throws Exception {
    directory =
        new VersionDirectory(
            SegmentFiles.settings("unreliable://" + path, Duration.ZERO, null), clock);
    files.publish("20260101T000000Z", GOOD);
    directory.check();
    Files.writeString(path.resolve("2026-01-31T00:00:00Z.csv"), GOOD);
    assertThatThrownBy(directory::check)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("holds a name that cannot be a path; rename or delete it")
        .hasMessageContaining("2026-01-31T00:00:00Z.csv");
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
  }

  @Test
  void a_failed_check_keeps_what_is_loaded_and_the_check_grows_older() throws Exception {
    directory =
        new VersionDirectory(
            SegmentFiles.settings("unreliable://" + path, Duration.ZERO, null), clock);
    files.publish("20260101T000000Z", GOOD);
    directory.check();
    assertThat(secondsSinceCheck()).isZero();

    clock.moveTo("2026-01-11T00:00:00Z");
    UnreliableFileSystemFactory.FAILURES_LEFT.set(1);
    assertThatThrownBy(directory::check).isInstanceOf(IOException.class);
    assertThat(ageBand("u1", "2026-01-03T00:00:00Z")).isEqualTo("25-34");
    assertThat(secondsSinceCheck()).isEqualTo(86_400);

    directory.check();
    assertThat(secondsSinceCheck()).isZero();
  }

  @Test
  void before_the_first_check_its_age_counts_from_the_opening() {
    clock.moveTo("2026-01-10T00:01:30Z");
    assertThat(secondsSinceCheck()).isEqualTo(90);
  }

  @Test
  void a_version_with_less_than_half_of_the_users_is_loaded_logged_once_and_counted()
      throws Exception {
    files.publish("20260101T000000Z", SegmentFiles.HEADER + "u1,f,x\nu2,f,x\nu3,f,x\nu4,f,x\n");
    files.publish("20260102T000000Z", SegmentFiles.HEADER + "u1,f,x\nu2,f,x\nu3,f,x\n");
    directory.check();
    assertThat(directory.current().shrunken()).isZero();

    files.publish("20260103T000000Z", SegmentFiles.HEADER + "u1,f,x\n");
    directory.check();
    directory.check();
    assertThat(directory.current().shrunken()).isEqualTo(1);
    assertThat(directory.current().refused()).isEmpty();
    assertThat(directory.current().versions().count()).isEqualTo(3);
    assertThat(log.messages(Level.WARN))
        .singleElement()
        .asString()
        .contains("20260103T000000Z.csv has 1 users where 20260102T000000Z.csv before it has 3");
  }

  @Test
  void a_shrunken_version_counts_no_more_when_the_one_before_is_past_the_history()
      throws Exception {
    directory = new VersionDirectory(files.settings(Duration.ZERO, Duration.ofHours(1)), clock);
    files.publish("20260109T000000Z", SegmentFiles.HEADER + "u1,f,x\nu2,f,x\nu3,f,x\n");
    files.publish("20260110T000000Z", SegmentFiles.HEADER + "u1,f,x\n");
    directory.check();
    assertThat(directory.current().shrunken()).isEqualTo(1);
    clock.moveTo("2026-01-10T02:00:00Z");
    directory.check();
    assertThat(directory.current().shrunken()).isZero();
  }

  @Test
  void a_shrunken_version_counts_no_more_when_a_complete_one_takes_its_place() throws Exception {
    files.publish("20260109T000000Z", SegmentFiles.HEADER + "u1,f,x\nu2,f,x\nu3,f,x\n");
    files.publish("20260110T000000Z", SegmentFiles.HEADER + "u1,f,x\n");
    files.publish("20260110T040000Z", SegmentFiles.HEADER + "u1,f,x\nu2,f,x\nu3,f,x\n");
    clock.moveTo("2026-01-10T02:00:00Z");
    directory.check();
    assertThat(directory.current().shrunken()).isEqualTo(1);
    clock.moveTo("2026-01-10T04:00:00Z");
    directory.check();
    assertThat(directory.current().shrunken()).isZero();
  }

  @Test
  void a_shrunken_version_counts_on_while_the_next_is_as_small() throws Exception {
    files.publish("20260109T000000Z", SegmentFiles.HEADER + "u1,f,x\nu2,f,x\nu3,f,x\n");
    files.publish("20260110T000000Z", SegmentFiles.HEADER + "u1,f,x\n");
    files.publish("20260110T040000Z", SegmentFiles.HEADER + "u2,f,x\n");
    clock.moveTo("2026-01-10T05:00:00Z");
    directory.check();
    assertThat(directory.current().shrunken()).isEqualTo(1);
  }

  @Test
  void a_shrunken_version_that_is_still_ahead_counts_already() throws Exception {
    files.publish("20260110T000000Z", SegmentFiles.HEADER + "u1,f,x\nu2,f,x\nu3,f,x\n");
    files.publish("20260110T040000Z", SegmentFiles.HEADER + "u1,f,x\n");
    clock.moveTo("2026-01-10T02:00:00Z");
    directory.check();
    assertThat(directory.current().shrunken()).isEqualTo(1);
  }

  private long secondsSinceCheck() {
    return directory.current().secondsSinceCheck(clock.millis());
  }

  private String ageBand(String user, String asOf) {
    Version version = directory.current().versions().inForceAt(Instant.parse(asOf).toEpochMilli());
    StringData[] values = version == null ? null : version.find(new KeyHash().of(user));
    return values == null ? null : values[1].toString();
  }
}
