/** One line of a CSV. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell}"` : cell)).join(",")}\n`;
}

/** A text without the numbers in it. */
export function digits(text: string): string {
  return text.replaceAll(/\+?\d{7,15}/g, "+…");
}
