package clicktrends.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.data.RowData;
import org.junit.jupiter.api.Test;

class ReadMetricsTest {
  private final Registered registered = new Registered();

  @Test
  void clicks_unread_rests_and_aggregated_records_are_counted() throws Exception {
    DeserializationSchema<RowData> decoder =
        Decoders.opened(
            Decoders.flat(Decoders.textColumns("a"), false, true, NestedValues.NULL, "unparseable"),
            registered);
    Decoders.rows(decoder, "{}{\"a\":\"\\u0061\"}[{},{}]rest\n\nno\n".getBytes(UTF_8));
    Decoders.rows(decoder, Aggregates.of(List.of("{}".getBytes(UTF_8), "x".getBytes(UTF_8))));
    assertThat(registered.groups).containsExactly("KinesisAnalytics");
    assertThat(registered.counters.entrySet())
        .extracting(each -> each.getKey() + " " + each.getValue().getCount())
        .containsExactly("clicksAggregatedRecords 1", "clicksRead 5", "clicksUnparseable 3");
    assertThat(registered.gauges.keySet()).containsExactly("clicksUnparseablePercent");
  }

  @Test
  void the_share_is_that_of_the_bytes_of_the_last_full_minute() {
    AtomicLong seconds = new AtomicLong(-7);
    ReadMetrics metrics =
        new ReadMetrics(registered, "clicks", () -> seconds.get() * 1_000_000_000L);
    metrics.record(300_000, 300_000);
    assertThat(percent()).isZero();
    seconds.addAndGet(59);
    assertThat(percent()).isZero();
    metrics.record(100_000, 0);
    seconds.addAndGet(1);
    assertThat(percent()).isEqualTo(75);
    metrics.record(1_000_000, 0);
    assertThat(percent()).isEqualTo(75);
    seconds.addAndGet(61);
    assertThat(percent()).isZero();
    metrics.record(1_000_000, 10_000);
    seconds.addAndGet(200);
    assertThat(percent()).isEqualTo(1);
    seconds.addAndGet(60);
    assertThat(percent()).as("nothing was read").isZero();
  }

  @Test
  void a_minute_with_fewer_bytes_than_a_hundred_clicks_have_says_nothing() {
    AtomicLong seconds = new AtomicLong();
    ReadMetrics metrics =
        new ReadMetrics(registered, "clicks", () -> seconds.get() * 1_000_000_000L);
    metrics.record(29_999, 29_999);
    seconds.addAndGet(60);
    assertThat(percent()).isZero();
    metrics.record(30_000, 30_000);
    seconds.addAndGet(60);
    assertThat(percent()).isEqualTo(100);
  }

  @Test
  void a_name_begins_with_that_of_the_table_as_prometheus_takes_it() {
    assertThat(ReadMetrics.prefix("clicks")).isEqualTo("clicks");
    assertThat(ReadMetrics.prefix("web-clicks 日")).isEqualTo("web_clicks__");
  }

  private double percent() {
    return (Double) registered.gauges.get("clicksUnparseablePercent").getValue();
  }

  private static final class Registered extends UnregisteredMetricsGroup {
    private final List<String> groups = new java.util.ArrayList<>();
    private final Map<String, Counter> counters = new TreeMap<>();
    private final Map<String, Gauge<?>> gauges = new TreeMap<>();

    @Override
    public MetricGroup addGroup(String name) {
      groups.add(name);
      return this;
    }

    @Override
    public Counter counter(String name) {
      return counters.computeIfAbsent(name, each -> super.counter(each));
    }

    @Override
    public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
      gauges.put(name, gauge);
      return gauge;
    }
  }
}
