package clicktrends.reference;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;

/** The table that the planner sees: lookups only, no scan. */
record VersionedReferenceTableSource(
    String table,
    ReferenceColumns columns,
    String directory,
    Map<String, String> corrections,
    Duration checkInterval,
    Duration history)
    implements LookupTableSource {

  @Override
  public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
    // A key is a path into nested columns; this table has none, so each path has one step.
    int[] keys = Arrays.stream(context.getKeys()).mapToInt(path -> path[0]).toArray();
    Layout layout = columns.layout(keys);
    ReferenceSettings settings =
        new ReferenceSettings(
            directory,
            columns.names().get(layout.keyColumn()),
            IntStream.of(layout.valueColumns()).mapToObj(columns.names()::get).toList(),
            corrections,
            checkInterval,
            history);
    return LookupFunctionProvider.of(new VersionedReferenceLookup(table, settings, layout));
  }

  @Override
  public DynamicTableSource copy() {
    return this;
  }

  @Override
  public String asSummaryString() {
    return "versioned-reference(" + directory + ")";
  }
}
