package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.bouncycastle.crypto.params.KeyParameter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeyHashTest {
  @Test
  void a_key_that_is_too_long_is_not_hashed_in_part() {
    KeyHash hash = new KeyHash();
    String longest = "x".repeat(512);
    assertThat(hash.of(CharBuffer.wrap(longest))).isEqualTo(hash.of(longest));
    assertThatThrownBy(() -> hash.of(CharBuffer.wrap(longest + "x")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** From the reference implementation's vectors.h: key 00..0f, message 00..(length - 1). */
  @ParameterizedTest
  @CsvSource({
    "0, 726FDB47DD0E0E31",
    "1, 74F839C593DC67FD",
    "7, AB0200F58B01D137",
    "8, 93F5F5799A932462",
    "15, A129CA6149BE45E5",
    "63, 958A324CEB064572",
  })
  void gives_the_values_published_with_siphash(int length, String hexadecimal) {
    KeyHash hash = new KeyHash(new KeyParameter(counting(16)));
    assertThat(hash.of(new String(counting(length), StandardCharsets.US_ASCII)))
        .isEqualTo(Long.parseUnsignedLong(hexadecimal, 16));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "u1", "日本語の利用者", "a-user-id-that-is-longer-than-thirty-two-bytes-😀"})
  void is_the_same_wherever_the_bytes_stand(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    KeyHash hash = new KeyHash();
    long expected = hash.of(text);
    assertThat(hash.of(StringData.fromString(text))).isEqualTo(expected);
    assertThat(hash.of(CharBuffer.wrap(text.toCharArray()))).isEqualTo(expected);
    assertThat(hash.of(inTheMiddleOfASegment(bytes))).isEqualTo(expected);
    assertThat(hash.of(acrossSegments(bytes))).isEqualTo(expected);
  }

  @Test
  void differs_for_each_of_many_similar_keys() {
    KeyHash hash = new KeyHash();
    assertThat(IntStream.range(0, 200_000).mapToLong(i -> hash.of("u" + i)))
        .doesNotHaveDuplicates();
  }

  @Test
  void is_the_same_throughout_a_jvm_and_another_in_the_next() throws Exception {
    assertThat(new KeyHash().of("u1")).isEqualTo(new KeyHash().of("u1"));
    Process next =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                HashInAnotherJvm.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String printed = new String(next.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(Long.parseLong(printed.strip())).isNotEqualTo(new KeyHash().of("u1"));
  }

  /** Prints the hash of u1. */
  static final class HashInAnotherJvm {
    public static void main(String[] arguments) {
      System.out.println(new KeyHash().of("u1"));
    }
  }

  private static byte[] counting(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) i;
    }
    return bytes;
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
