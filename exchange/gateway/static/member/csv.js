// Comma-separated values (RFC 4180) as rows of named fields.

/** Return the rows; an empty field is left out, and what reads as a number is one. */
export function readCsv(text) {
  const [head, ...rows] = cells(text).filter((row) => row.some((cell) => cell.trim()));
  return rows.map((row) => Object.fromEntries((head ?? [])
    .map((name, at) => [name.trim(), (row[at] ?? "").trim()])
    .filter(([, value]) => value !== "")
    .map(([name, value]) => [name, name !== "id" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value])));
}

function cells(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of `${text}\n`.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.slice(0, -1);
}
