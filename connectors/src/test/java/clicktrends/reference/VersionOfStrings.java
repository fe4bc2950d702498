package clicktrends.reference;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a version's file holds, read the plain way: FastCSV's own records, a string for every field.
 * It decides what {@link VersionReader} has to find.
 *
 * @param values by the user; empty if the file is refused
 * @param refusal without the name of the file; null if the file is accepted
 */
record VersionOfStrings(Map<String, List<String>> values, String refusal) {
  static VersionOfStrings of(Path file, ReferenceSettings settings) throws IOException {
    byte[] content = Files.readAllBytes(file);
    byte[] mark = "\uFEFF".getBytes(StandardCharsets.UTF_8);
    int begin =
        Arrays.equals(content, 0, Math.min(mark.length, content.length), mark, 0, mark.length)
            ? mark.length
            : 0;
    InputStream bytes = new ByteArrayInputStream(content, begin, content.length - begin);
    Map<String, List<String>> values = new HashMap<>();
    try (CsvReader<CsvRecord> csv =
        CsvReader.builder()
            .allowUnclosedQuote(false)
            .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
            .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
            .ofCsvRecord(bytes, StandardCharsets.UTF_8)) {
      List<String> header = null;
      for (CsvRecord row : csv) {
        if (header == null) {
          header = row.getFields();
          refuseHeader(header, settings);
        } else {
          refuseRow(row, header, settings, values);
          List<String> names = header;
          values.put(
              row.getField(header.indexOf(settings.keyColumn())),
              settings.valueColumns().stream()
                  .map(column -> row.getField(names.indexOf(column)))
                  .toList());
        }
      }
      if (header == null) {
        throw bad(1, "the file is empty; begin it with a header that names the columns");
      }
      if (values.isEmpty()) {
        throw bad(
            1, "no row follows the header, so every reader would be unknown; add the readers");
      }
    } catch (CsvParseException e) {
      String reason = e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
      return new VersionOfStrings(
          Map.of(), " is not CSV as in RFC 4180: " + reason + "; quote what must be quoted");
    } catch (BadVersionException e) {
      return new VersionOfStrings(Map.of(), e.getMessage());
    }
    return new VersionOfStrings(values, null);
  }

  private static void refuseHeader(List<String> header, ReferenceSettings settings)
      throws BadVersionException {
    for (int i = 0; i < header.size(); i++) {
      refuse(1, "field " + (i + 1), FieldRules.problemOfCharacters(header.get(i)));
    }
    for (String column : settings.valueColumns()) {
      refuseColumn(column, header);
    }
    refuseColumn(settings.keyColumn(), header);
  }

  private static void refuseColumn(String column, List<String> header) throws BadVersionException {
    if (!header.contains(column)) {
      throw bad(
          1,
          "the header "
              + header
              + " lacks the column '"
              + column
              + "'; add it to the file (fields are parted by commas), or take it out of the table's DDL");
    }
    if (header.indexOf(column) != header.lastIndexOf(column)) {
      throw bad(1, "the header names the column '" + column + "' twice; keep one of them");
    }
  }

  private static void refuseRow(
      CsvRecord row,
      List<String> header,
      ReferenceSettings settings,
      Map<String, List<String>> earlier)
      throws BadVersionException {
    long line = row.getStartingLineNumber();
    if (row.getFieldCount() != header.size()) {
      throw bad(
          line,
          row.getFieldCount()
              + " fields where the header has "
              + header.size()
              + "; quote fields that contain commas");
    }
    for (int i = 0; i < header.size(); i++) {
      String column = header.get(i);
      if (!column.equals(settings.keyColumn()) && !settings.valueColumns().contains(column)) {
        refuse(line, column, FieldRules.problemOfCharacters(row.getField(i)));
      }
    }
    String key = row.getField(header.indexOf(settings.keyColumn()));
    check(line, settings.keyColumn(), key, FieldRules.MAX_KEY_BYTES);
    for (String column : settings.valueColumns()) {
      check(line, column, row.getField(header.indexOf(column)), FieldRules.MAX_VALUE_BYTES);
    }
    if (earlier.containsKey(key)) {
      throw bad(
          line,
          settings.keyColumn() + " '" + key + "' stands in an earlier line too; keep one row each");
    }
  }

  private static void check(long line, String column, String field, int maxBytes)
      throws BadVersionException {
    refuse(line, column, FieldRules.problemOfCharacters(field));
    refuse(line, column, FieldRules.problemOfLength(field, maxBytes));
  }

  private static void refuse(long line, String column, String problem) throws BadVersionException {
    if (problem != null) {
      throw bad(line, column + " " + problem);
    }
  }

  private static BadVersionException bad(long line, String reason) {
    return new BadVersionException(", line " + line + ": " + reason);
  }
}
