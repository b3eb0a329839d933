import type { MemberInfo } from "../paxos/configuration.ts";
import { ballotName, valueName } from "./names.ts";
import type { Stage } from "./stage.ts";
import type { Words } from "./words.ts";

/** Looks at the stage: null when what it asks for is so, otherwise what is so instead. */
export type Condition = (stage: Stage) => string | null;

type Reader = (words: Words) => Condition;

/** Reads the condition behind `expect` or `run until`. */
export function readCondition(words: Words): Condition {
  const name = words.word("a condition");
  const client = /^([prc])(\d{1,6})$/.exec(name);
  if (client !== null) return readClient(words, client[1] as "p" | "r" | "c", Number(client[2]));
  const reader = READERS[name];
  if (reader === undefined) throw words.error(`${name} is not a condition`);
  return reader(words);
}

const READERS: Readonly<Record<string, Reader>> = {
  leader: (words) => {
    const wanted = /^[1-9]$/.test(words.peek() ?? "") ? words.member() : null;
    return (stage) => {
      const serving = serve(stage);
      const met = wanted === null ? serving.length > 0 : serving.includes(wanted);
      return met ? null : `${serving.length === 0 ? "nobody serves" : `${serving.join(",")} serves`}`;
    };
  },
  no: (words) => {
    if (words.word("what there is none of") !== "leader") throw words.error("only `no leader` can be expected");
    return (stage) => (serve(stage).length === 0 ? null : `${serve(stage).join(",")} serves`);
  },
  role: (words) => ofMember(words, (stage, member) => stage.cluster.member(member).status().role),
  promised: (words) => ofMember(words, (stage, member) => ballotName(stage.cluster.member(member).status().ballot)),
  follows: (words) => ofMember(words, (stage, member) => {
    const { leader } = stage.cluster.member(member).status();
    return leader === null ? "nobody" : String(leader[0]);
  }),
  chosen: (words) => ofMember(words, (stage, member) => String(stage.cluster.member(member).status().chosenThrough)),
  snapshot: (words) => ofMember(words, (stage, member) => String(stage.cluster.member(member).status().snapshotSlot)),
  applied: (words) => ofMember(words, (stage, member) => list(stage.cluster.member(member).replica.commands)),
  voters: (words) => ofMember(words, (stage, member) => memberList(stage.cluster.member(member).status().configuration.voters)),
  learners: (words) => ofMember(words, (stage, member) => memberList(stage.cluster.member(member).status().configuration.learners)),
  governs: (words) => {
    const slot = words.number("a slot");
    return equals(words, ({ cluster: { checker } }) => {
      const set = checker.configurations.findLast((known) => known.slot < slot);
      return memberList(set?.configuration.voters ?? []);
    });
  },
  holds: (words) => {
    const member = words.member();
    const slot = words.number("a slot");
    return equals(words, (stage) => {
      const entry = stage.cluster.member(member).disk.entries.get(slot);
      return entry === undefined ? "nothing" : valueName(entry.value);
    });
  },
  decided: (words) => {
    const slot = words.number("a slot");
    return equals(words, (stage) => {
      const value = stage.cluster.checker.decided(slot);
      return value === undefined ? "nothing" : valueName(value);
    });
  },
  elections: (words) => {
    const operator = words.word("= or <=");
    const wanted = words.number("a number");
    if (operator !== "=" && operator !== "<=") throw words.error(`${operator} is neither = nor <=`);
    return ({ elections }) => ((operator === "=" ? elections === wanted : elections <= wanted) ? null : `${elections} were won`);
  },
  same: () => (stage) => {
    const states = new Set(stage.cluster.running.map(({ replica }) => `${list(replica.commands)} at slot ${replica.slot}`));
    return states.size === 1 ? null : `the states are ${[...states].join(" and ")}`;
  },
};

function readClient(words: Words, kind: "p" | "r" | "c", id: number): Condition {
  return equals(words, ({ cluster: { clients, changes } }) => {
    if (kind === "c") return changes.views.get(id)?.outcome ?? "not known";
    if (kind === "p") return clients.proposals.get(id)?.outcome ?? "not known";
    const read = clients.reads.get(id);
    if (read === undefined) return "not known";
    return read.outcome === "answered" ? list(read.answer) : read.outcome;
  });
}

/** Members that lead and serve. */
function serve(stage: Stage): number[] {
  return stage.cluster.running.filter((member) => member.leads && member.status().ready).map(({ number }) => number);
}

function memberList(members: readonly MemberInfo[]): string {
  return members.length === 0 ? "nobody" : members.map(({ name }) => name).join(",");
}

function list(texts: readonly string[]): string {
  return texts.length === 0 ? "nothing" : texts.join(",");
}

function ofMember(words: Words, look: (stage: Stage, member: number) => string): Condition {
  const member = words.member();
  return equals(words, (stage) => look(stage, member));
}

function equals(words: Words, look: (stage: Stage) => string): Condition {
  if (!words.skip("=")) throw words.error("= is missing");
  const wanted = words.word("a value");
  return (stage) => {
    const found = look(stage);
    return found === wanted ? null : `it is ${found}`;
  };
}
