interface Named {
  readonly name: string;
  readonly role: "voter" | "learner";
}

/** Who has that name; where a voter and a learner share it, who has `role`, if one is wanted. */
export function membersNamed<Member extends Named>(members: readonly Member[], name: string, role?: Named["role"]): readonly Member[] {
  const named = members.filter((member) => member.name === name);
  return named.length > 1 && role !== undefined ? named.filter((member) => member.role === role) : named;
}
