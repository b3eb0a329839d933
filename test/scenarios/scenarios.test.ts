import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { playScenario } from "../../src/scenario/player.ts";
import { parseScript } from "../../src/scenario/script.ts";

const FOLDER = import.meta.dirname;
const UPDATE = process.env["SYNOD_UPDATE_TRACES"] === "1";
const files = readdirSync(FOLDER);
const scripts = files.filter((file) => file.endsWith(".txt")).sort();

describe("a scenario", () => {
  it.each(scripts)("%s plays as its trace says", (file) => {
    const text = readFileSync(`${FOLDER}/${file}`, "utf8");
    const { trace, failure } = playScenario(text);
    expect(failure?.message ?? null, trace.slice(-40).join("\n")).toBeNull();
    const path = `${FOLDER}/${basename(file, ".txt")}.trace`;
    const played = `${trace.join("\n")}\n`;
    if (UPDATE) writeFileSync(path, played);
    expect(played).toBe(readFileSync(path, "utf8"));
  });

  it.each(scripts)("%s begins with what it shows", (file) => {
    const { about } = parseScript(readFileSync(`${FOLDER}/${file}`, "utf8"));
    expect(about.join(" ").length).toBeGreaterThan(60);
  });

  it("has a script for every trace", () => {
    const traces = files.filter((file) => file.endsWith(".trace")).map((file) => basename(file, ".trace"));
    expect(traces.sort()).toEqual(scripts.map((file) => basename(file, ".txt")));
  });
});
