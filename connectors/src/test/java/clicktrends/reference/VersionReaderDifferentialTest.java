package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read, and every word of a refusal, are those of {@link VersionOfStrings}. */
class VersionReaderDifferentialTest {
  private static final int FILES = 1_500;
  private static final String[] HEADERS = {
    "user_id,gender,age_band", "age_band,note,user_id,gender", "gender,user_id,note,age_band,note"
  };
  private static final String[] PIECES = {
    "a", "b-2", "日本", "é", "😀", " ", "x".repeat(90), "\"", ",", "'", "#", "\t", "\n", "\u2028"
  };
  private static final byte[][] DAMAGE = {
    {'"'},
    {','},
    {'\n'},
    {'\r'},
    {'\r', '\n'},
    {0},
    {(byte) 0xFF},
    {(byte) 0xE3},
    {(byte) 0xC2},
    {(byte) 0xED, (byte) 0xA0, (byte) 0x80},
    {'"', '"'},
    {'"', ','},
    {'\n', '\n'},
    {}
  };
  private static final int HARMLESS_PIECES = 7;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.02, 0.3})
  void files_whole_and_damaged_are_read_and_refused_the_same(double damaged) throws Exception {
    Random random = new Random(7);
    Map<Boolean, Integer> outcomes = new HashMap<>();
    for (int i = 0; i < FILES; i++) {
      byte[] content = file(random, random.nextInt(40));
      while (random.nextDouble() < damaged * 2 && content.length > 0) {
        content = damage(content, random);
      }
      outcomes.merge(isAcceptedTheSame(content), 1, Integer::sum);
    }
    assertThat(outcomes.get(true)).as("accepted").isGreaterThan(FILES / 10);
    assertThat(outcomes.get(false)).as("refused").isGreaterThan(FILES / 10);
  }

  @Test
  void more_fields_or_characters_than_fastcsv_allows_are_refused_with_its_words() throws Exception {
    String rows = "user_id,gender,age_band\nu1,f,x\n";
    assertThat(isAcceptedTheSame((rows + "u2" + ",f".repeat(16_383) + "\n").getBytes())).isFalse();
    assertThat(isAcceptedTheSame((rows + "u2" + ",f".repeat(16_384) + "\n").getBytes())).isFalse();
    String half = "y".repeat(14_000_000);
    assertThat(isAcceptedTheSame((rows + (half + ",").repeat(4) + "\n").getBytes())).isFalse();
    assertThat(isAcceptedTheSame((rows + (half + ",").repeat(5) + "\n").getBytes())).isFalse();
    assertThat(isAcceptedTheSame((rows + "z".repeat(17_000_000) + ",f,x\n").getBytes())).isFalse();
  }

  /** Whether the file is accepted; fails if the two readers differ. */
  private boolean isAcceptedTheSame(byte[] content) throws Exception {
    Path path = directory.resolve("20260131T000000Z.csv");
    Files.write(path, content);
    ReferenceSettings settings = new SegmentFiles(directory).settings(Duration.ZERO, null);
    VersionOfStrings expected = VersionOfStrings.of(path, settings);
    org.apache.flink.core.fs.Path file = new org.apache.flink.core.fs.Path(path.toUri());
    Map<String, List<String>> values = new HashMap<>();
    String refusal = null;
    try {
      Version version = VersionReader.read(new VersionFile(file, content.length, 0), 0, settings);
      assertThat(version.users()).isEqualTo(expected.values().size());
      KeyHash keyHash = new KeyHash();
      for (String user : expected.values().keySet()) {
        StringData[] found = version.find(keyHash.of(user));
        assertThat(found).as(user).isNotNull();
        values.put(user, Arrays.stream(found).map(StringData::toString).toList());
      }
    } catch (BadVersionException e) {
      assertThat(e).hasMessageStartingWith(file.toString());
      refusal = e.getMessage().substring(file.toString().length());
    }
    assertThat(refusal).isEqualTo(expected.refusal());
    assertThat(values).isEqualTo(expected.values());
    return refusal == null;
  }

  private static byte[] file(Random random, int rows) {
    StringBuilder content = new StringBuilder(random.nextInt(5) == 0 ? "\uFEFF" : "");
    String header = HEADERS[random.nextInt(HEADERS.length)];
    String lineEnd = List.of("\n", "\r\n", "\r").get(random.nextInt(3));
    content.append(header).append(lineEnd);
    int pieces = random.nextInt(3) == 0 ? PIECES.length : HARMLESS_PIECES;
    for (int row = 0; row < rows; row++) {
      String separator = "";
      for (String column : header.split(",")) {
        content.append(separator);
        String text = text(random, pieces, column.equals("user_id") ? 1 : random.nextInt(20) / 4);
        text = column.equals("user_id") ? "u" + row + text : text;
        boolean quoted = random.nextInt(4) == 0 || text.matches("(?s).*[\",\n].*");
        content.append(quoted ? "\"" + text.replace("\"", "\"\"") + "\"" : text);
        separator = ",";
      }
      content.append(random.nextInt(30) == 0 ? lineEnd + lineEnd : lineEnd);
    }
    return content.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String text(Random random, int pieces, int times) {
    StringBuilder text = new StringBuilder(times == 0 && random.nextInt(60) > 0 ? "v" : "");
    for (int i = 0; i < times; i++) {
      text.append(PIECES[random.nextInt(pieces)]);
    }
    return text.toString();
  }

  /** Puts a few bytes in, in place of up to two, or a copy of some of the file's own. */
  private static byte[] damage(byte[] content, Random random) {
    int at = random.nextInt(content.length);
    ByteArrayOutputStream damaged = new ByteArrayOutputStream();
    damaged.write(content, 0, at);
    if (random.nextInt(8) == 0) {
      damaged.write(content, at, Math.min(content.length - at, random.nextInt(200)));
    } else {
      damaged.writeBytes(DAMAGE[random.nextInt(DAMAGE.length)]);
      at = Math.min(content.length, at + random.nextInt(3));
    }
    damaged.write(content, at, content.length - at);
    return damaged.toByteArray();
  }
}
