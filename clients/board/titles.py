"""What people call the articles: a CSV file with the header article_id,title."""

import csv
from pathlib import Path

from clients.batch_server.errors import QuestionError

HEADER = ["article_id", "title"]


def read_titles(file: Path) -> dict[str, str]:
    """Raises QuestionError, naming the line, for a file of another form."""
    titles: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.reader(opened, strict=True)
            if next(rows, None) != HEADER:
                raise QuestionError(f"{file} must begin with the line article_id,title")
            for row in rows:
                if len(row) != len(HEADER):
                    raise QuestionError(f"{file}, line {rows.line_num}: write an article_id and a title")
                titles[row[0]] = row[1]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise QuestionError(f"the titles in {file} cannot be read: {error}") from error
    return titles
