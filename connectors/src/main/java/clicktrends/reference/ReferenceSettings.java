package clicktrends.reference;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What one set of versions in memory is made from; tasks with equal settings share it.
 *
 * @param directory where the versions are, a URI or a plain local path
 * @param keyColumn the column that identifies a user
 * @param valueColumns the other columns to read, in the order in which rows hold them
 * @param checkInterval how often the directory is listed; zero for once
 * @param corrections by the file name of a version, the URI of what is read in its place
 * @param history how long a version is kept once its successor is in force; null for ever
 */
record ReferenceSettings(
    String directory,
    String keyColumn,
    List<String> valueColumns,
    Map<String, String> corrections,
    Duration checkInterval,
    Duration history)
    implements Serializable {}
