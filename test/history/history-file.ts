import { createReadStream, createWriteStream, mkdirSync, rmSync, type WriteStream } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { formatOperation, HistoryFormatError, type Operation, parseOperation } from "../../src/history/operation.ts";

/** Where histories go unless told otherwise; not under version control. */
export const HISTORY_FOLDER = ".history";

/** A history being written, one line an operation. */
export class HistoryFile {
  readonly path: string;
  readonly #stream: WriteStream;

  /** Creates the file and its folder; an existing file is replaced. */
  constructor(path: string) {
    this.path = resolve(path);
    mkdirSync(dirname(this.path), { recursive: true });
    this.#stream = createWriteStream(this.path);
  }

  /** A file in HISTORY_FOLDER whose name says when the run began. */
  static named(name: string): HistoryFile {
    const time = new Date().toISOString().replaceAll(/[:.]/g, "-");
    return new HistoryFile(join(HISTORY_FOLDER, `${name}-${time}-${process.pid}.jsonl`));
  }

  write(operation: Operation): void {
    this.#stream.write(`${formatOperation(operation)}\n`);
  }

  /** Ends the file; rejects when something could not be written. */
  async close(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream);
  }

  /** Deletes the file: what passed need not be kept. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** Reads a whole history. Throws HistoryFormatError with the number of the first line that is wrong. */
export async function readHistory(path: string): Promise<Operation[]> {
  const operations: Operation[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number++;
    if (line === "") continue;
    try {
      operations.push(parseOperation(line));
    } catch (error) {
      throw error instanceof HistoryFormatError ? new HistoryFormatError(`line ${number}: ${error.message}`) : error;
    }
  }
  return operations;
}
