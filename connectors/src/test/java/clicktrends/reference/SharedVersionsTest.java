package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedVersionsTest {
  private static final String GOOD = SegmentFiles.HEADER + "u1,f,25-34\n";

  @TempDir Path path;

  @Test
  void tasks_with_equal_settings_share_versions_until_the_last_one_leaves() throws Exception {
    SegmentFiles files = new SegmentFiles(path);
    files.publish("20260101T000000Z", GOOD);
    SharedVersions first = SharedVersions.acquire(files.settings(Duration.ofHours(1), null));
    SharedVersions second = SharedVersions.acquire(files.settings(Duration.ofHours(1), null));
    SharedVersions other = SharedVersions.acquire(files.settings(Duration.ofHours(2), null));
    assertThat(second).isSameAs(first);
    assertThat(other).isNotSameAs(first);
    assertThat(first.current().versions().count()).isEqualTo(1);

    first.release();
    SharedVersions third = SharedVersions.acquire(files.settings(Duration.ofHours(1), null));
    assertThat(third).isSameAs(second);
    other.release();
    await().untilAsserted(() -> assertThat(threads()).isEqualTo(1));

    second.release();
    third.release();
    await().untilAsserted(() -> assertThat(threads()).isZero());
    SharedVersions anew = SharedVersions.acquire(files.settings(Duration.ofHours(1), null));
    assertThat(anew).isNotSameAs(first);
    anew.release();
  }

  @Test
  void a_new_version_is_found_by_the_timer() throws Exception {
    SegmentFiles files = new SegmentFiles(path);
    SharedVersions shared = SharedVersions.acquire(files.settings(Duration.ofMillis(20), null));
    try {
      assertThat(shared.current().versions().count()).isZero();
      files.publish("20260101T000000Z", GOOD);
      await().until(() -> shared.current().versions().count() == 1);
    } finally {
      shared.release();
    }
  }

  @Test
  void the_first_load_survives_a_passing_failure() throws Exception {
    new SegmentFiles(path).publish("20260101T000000Z", GOOD);
    UnreliableFileSystemFactory.FAILURES_LEFT.set(1);
    SharedVersions shared = SharedVersions.acquire(unreliable(Duration.ZERO));
    assertThat(shared.current().versions().count()).isEqualTo(1);
    shared.release();
  }

  @Test
  void the_first_load_fails_clearly_when_the_failure_lasts() throws Exception {
    UnreliableFileSystemFactory.FAILURES_LEFT.set(4);
    assertThatThrownBy(() -> SharedVersions.acquire(unreliable(Duration.ZERO)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Cannot read the versions in unreliable:")
        .hasMessageContaining("after 4 attempts: 503 Slow Down")
        .hasMessageContaining("Check that the job's role may list");

    SharedVersions.acquire(unreliable(Duration.ZERO)).release();
  }

  @Test
  void a_table_that_is_read_once_fails_where_a_version_is_refused() throws Exception {
    SegmentFiles files = new SegmentFiles(path);
    files.publish("20260101T000000Z", GOOD);
    files.publish("20260102T000000Z", SegmentFiles.HEADER + "u1;f;25-34\n");
    Files.writeString(path.resolve("2026-01-31T00:00:00Z.csv"), GOOD);
    assertThatThrownBy(() -> SharedVersions.acquire(files.settings(Duration.ZERO, null)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("20260102T000000Z.csv, line 2: 1 fields where the header has 3")
        .hasMessageContaining("'2026-01-31T00:00:00Z.csv' is no file named like")
        .hasMessageContaining("Correct it, or take it out of the directory");
    SharedVersions again = SharedVersions.acquire(files.settings(Duration.ofHours(1), null));
    assertThat(again.current().versions().count()).isEqualTo(1);
    again.release();
  }

  @Test
  void of_many_refused_versions_the_first_are_named() throws Exception {
    for (int i = 0; i < 7; i++) {
      Files.writeString(path.resolve("readme-" + i), "x");
    }
    ReferenceSettings settings = new SegmentFiles(path).settings(Duration.ZERO, null);
    assertThatThrownBy(() -> SharedVersions.acquire(settings))
        .hasMessageContainingAll("readme-0", "readme-4", "(and 2 more)")
        .hasMessageNotContaining("readme-5");
  }

  @Test
  void a_later_failure_is_logged_and_the_next_check_tries_again() throws Exception {
    SharedVersions shared = SharedVersions.acquire(unreliable(Duration.ofMillis(20)));
    try (LogCapture log = new LogCapture(SharedVersions.class)) {
      UnreliableFileSystemFactory.FAILURES_LEFT.set(1);
      await().until(() -> !log.messages(Level.ERROR).isEmpty());
      new SegmentFiles(path).publish("20260101T000000Z", GOOD);
      await().until(() -> shared.current().versions().count() == 1);
    } finally {
      shared.release();
    }
  }

  private ReferenceSettings unreliable(Duration checkInterval) {
    return SegmentFiles.settings("unreliable://" + path, checkInterval, null);
  }

  private long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("versioned-reference " + path))
        .count();
  }
}
