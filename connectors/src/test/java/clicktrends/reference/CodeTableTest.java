package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CodeTableTest {
  private static final KeyHash KEY_HASH = new KeyHash();

  @ParameterizedTest
  @ValueSource(ints = {1, 256, 257, 65_536, 65_537, 1_000_000})
  void agrees_with_a_hash_map_on_many_random_users(int distinctCodes) {
    Random random = new Random(42);
    Map<Long, Integer> oracle = new HashMap<>();
    CodeTable.Builder builder = new CodeTable.Builder();
    for (int i = 0; i < 150_000; i++) {
      long hash =
          random.nextInt(4) == 0 ? KEY_HASH.of("u" + random.nextInt(50_000)) : random.nextLong();
      int code = random.nextInt(distinctCodes);
      boolean isNew = oracle.putIfAbsent(hash, code) == null;
      if (builder.add(hash, code) != isNew) {
        fail("add of %d should have returned %s", hash, isNew);
      }
    }
    CodeTable table = builder.build();

    assertThat(table.size()).isEqualTo(oracle.size());
    Map<Long, Integer> expected = new HashMap<>(oracle);
    for (int i = 0; i < 100_000; i++) {
      long hash = random.nextLong();
      expected.put(hash, oracle.getOrDefault(hash, CodeTable.NONE));
    }
    Map<Long, Integer> actual = new HashMap<>(expected);
    actual.replaceAll((hash, code) -> table.get(hash));
    assertThat(actual.equals(expected)).isTrue();
  }

  /** In two chunks of hashes at least. */
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 500_000, 600_000, 10_000_000, Long.MAX_VALUE / 2})
  void holds_every_key_whatever_number_was_expected(long expected) {
    int keys = 600_000;
    CodeTable.Builder builder = new CodeTable.Builder(added -> expected);
    for (int i = 0; i < keys; i++) {
      if (!builder.add(Long.reverse(i * 0x9E3779B97F4A7C15L), i % 300)) {
        fail("key %d should be new", i);
      }
    }
    assertThat(builder.add(Long.reverse(0), 1)).isFalse();
    CodeTable table = builder.build();
    assertThat(table.size()).isEqualTo(keys);
    for (int i = 0; i < keys; i++) {
      if (table.get(Long.reverse(i * 0x9E3779B97F4A7C15L)) != i % 300) {
        fail("key %d should have code %d", i, i % 300);
      }
    }
    assertThat(table.get(Long.reverse(keys * 0x9E3779B97F4A7C15L))).isEqualTo(CodeTable.NONE);
  }

  @Test
  void finds_nothing_when_empty() {
    assertThat(new CodeTable.Builder().build().get(0)).isEqualTo(CodeTable.NONE);
  }

  @Test
  void wraps_around_at_the_end_of_the_array() {
    CodeTable.Builder builder = new CodeTable.Builder();
    for (int i = 0; i < 5; i++) {
      assertThat(builder.add(-1L - i, i)).isTrue();
    }
    CodeTable table = builder.build();
    for (int i = 0; i < 5; i++) {
      assertThat(table.get(-1L - i)).isEqualTo(i);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 255, 256, 65_535, 65_536, Integer.MAX_VALUE})
  void codes_hold_the_greatest_code_in_the_narrowest_array(int greatest) {
    Codes codes = Codes.holding(greatest, 2);
    codes.set(1, greatest);
    assertThat(codes.get(1)).isEqualTo(greatest);
    assertThat(codes.get(0)).isZero();
    assertThat(codes)
        .isInstanceOf(
            greatest < 256
                ? Codes.OfBytes.class
                : greatest < 65_536 ? Codes.OfShorts.class : Codes.OfInts.class);
  }
}
