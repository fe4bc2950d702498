// Files that a viewer takes along.

// What a spreadsheet takes for a formula, or for the end of the cell before, when a cell begins with it: OWASP's list
// (https://owasp.org/www-community/attacks/CSV_Injection) and the wide forms that Excel reads as the narrow ones.
const FORMULA = /^[\s\u200b\ufeff]*[=+\-@|%＝＋－＠]|^[\t\r\n]/;
const CELL = 260;
const LINE = 28;
const MAX_CELLS = 60; // columns of a picture: browsers draw no wider canvas than 16,384

/** A cell of CSV in quotes. A text that a spreadsheet would run begins with an apostrophe, as text does there. */
function cell(value) {
  const text = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value);
  return `"${text.replaceAll('"', '""').replaceAll("\0", "\ufffd")}"`;
}

/** rows: lists of texts and numbers. UTF-8 is told by a byte order mark, without which Excel reads another code. */
export const csv = (rows) => `\ufeff${rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("")}`;

export function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A table as PNG, in the colours of the page. */
export async function picture(title, heads, rows) {
  const columns = Math.min(heads.length, MAX_CELLS);
  const canvas = document.createElement("canvas");
  canvas.width = 70 + (columns - 1) * CELL;
  canvas.height = (rows.length + 3) * LINE;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const pen = canvas.getContext("2d");
  pen.fillStyle = colour("--panel");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = colour("--text");
  const write = (text, column, line, weight = "") => {
    pen.font = `${weight} 14px ${style.fontFamily}`;
    pen.fillText(fitted(pen, text, column ? CELL - 16 : 60), column ? 70 + (column - 1) * CELL : 10, (line + 0.7) * LINE);
  };
  pen.font = `14px ${style.fontFamily}`;
  pen.fillText(title, 10, 0.7 * LINE);
  heads.slice(0, columns).forEach((text, column) => write(text, column, 1, "bold"));
  rows.forEach((row, line) => row.slice(0, columns).forEach((text, column) => write(text, column, line + 2)));
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** The text, cut where it is wider than that. */
function fitted(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  const characters = [...text].slice(0, 200);
  while (characters.length && pen.measureText(`${characters.join("")}…`).width > width) characters.pop();
  return `${characters.join("")}…`;
}
