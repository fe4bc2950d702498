package clicktrends.reference;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.functions.FunctionContext;

/**
 * Loads one version with the given number of users and looks users up on one thread; prints one
 * line of JSON. {@code heap_mb_added} is what remains after garbage collection.
 *
 * <pre>
 * mvn -q -B test-compile dependency:build-classpath
 * java -cp target/classes:target/test-classes:$(cat target/test.classpath) \
 *     clicktrends.reference.SegmentsLoadBenchmark 5000000
 * </pre>
 */
public final class SegmentsLoadBenchmark {
  private static final int LOOKUPS = 20_000_000;
  private static final int KEYS = 1 << 18;
  private static final String[] GENDERS = {"f", "m", "x"};
  private static final int AGE_BANDS = 7;
  private static final int REGIONS = 47;
  private static final TimestampData AS_OF = TimestampData.fromEpochMillis(1_800_000_000_000L);

  private SegmentsLoadBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    int users = Integer.parseInt(arguments[0]);
    Path directory = Files.createTempDirectory("segments");
    Path file = directory.resolve("20260101T000000Z.csv");
    try {
      write(file, users);
      ReferenceSettings settings =
          new ReferenceSettings(
              directory.toString(),
              "user_id",
              List.of("gender", "age_band", "region"),
              Map.of(),
              Duration.ZERO,
              null);
      measure(users, settings);
    } finally {
      Files.delete(file);
      Files.delete(directory);
    }
  }

  private static void measure(int users, ReferenceSettings settings) throws Exception {
    Layout layout = new Layout(0, 4, new int[] {1, 2, 3}, 0);
    long heapBefore = heapBytes();
    long start = System.nanoTime();
    VersionedReferenceLookup lookup = new VersionedReferenceLookup("segments", settings, layout);
    lookup.open(new FunctionContext(null));
    double loadSeconds = (System.nanoTime() - start) / 1e9;
    double heapMegabytes = (heapBytes() - heapBefore) / 1e6;

    RowData[] keys = keys(users);
    lookUp(lookup, keys);
    start = System.nanoTime();
    int found = lookUp(lookup, keys);
    double lookupsPerSecond = LOOKUPS / ((System.nanoTime() - start) / 1e9);
    lookup.close();
    System.out.printf(
        Locale.ROOT,
        "{\"users\": %d, \"load_seconds\": %.2f, \"heap_mb_added\": %.1f,"
            + " \"lookups_per_second\": %.0f, \"found_share\": %.3f}%n",
        users,
        loadSeconds,
        heapMegabytes,
        lookupsPerSecond,
        (double) found / LOOKUPS);
  }

  private static int lookUp(VersionedReferenceLookup lookup, RowData[] keys) {
    int found = 0;
    for (int i = 0; i < LOOKUPS; i++) {
      found += lookup.lookup(keys[i & (KEYS - 1)]).size();
    }
    return found;
  }

  /** Users at random; one in eleven is unknown. */
  private static RowData[] keys(int users) {
    Random random = new Random(1);
    RowData[] keys = new RowData[KEYS];
    for (int i = 0; i < KEYS; i++) {
      BinaryStringData user =
          BinaryStringData.fromString(userId(random.nextInt(users + users / 10)));
      user.ensureMaterialized();
      keys[i] = GenericRowData.of(user, AS_OF);
    }
    return keys;
  }

  private static void write(Path file, int users) throws IOException {
    try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file))) {
      out.print("user_id,gender,age_band,region\n");
      for (int i = 0; i < users; i++) {
        int mixed = Integer.reverse(i * 0x9E3779B1) >>> 1;
        out.print(userId(i));
        out.print("," + GENDERS[mixed % GENDERS.length]);
        out.print(",age-" + mixed / 3 % AGE_BANDS);
        out.print(",JP-" + mixed / 21 % REGIONS + "\n");
      }
    }
  }

  private static String userId(int number) {
    return "user-" + Long.toHexString(0x1000_0000_0000L + number * 2_654_435_761L);
  }

  private static long heapBytes() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
