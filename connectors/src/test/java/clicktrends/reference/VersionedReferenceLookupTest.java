package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.FunctionContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VersionedReferenceLookupTest {
  @TempDir Path path;
  private final Map<String, Object> gauges = new HashMap<>();
  private VersionedReferenceLookup lookup;

  @BeforeEach
  void openLookup() throws Exception {
    SegmentFiles files = new SegmentFiles(path);
    files.publish("20260101T000000Z", SegmentFiles.HEADER + "u1,f,25-34\nu2,m,35-44\n");
    files.publish("20990101T000000Z", SegmentFiles.HEADER + "u1,f,99\n");
    files.publish("20260102T000000Z", "nonsense");
    // The table's columns: gender, as_of, user_id, age_band; the lookup's keys: as_of, user_id
    Layout layout = new Layout(2, 1, new int[] {0, 3}, 1);
    lookup =
        new VersionedReferenceLookup("segments", files.settings(Duration.ofHours(1), null), layout);
    lookup.open(new RecordingContext());
  }

  @AfterEach
  void closeLookup() {
    lookup.close();
  }

  @Test
  void a_row_repeats_the_keys_and_gives_the_values() {
    TimestampData asOf = TimestampData.fromInstant(Instant.parse("2026-02-03T04:05:06.789Z"));
    assertThat(lookup.lookup(GenericRowData.of(asOf, StringData.fromString("u2"))))
        .containsExactly(
            GenericRowData.of(
                StringData.fromString("m"),
                asOf,
                StringData.fromString("u2"),
                StringData.fromString("35-44")));
  }

  @Test
  void an_unknown_user_a_null_key_and_a_time_before_all_versions_have_no_row() {
    TimestampData asOf = TimestampData.fromInstant(Instant.parse("2026-02-03T00:00:00Z"));
    TimestampData early = TimestampData.fromInstant(Instant.parse("2025-12-31T23:59:59.999Z"));
    StringData user = StringData.fromString("u2");
    assertThat(lookup.lookup(GenericRowData.of(asOf, StringData.fromString("u3")))).isEmpty();
    assertThat(lookup.lookup(GenericRowData.of(null, user))).isEmpty();
    assertThat(lookup.lookup(GenericRowData.of(asOf, null))).isEmpty();
    assertThat(lookup.lookup(GenericRowData.of(early, user))).isEmpty();
  }

  @Test
  void an_older_version_does_not_fill_in_for_the_one_in_force() {
    RowData keys =
        GenericRowData.of(
            TimestampData.fromInstant(Instant.parse("2099-01-01T00:00:00Z")),
            StringData.fromString("u2"));
    assertThat(lookup.lookup(keys)).isEmpty();
  }

  @Test
  void a_lookup_allocates_its_row_and_nothing_else() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    TimestampData asOf = TimestampData.fromInstant(Instant.parse("2026-02-03T00:00:00Z"));
    RowData keys = GenericRowData.of(asOf, StringData.fromString("u2"));
    IntStream.range(0, 20_000).forEach(i -> lookup.lookup(keys));

    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < 10_000; i++) {
      lookup.lookup(keys);
    }
    long perLookup = (threads.getCurrentThreadAllocatedBytes() - before) / 10_000;
    // GenericRowData: 24 bytes, and an array of 4 references: 32 (48 without compression)
    assertThat(perLookup).isLessThanOrEqualTo(24 + 48);
  }

  @Test
  void gauges_tell_what_is_loaded() {
    assertThat(gauges)
        .containsEntry("segmentsLoadedVersions", 2L)
        .containsEntry(
            "segmentsNewestVersionEpochSeconds",
            Instant.parse("2099-01-01T00:00:00Z").getEpochSecond())
        .containsEntry("segmentsUsers", 2L)
        .containsEntry("segmentsRefusedVersions", 1L)
        .containsEntry("segmentsShrunkenVersions", 0L)
        .hasEntrySatisfying(
            "segmentsSecondsSinceCheck", seconds -> assertThat((long) seconds).isBetween(0L, 60L));
  }

  @Test
  void closing_twice_releases_once() throws Exception {
    SharedVersions before =
        SharedVersions.acquire(new SegmentFiles(path).settings(Duration.ofHours(1), null));
    before.release();
    VersionedReferenceLookup second =
        new VersionedReferenceLookup(
            "segments",
            new SegmentFiles(path).settings(Duration.ofHours(1), null),
            new Layout(2, 1, new int[] {0, 3}, 1));
    second.open(new RecordingContext());
    second.close();
    second.close();
    TimestampData asOf = TimestampData.fromInstant(Instant.parse("2026-02-03T00:00:00Z"));
    assertThat(lookup.lookup(GenericRowData.of(asOf, StringData.fromString("u2")))).hasSize(1);
    assertThat(SharedVersions.acquire(new SegmentFiles(path).settings(Duration.ofHours(1), null)))
        .isSameAs(before);
  }

  /** Reads each gauge once, when it is registered. */
  private final class RecordingContext extends FunctionContext {
    RecordingContext() {
      super(null);
    }

    @Override
    public MetricGroup getMetricGroup() {
      return new UnregisteredMetricsGroup() {
        @Override
        public MetricGroup addGroup(String name) {
          assertThat(name).isEqualTo("KinesisAnalytics");
          return this;
        }

        @Override
        public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
          gauges.putIfAbsent(name, gauge.getValue());
          return gauge;
        }
      };
    }
  }
}
