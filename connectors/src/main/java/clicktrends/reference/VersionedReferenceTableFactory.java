package clicktrends.reference;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.core.fs.Path;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;

/**
 * The connector {@code versioned-reference}: a lookup table whose rows depend on the time asked
 * for. Each version is a CSV file named after the time from which it holds, such as {@code
 * 20260131T000000Z.csv} (UTC); a lookup gives the row of the version with the greatest such time at
 * or before the as-of column.
 */
public final class VersionedReferenceTableFactory implements DynamicTableSourceFactory {
  static final String IDENTIFIER = "versioned-reference";

  static final ConfigOption<String> PATH =
      ConfigOptions.key("path")
          .stringType()
          .noDefaultValue()
          .withDescription("The directory of the versions, a URI or a plain local path.");

  static final ConfigOption<Duration> CHECK_INTERVAL =
      ConfigOptions.key("check-interval")
          .durationType()
          .defaultValue(Duration.ofSeconds(10))
          .withDescription(
              "How often the directory is listed for new versions; 0 reads it once, and fails if a"
                  + " version is refused.");

  static final ConfigOption<List<String>> CORRECTIONS =
      ConfigOptions.key("corrections")
          .stringType()
          .asList()
          .defaultValues()
          .withDescription(
              "URIs of files that are read in place of versions, each in a folder named after the"
                  + " version, as .../20260131T000000Z/0001.csv; separated by semicolons. A version"
                  + " whose file is missing cannot be read.");

  static final ConfigOption<Duration> HISTORY =
      ConfigOptions.key("history")
          .durationType()
          .noDefaultValue()
          .withDescription(
              "A version is dropped when its successor has been in force, by the clock of the"
                  + " machine, for longer than this; without it every version is kept. Leave it"
                  + " out when the clicks are older than this, as in a backfill.");

  @Override
  public String factoryIdentifier() {
    return IDENTIFIER;
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(PATH);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of(CORRECTIONS, CHECK_INTERVAL, HISTORY);
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
    helper.validate();
    ReadableConfig options = helper.getOptions();
    return new VersionedReferenceTableSource(
        context.getObjectIdentifier().getObjectName(),
        ReferenceColumns.of(
            context.getObjectIdentifier().asSummaryString(), context.getPhysicalRowDataType()),
        options.get(PATH),
        corrections(options.get(CORRECTIONS)),
        options.get(CHECK_INTERVAL),
        options.getOptional(HISTORY).orElse(null));
  }

  /** By the file name of the version that each stands for. Throws ValidationException. */
  private static Map<String, String> corrections(List<String> uris) {
    Map<String, String> found = new TreeMap<>();
    for (String uri : uris) {
      String name = new Path(uri).getParent().getName() + ".csv";
      if (VersionFile.validFromMillis(name).isEmpty() || found.put(name, uri) != null) {
        throw new ValidationException(
            "The option 'corrections' has "
                + uri
                + ", which is in no folder named like 20260131T000000Z, after the version that it"
                + " corrects, or is the second one of that version: name one of each version.");
      }
    }
    return found;
  }
}
