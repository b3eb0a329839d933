/** What one fault did. */
export interface FaultRow {
  readonly fault: string;
  /** The longest time without an acknowledged write, in milliseconds. */
  readonly gapMs: number;
  /** From the beginning of the fault to full strength, and from its end, in milliseconds. */
  readonly strengthMs: number;
  readonly afterHealMs: number;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

/** The rows as a Markdown table whose columns line up in plain text too. */
export function reportTable(rows: readonly FaultRow[], skipped: readonly { readonly fault: string; readonly why: string }[]): string {
  const head = ["Fault", "Time without writes", "Time to full strength", "of that after the fault's end"];
  const body = [
    ...rows.map(({ fault, gapMs, strengthMs, afterHealMs }) => [fault, seconds(gapMs), seconds(strengthMs), seconds(afterHealMs)]),
    ...skipped.map(({ fault, why }) => [fault, `skipped: ${why}`, "", ""]),
  ];
  const widths = head.map((cell, column) => Math.max(cell.length, ...body.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
