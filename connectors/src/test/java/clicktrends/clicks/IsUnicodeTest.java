package clicktrends.clicks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IsUnicodeTest {
  private final IsUnicode isUnicode = new IsUnicode();

  @ParameterizedTest
  @ValueSource(
      strings = {"", "u1", "é", "日本", "😀", "\ud7ff\ue000", "한국어 힣퟿", "\u0000", "\uffff", "?"})
  void every_text_is_unicode(String text) {
    assertThat(isUnicode.eval(StringData.fromString(text.repeat(9)))).isTrue();
  }

  @Test
  void half_a_surrogate_pair_is_found_wherever_it_stands() {
    for (int second : new int[] {0xA0, 0xAF, 0xB0, 0xBF}) {
      for (String before : new String[] {"x", "퟿", "é"}) {
        for (int length = 0; length < 20; length++) {
          for (int after = 0; after < 20; after++) {
            byte[] half = {(byte) 0xED, (byte) second, (byte) 0x80};
            byte[] text =
                join(
                    before.repeat(length).getBytes(UTF_8), half, "y".repeat(after).getBytes(UTF_8));
            assertThat(isUnicode.eval(BinaryStringData.fromBytes(text))).isFalse();
          }
        }
      }
    }
  }

  @Test
  void only_the_text_is_looked_at_and_not_what_stands_around_it_in_the_record() {
    byte[] half = {(byte) 0xED, (byte) 0xA0, (byte) 0x80};
    for (int length = 0; length < 20; length++) {
      byte[] text = "u".repeat(length).getBytes(UTF_8);
      MemorySegment[] record = {MemorySegmentFactory.wrap(join(half, text, half))};
      assertThat(isUnicode.eval(BinaryStringData.fromAddress(record, 3, length))).isTrue();
      assertThat(isUnicode.eval(BinaryStringData.fromAddress(record, 0, 3 + length))).isFalse();
      assertThat(isUnicode.eval(BinaryStringData.fromAddress(record, 3, length + 3))).isFalse();
    }
  }

  @Test
  void a_text_in_several_segments_is_looked_at_as_one() {
    byte[] text =
        join(
            "user-".getBytes(UTF_8),
            new byte[] {(byte) 0xED, (byte) 0xB8, (byte) 0x80},
            new byte[8]);
    MemorySegment[] parts = {
      MemorySegmentFactory.wrap(Arrays.copyOf(text, 8)),
      MemorySegmentFactory.wrap(Arrays.copyOfRange(text, 8, 16))
    };
    assertThat(isUnicode.eval(BinaryStringData.fromAddress(parts, 0, 16))).isFalse();
    assertThat(isUnicode.eval(BinaryStringData.fromAddress(parts, 6, 10))).isTrue();
  }

  @Test
  void null_is_neither() {
    assertThat(isUnicode.eval(null)).isNull();
  }

  private static byte[] join(byte[]... parts) {
    java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
