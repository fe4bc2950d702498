package clicktrends.reference;

import org.apache.flink.table.data.StringData;

/**
 * One version of the reference table, immutable.
 *
 * @param validFromMillis from when it holds, epoch milliseconds
 * @param codes the hash of a user's key to the index of the user's row in {@code rows}
 * @param rows the distinct rows of value columns, each stored once
 */
record Version(long validFromMillis, CodeTable codes, StringData[][] rows) {

  /**
   * The value columns of a user by the {@link KeyHash}; null if the user is not in this version.
   */
  StringData[] find(long keyHash) {
    int code = codes.get(keyHash);
    return code == CodeTable.NONE ? null : rows[code];
  }

  int users() {
    return codes.size();
  }
}
