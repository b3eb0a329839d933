import { afterEach } from "vitest";
import { Member, type MemberOptions } from "./member.ts";

/** Members of one test file, stopped after each of its tests. */
export function startedMembers(): { member(options: MemberOptions): Promise<Member>; stopLater(member: Member): void } {
  const members: Member[] = [];
  afterEach(async () => {
    await Promise.all(members.splice(0).map((one) => one.stop()));
  });
  return {
    /** One that listens and dials. */
    member: async (options) => {
      const made = await Member.listening(options);
      members.push(made);
      made.transport.start();
      return made;
    },
    stopLater: (member) => void members.push(member),
  };
}
