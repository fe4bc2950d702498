package clicktrends.json;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/**
 * What a decoder has read, in the metric group {@code KinesisAnalytics}. Each name begins with the
 * table's, for a table called clicks {@code clicksRead}. docs/reference/metrics.md lists them.
 *
 * <ul>
 *   <li>{@code ...Read}: objects, each a row
 *   <li>{@code ...Unparseable}: lines whose rest was not read
 *   <li>{@code ...AggregatedRecords}: records that the Kinesis Producer Library had aggregated
 *   <li>{@code ...UnparseablePercent}: of the bytes read in the last full minute, those in such
 *       rests; 0 of fewer than 30,000 bytes, as a hundred clicks have. It is taken when it is asked
 *       for, so with a rarer report a minute is longer
 * </ul>
 *
 * <p>Managed Service for Apache Flink "reports all metrics created with the group key
 * KinesisAnalytics to CloudWatch", at the level Application by default; the other groups that a
 * metric is in "are published as CloudWatch dimensions"
 * (https://docs.aws.amazon.com/managed-flink/latest/java/monitoring-metrics-custom.html). The
 * Kinesis source opens a decoder in the group {@code deserializer} of its operator
 * (KinesisStreamsSource.setUpDeserializationSchema), so a dimension may stand beside {@code
 * Application}: a Metrics Insights query finds a metric under any set of dimensions. Sources of
 * files pass on no metric.
 */
final class ReadMetrics {
  private static final long MINUTE_NANOS = 60_000_000_000L;

  /** In less, a few clicks would be a large share. */
  private static final long MIN_BYTES = 30_000;

  private final LongSupplier nanoTime;
  private final Counter clicks;
  private final Counter unparseable;
  private final Counter aggregatedRecords;

  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong unreadBytes = new AtomicLong();

  private long minuteBegan;
  private long bytesBefore;
  private long unreadBytesBefore;
  private double percent;

  ReadMetrics(MetricGroup metrics, String prefix, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.minuteBegan = nanoTime.getAsLong();
    MetricGroup group = metrics.addGroup("KinesisAnalytics");
    clicks = group.counter(prefix + "Read");
    unparseable = group.counter(prefix + "Unparseable");
    aggregatedRecords = group.counter(prefix + "AggregatedRecords");
    group.gauge(prefix + "UnparseablePercent", (Gauge<Double>) this::percentOfLastMinute);
  }

  /** The service requires names that follow the rules of Prometheus. */
  static String prefix(String table) {
    return table.replaceAll("[^A-Za-z0-9_]", "_");
  }

  void click() {
    clicks.inc();
  }

  void clicks(int number) {
    clicks.inc(number);
  }

  void unparseable() {
    unparseable.inc();
  }

  void aggregatedRecord() {
    aggregatedRecords.inc();
  }

  /** Called by one thread at the end of each record; another one reads the gauge. */
  void record(int read, int unread) {
    bytes.setRelease(bytes.getPlain() + read);
    if (unread > 0) {
      unreadBytes.setRelease(unreadBytes.getPlain() + unread);
    }
  }

  private synchronized double percentOfLastMinute() {
    long now = nanoTime.getAsLong();
    if (now - minuteBegan >= MINUTE_NANOS) {
      long unread = unreadBytes.getAcquire(); // first: never more than the bytes below
      long read = bytes.getAcquire();
      percent =
          read - bytesBefore < MIN_BYTES
              ? 0
              : 100.0 * (unread - unreadBytesBefore) / (read - bytesBefore);
      minuteBegan = now;
      bytesBefore = read;
      unreadBytesBefore = unread;
    }
    return percent;
  }
}
