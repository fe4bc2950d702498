package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Xxh64Test {
  @ParameterizedTest
  @CsvSource({
    "'', EF46DB3751D8E999",
    "a, D24EC4F1A98C6E5B",
    "abc, 44BC2CF5AD770999",
    "Nobody inspects the spammish repetition, FBCEA83C8A378BF1"
  })
  void gives_the_published_values(String text, String hexadecimal) {
    assertThat(Xxh64.of(text)).isEqualTo(Long.parseUnsignedLong(hexadecimal, 16));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "u1", "日本語の利用者", "a-user-id-that-is-longer-than-thirty-two-bytes-😀"})
  void is_the_same_wherever_the_bytes_stand(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    long expected = Xxh64.of(text);
    assertThat(Xxh64.of(StringData.fromString(text))).isEqualTo(expected);
    assertThat(Xxh64.of(inTheMiddleOfASegment(bytes))).isEqualTo(expected);
    assertThat(Xxh64.of(acrossSegments(bytes))).isEqualTo(expected);
  }

  @Test
  void differs_for_each_of_many_similar_keys() {
    assertThat(IntStream.range(0, 200_000).mapToLong(i -> Xxh64.of("u" + i)))
        .doesNotHaveDuplicates();
  }

  private static StringData inTheMiddleOfASegment(byte[] bytes) {
    MemorySegment segment = MemorySegmentFactory.wrap(new byte[bytes.length + 20]);
    segment.put(7, bytes);
    return BinaryStringData.fromAddress(new MemorySegment[] {segment}, 7, bytes.length);
  }

  private static StringData acrossSegments(byte[] bytes) {
    int length = bytes.length / 2 + 1;
    MemorySegment[] segments = {
      MemorySegmentFactory.wrap(new byte[length]), MemorySegmentFactory.wrap(new byte[length])
    };
    int first = Math.min(length, bytes.length);
    segments[0].put(0, bytes, 0, first);
    segments[1].put(0, bytes, first, bytes.length - first);
    return BinaryStringData.fromAddress(segments, 0, bytes.length);
  }
}
