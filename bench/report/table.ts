import { median } from "../load/latencies.ts";
import { GAP_ROWS, type GapRow, type Row, ROWS } from "../rows.ts";
import type { Measurement } from "../systems/system.ts";
import type { Results } from "./results.ts";

const NOTHING = "–";

/** The results as markdown: medians over the rounds, each ratio that of synod's median (ws) to etcd's. */
export function formatResults(results: Results): string {
  const lines = [...throughputTable(results), "", ...gapTable(results), ""];
  for (const [system, memory] of Object.entries(results.memoryMib)) lines.push(`Memory per member of ${system}: ${memory.join(", ")} MiB.`);
  for (const [system, what] of Object.entries(results.verified)) lines.push(`Verified on every member of ${system}: ${what}.`);
  return `${lines.join("\n")}\n`;
}

function throughputTable(results: Results): string[] {
  const lines = [
    "| Work | synod | over HTTP | etcd | ratio (wanted) | synod p50 / p99 | etcd p50 / p99 | p99 ratio | syncs/s synod / etcd |",
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
  ];
  for (const row of ROWS) {
    const synod = summary(results, row, "synod");
    if (synod === null) continue;
    const http = summary(results, row, "synod-http");
    const etcd = summary(results, row, "etcd");
    const cells = [
      row.title, rate(synod), http === null ? NOTHING : rate(http), etcd === null ? NOTHING : rate(etcd), wantedRatio(row, synod, etcd),
      latency(synod), etcd === null ? NOTHING : latency(etcd), etcd === null ? NOTHING : (synod.p99Ms / etcd.p99Ms).toFixed(2),
      `${synod.syncsPerSecond.toFixed(0)} / ${etcd === null ? NOTHING : etcd.syncsPerSecond.toFixed(0)}`,
    ];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return lines;
}

type Summary = Omit<Measurement, "failures">;

function summary({ series }: Results, row: Row, column: string): Summary | null {
  const rounds = series.find((each) => each.row === row.id && each.column === column)?.rounds;
  if (rounds === undefined || rounds.length === 0) return null;
  const of = (field: keyof Summary): number => median(rounds.map((round) => round[field]));
  return { opsPerSecond: of("opsPerSecond"), p50Ms: of("p50Ms"), p99Ms: of("p99Ms"), syncsPerSecond: of("syncsPerSecond") };
}

function rate({ opsPerSecond }: Summary): string {
  return `${Math.round(opsPerSecond).toLocaleString("en")}/s`;
}

function latency({ p50Ms, p99Ms }: Summary): string {
  return `${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)} ms`;
}

function wantedRatio(row: Row, synod: Summary, etcd: Summary | null): string {
  if (etcd === null) return NOTHING;
  const ratio = synod.opsPerSecond / etcd.opsPerSecond;
  return row.ratio === null ? ratio.toFixed(2) : `${ratio.toFixed(2)} (≥ ${row.ratio})${ratio >= row.ratio ? "" : " ✗"}`;
}

function gapTable(results: Results): string[] {
  const lines = ["| No acknowledged write after | synod median (worst) | etcd median (worst) | ratio (wanted) |", "|---|---:|---:|---:|"];
  for (const row of GAP_ROWS) {
    const synod = gapsOf(results, row, "synod");
    const etcd = gapsOf(results, row, "etcd");
    if (synod.length === 0) continue;
    lines.push(`| ${row.title} | ${gapCell(synod)} | ${etcd.length === 0 ? NOTHING : gapCell(etcd)} | ${gapRatio(row, synod, etcd)} |`);
  }
  return lines;
}

function gapsOf({ gaps }: Results, row: GapRow, column: string): readonly number[] {
  return gaps.find((each) => each.row === row.id && each.column === column)?.gapsMs ?? [];
}

function gapCell(gaps: readonly number[]): string {
  return `${median(gaps).toFixed(0)} (${Math.max(...gaps).toFixed(0)}) ms`;
}

function gapRatio(row: GapRow, synod: readonly number[], etcd: readonly number[]): string {
  if (etcd.length === 0) return NOTHING;
  const ratio = median(synod) / median(etcd);
  return `${ratio.toFixed(2)} (≤ ${row.ratio})${ratio <= row.ratio ? "" : " ✗"}`;
}
