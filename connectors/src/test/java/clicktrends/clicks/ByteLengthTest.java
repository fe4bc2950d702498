package clicktrends.clicks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ByteLengthTest {
  private final ByteLength byteLength = new ByteLength();

  @ParameterizedTest
  @CsvSource({"'', 0", "u1, 2", "é, 2", "日本, 6", "😀, 4"})
  void counts_the_bytes_of_a_string_and_of_a_slice_of_a_record(String text, int bytes) {
    assertThat(byteLength.eval(StringData.fromString(text))).isEqualTo(bytes);
    MemorySegment[] record = {
      MemorySegmentFactory.wrap(("before" + text + "after").getBytes(StandardCharsets.UTF_8))
    };
    assertThat(byteLength.eval(BinaryStringData.fromAddress(record, 6, bytes))).isEqualTo(bytes);
  }

  @Test
  void null_has_no_length() {
    assertThat(byteLength.eval(null)).isNull();
  }
}
