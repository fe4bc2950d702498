package clicktrends.reference;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.function.LongSupplier;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.LookupFunction;

/**
 * Finds the row of a user in the version that was in force at a time. A lookup takes no lock and
 * allocates the row it returns, nothing else.
 *
 * <p>Its gauges are in the metric group {@code KinesisAnalytics}, which Managed Service for Apache
 * Flink passes on to CloudWatch. Each name begins with the table's, for a table called segments
 * {@code segmentsUsers}. docs/reference/analytics.md says what to make of them.
 *
 * <ul>
 *   <li>{@code ...LoadedVersions}: versions in memory
 *   <li>{@code ...NewestVersionEpochSeconds}: the greatest valid_from of them; 0 without any
 *   <li>{@code ...Users}: users in the version in force now; 0 without any
 *   <li>{@code ...RefusedVersions}: files in the directory that are refused, for what they hold or
 *       for their names
 *   <li>{@code ...ShrunkenVersions}: versions with less than half of the users of the one before:
 *       ahead, in force, or past and not made up for by the one in force
 *   <li>{@code ...SecondsSinceCheck}: since a check of the directory last succeeded
 * </ul>
 */
public final class VersionedReferenceLookup extends LookupFunction {
  private static final long serialVersionUID = 1L;
  private static final int MILLISECONDS = 3;

  private final String table;
  private final ReferenceSettings settings;
  private final Layout layout;

  private transient SharedVersions shared;
  private transient KeyHash keyHash;
  private transient List<RowData> found;

  VersionedReferenceLookup(String table, ReferenceSettings settings, Layout layout) {
    this.table = table;
    this.settings = settings;
    this.layout = layout;
  }

  @Override
  public void open(FunctionContext context) throws Exception {
    found = Arrays.asList(new RowData[1]);
    keyHash = new KeyHash();
    shared = SharedVersions.acquire(settings);
    MetricGroup metrics = context.getMetricGroup().addGroup("KinesisAnalytics");
    SharedVersions source = shared; // a gauge may still be read after close()
    gauge(metrics, "LoadedVersions", () -> source.current().versions().count());
    gauge(metrics, "NewestVersionEpochSeconds", () -> newestEpochSeconds(source.current()));
    gauge(metrics, "Users", () -> usersInForce(source));
    gauge(metrics, "RefusedVersions", () -> source.current().refused().size());
    gauge(metrics, "ShrunkenVersions", () -> source.current().shrunken());
    gauge(metrics, "SecondsSinceCheck", () -> source.current().secondsSinceCheck(source.now()));
  }

  @Override
  public void close() {
    if (shared != null) {
      shared.release();
      shared = null;
    }
  }

  @Override
  public Collection<RowData> lookup(RowData keys) {
    if (keys.isNullAt(layout.keyInKeys()) || keys.isNullAt(layout.asOfInKeys())) {
      return Collections.emptyList();
    }
    TimestampData asOf = keys.getTimestamp(layout.asOfInKeys(), MILLISECONDS);
    Version version = shared.current().versions().inForceAt(asOf.getMillisecond());
    if (version == null) {
      return Collections.emptyList();
    }
    StringData key = keys.getString(layout.keyInKeys());
    StringData[] values = version.find(keyHash.of(key));
    if (values == null) {
      return Collections.emptyList();
    }
    found.set(0, layout.row(key, asOf, values));
    return found;
  }

  private void gauge(MetricGroup metrics, String what, LongSupplier value) {
    metrics.gauge(metricPrefix(table) + what, (Gauge<Long>) value::getAsLong);
  }

  /** The service requires names that follow the rules of Prometheus. */
  private static String metricPrefix(String table) {
    return table.replaceAll("[^A-Za-z0-9_]", "_");
  }

  private static long newestEpochSeconds(VersionDirectory.State state) {
    Version newest = state.versions().newest();
    return newest == null ? 0 : newest.validFromMillis() / 1000;
  }

  private static long usersInForce(SharedVersions source) {
    Version version = source.current().versions().inForceAt(source.now());
    return version == null ? 0 : version.users();
  }
}
