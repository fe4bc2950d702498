package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CorrectedVersionTest {
  private static final String FAULTY = "20260101T000000Z";
  private static final String NEXT = "20260103T000000Z";
  private static final String DURING = "2026-01-02T00:00:00Z";
  private static final String AFTER = "2026-01-04T00:00:00Z";

  @TempDir Path path;
  private final MovingClock clock = new MovingClock("2026-01-10T00:00:00Z");
  private LogCapture log;
  private SegmentFiles files;

  @BeforeEach
  void publishTwoVersions() throws IOException {
    log = new LogCapture(VersionDirectory.class);
    files = new SegmentFiles(path);
    files.publish("20251231T000000Z", SegmentFiles.HEADER + "u1,f,before\nu2,f,before\n");
    files.publish(FAULTY, SegmentFiles.HEADER + "u1,f,wrong\nu2,f,wrong\n");
    files.publish(NEXT, SegmentFiles.HEADER + "u1,f,next\nu2,f,next\n");
  }

  @AfterEach
  void closeLog() {
    log.close();
  }

  @Test
  void a_correction_is_read_in_place_of_its_version_and_of_no_other() throws Exception {
    VersionDirectory directory = corrected(SegmentFiles.HEADER + "u1,f,right\nu3,f,right\n");
    directory.check();
    directory.check();
    assertThat(ageBand(directory, "u1", DURING)).isEqualTo("right");
    assertThat(ageBand(directory, "u2", DURING)).isNull();
    assertThat(ageBand(directory, "u3", DURING)).isEqualTo("right");
    assertThat(ageBand(directory, "u1", AFTER)).isEqualTo("next");
    assertThat(ageBand(directory, "u3", AFTER)).isNull();
    assertThat(directory.current().refused()).isEmpty();
    assertThat(log.messages(Level.WARN)).isEmpty();
  }

  @Test
  void a_correction_that_is_added_later_is_not_read_until_the_settings_name_it() throws Exception {
    VersionDirectory directory = new VersionDirectory(files.reading(Map.of()), clock);
    directory.check();
    files.correct(FAULTY, SegmentFiles.HEADER + "u1,f,right\n");
    directory.check();
    assertThat(ageBand(directory, "u1", DURING)).isEqualTo("wrong");
    VersionDirectory restarted = new VersionDirectory(files.reading(Map.of()), clock);
    restarted.check();
    assertThat(ageBand(restarted, "u1", DURING)).isEqualTo("wrong");
  }

  @ParameterizedTest
  @ValueSource(strings = {"missing", SegmentFiles.HEADER + "u1,f\n", ""})
  void a_version_is_never_read_where_its_correction_cannot_be(String content) throws Exception {
    ReferenceSettings settings = files.correct(FAULTY, content);
    if (content.equals("missing")) {
      Files.delete(Path.of(settings.corrections().get(FAULTY + ".csv")));
    }
    VersionDirectory directory = new VersionDirectory(settings, clock);
    assertThatThrownBy(directory::check)
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll("0001.csv, to be read in place of", FAULTY + ".csv");
    assertThatThrownBy(directory::check).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> SharedVersions.acquire(settings)).isInstanceOf(IOException.class);
    files.correct(FAULTY, SegmentFiles.HEADER + "u1,f,right\n");
    directory.check();
    assertThat(ageBand(directory, "u1", DURING)).isEqualTo("right");
  }

  @Test
  void a_correction_of_a_version_that_is_gone_is_ignored() throws Exception {
    ReferenceSettings settings = files.correct(FAULTY, SegmentFiles.HEADER + "u1,f,right\n");
    Files.delete(Path.of(settings.corrections().get(FAULTY + ".csv")));
    Files.delete(path.resolve(FAULTY + ".csv"));
    VersionDirectory directory = new VersionDirectory(settings, clock);
    directory.check();
    assertThat(ageBand(directory, "u1", DURING)).isEqualTo("before");
  }

  @Test
  void what_was_loaded_stays_when_the_correction_goes_or_its_version_is_written_again()
      throws Exception {
    VersionDirectory directory = corrected(SegmentFiles.HEADER + "u1,f,right\n");
    directory.check();
    Files.delete(path.resolve(".corrections").resolve(FAULTY).resolve("0001.csv"));
    Files.setLastModifiedTime(
        path.resolve(FAULTY + ".csv"), FileTime.from(Instant.parse("2026-01-09T00:00:00Z")));
    directory.check();
    assertThat(ageBand(directory, "u1", DURING)).isEqualTo("right");
    assertThat(log.messages(Level.WARN)).singleElement().asString().contains("written again");
  }

  private VersionDirectory corrected(String content) throws IOException {
    return new VersionDirectory(files.correct(FAULTY, content), clock);
  }

  private static String ageBand(VersionDirectory directory, String user, String asOf) {
    Version version = directory.current().versions().inForceAt(Instant.parse(asOf).toEpochMilli());
    StringData[] values = version == null ? null : version.find(new KeyHash().of(user));
    return values == null ? null : values[1].toString();
  }
}
