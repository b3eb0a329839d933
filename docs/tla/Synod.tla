------------------------------- MODULE Synod -------------------------------
EXTENDS Naturals, FiniteSets

CONSTANTS Acceptors, MaxBallot, MaxSlot, FoundingSizes, ChangeSizes, Plant

VARIABLES promised, ownBallot, log, role, prepares, promises, accepts, acks, founding, change, chosen

vars == <<promised, ownBallot, log, role, prepares, promises, accepts, acks, founding, change, chosen>>

Ballots == 1..MaxBallot
Slots == 1..MaxSlot

Nothing == [ballot |-> 0, value |-> 0]
NoOp == 1
Change == 2
Fresh(ballot, slot) == 10 * ballot + Cardinality(accepts[ballot][slot])
IsFresh(value, ballot) == value \div 10 = ballot
NotPrepared == [from |-> 0, configuration |-> "none", by |-> "none"]

Max(S) == CHOOSE x \in S : \A y \in S : y <= x
Min(S) == CHOOSE x \in S : \A y \in S : y >= x

Configuration(name) == IF name = "founding" THEN founding ELSE change
HasQuorum(S, C) == 2 * Cardinality(S \cap C) > Cardinality(C)
QuorumsWithin(S, C) == {Q \in SUBSET (S \cap C) : Cardinality(Q) = Cardinality(C) \div 2 + 1}

Proposed(b) == {s \in Slots : accepts[b][s] /= {}}
Governing(b, s) ==
  IF \E i \in Slots : i < s /\ Change \in accepts[b][i] THEN change ELSE Configuration(prepares[b].configuration)

IsChosen(s) == chosen[s] /= {}
OwnChosen(b, s) == chosen[s] \cap accepts[b][s] /= {}
ChosenPrefix == Max({0} \cup {s \in Slots : \A t \in 1..s : IsChosen(t)})

Init ==
  /\ promised = [a \in Acceptors |-> 0]
  /\ ownBallot = [a \in Acceptors |-> 0]
  /\ log = [a \in Acceptors |-> [s \in Slots |-> Nothing]]
  /\ role = [a \in Acceptors |-> "follower"]
  /\ prepares = [b \in Ballots |-> NotPrepared]
  /\ promises = [a \in Acceptors |-> {}]
  /\ accepts = [b \in Ballots |-> [s \in Slots |-> {}]]
  /\ acks = [a \in Acceptors |-> {}]
  /\ founding \in {C \in SUBSET Acceptors : Cardinality(C) \in FoundingSizes}
  /\ change = {}
  /\ chosen = [s \in Slots |-> {}]

Starts ==
  {[from |-> 1, configuration |-> "founding"]} \cup
  {[from |-> i + 1, configuration |-> "change"] : i \in {i \in Slots : i < MaxSlot /\ i <= ChosenPrefix /\ Change \in chosen[i]}} \cup
  (IF Plant = "reconfig-hole" /\ \E i \in Slots : i > ChosenPrefix /\ Change \in chosen[i]
   THEN {[from |-> ChosenPrefix + 1, configuration |-> "change"]} ELSE {})

GivePromise(a, b) ==
  /\ promised' = [promised EXCEPT ![a] = b]
  /\ promises' = [promises EXCEPT ![a] = @ \cup {[ballot |-> b, report |-> log[a]]}]

Campaign(a) == \E b \in Ballots, start \in Starts :
  /\ \/ prepares[b] = NotPrepared /\ b > promised[a]
     \/ Plant = "ballot-reused" /\ role[a] = "follower" /\ b = ownBallot[a] /\ b = promised[a]
  /\ a \in Configuration(start.configuration)
  /\ GivePromise(a, b)
  /\ ownBallot' = [ownBallot EXCEPT ![a] = b]
  /\ role' = [role EXCEPT ![a] = "candidate"]
  /\ prepares' = [prepares EXCEPT ![b] = [from |-> start.from, configuration |-> start.configuration, by |-> a]]
  /\ UNCHANGED <<log, accepts, acks, founding, change, chosen>>

Counted(a, x) == {p \in promises[x] : p.ballot = promised[a] \/ (Plant = "stale-promise" /\ prepares[p.ballot].by = a)}
PromisedTo(a) == {x \in Acceptors : Counted(a, x) /= {}}
Elected(a) == role[a] = "candidate" /\ HasQuorum(PromisedTo(a), Configuration(prepares[promised[a]].configuration))

Asked(c) ==
  CASE role[c] = "candidate" -> Configuration(prepares[promised[c]].configuration)
    [] role[c] = "leader" /\ MaxSlot \notin Proposed(promised[c]) /\ \E i \in Slots : Change \in accepts[promised[c]][i] -> change
    [] OTHER -> {}

Promise(a) == \E c \in {c \in Acceptors \ {a} : a \in Asked(c)} :
  LET b == promised[c] IN
  /\ promised[a] <= b
  /\ \A p \in promises[a] : p.ballot /= b
  /\ GivePromise(a, b)
  /\ role' = [role EXCEPT ![a] = IF promised[a] < b THEN "follower" ELSE @]
  /\ UNCHANGED <<ownBallot, log, prepares, accepts, acks, founding, change, chosen>>

Reported(a, Q, s) == UNION {{p.report[s] : p \in Counted(a, x)} : x \in Q} \ {Nothing}
Adoptable(a, Q, s) ==
  LET reported == Reported(a, Q, s) IN
  IF reported = {} THEN {NoOp}
  ELSE {r.value : r \in {r \in reported : Plant = "adopt-any" \/ \A other \in reported : other.ballot <= r.ballot}}

Plans(a, Q, from) ==
  LET b == promised[a]
      last == Max({from - 1} \cup {s \in from..MaxSlot : Reported(a, Q, s) /= {}})
      adoptions == {f \in [from..last -> UNION {Adoptable(a, Q, s) : s \in from..last}] :
                      \A s \in from..last : f[s] \in Adoptable(a, Q, s)}
      stops(f) == {s \in from..last : f[s] = Change}
      ends(f) == IF stops(f) /= {} THEN {Min(stops(f))}
                 ELSE IF last = MaxSlot \/ change /= {} \/ ChangeSizes = {} THEN {MaxSlot}
                 ELSE (last + 1)..MaxSlot
  IN UNION {{[s \in from..end |-> IF s <= last THEN f[s] ELSE Fresh(b, s)] : end \in ends(f)} : f \in adoptions}

Propose(b, plan) ==
  accepts' = [accepts EXCEPT ![b] = [s \in Slots |-> IF s \in DOMAIN plan THEN @[s] \cup {plan[s]} ELSE @[s]]]

Win(a) ==
  LET b == promised[a] IN
  /\ Elected(a)
  /\ \E plan \in Plans(a, PromisedTo(a), prepares[b].from) : Propose(b, plan)
  /\ role' = [role EXCEPT ![a] = "leader"]
  /\ UNCHANGED <<promised, ownBallot, log, prepares, promises, acks, founding, change, chosen>>

ProposeChange(a) ==
  LET b == promised[a]
      next == Max({0} \cup Proposed(b)) + 1
      barriers == {s \in Slots : \E v \in accepts[b][s] : IsFresh(v, b)}
  IN
  /\ role[a] = "leader"
  /\ change = {}
  /\ next <= MaxSlot
  /\ barriers /= {}
  /\ \A s \in Proposed(b) : s <= Min(barriers) => OwnChosen(b, s)
  /\ \E C \in SUBSET Acceptors :
       /\ C /= founding
       /\ Cardinality(C) \in ChangeSizes
       /\ change' = C
  /\ accepts' = [accepts EXCEPT ![b][next] = {Change}]
  /\ UNCHANGED <<promised, ownBallot, log, role, prepares, promises, acks, founding, chosen>>

Extend(a) ==
  LET b == promised[a]
      i == Max({0} \cup Proposed(b))
  IN
  /\ role[a] = "leader"
  /\ i \in 1..(MaxSlot - 1)
  /\ Change \in accepts[b][i]
  /\ \A s \in Proposed(b) : OwnChosen(b, s)
  /\ \E Q \in (IF Plant = "reconfig-no-promise" THEN {{}} ELSE QuorumsWithin(PromisedTo(a), change)) :
       \E plan \in Plans(a, Q \cup {a}, i + 1) : Propose(b, plan)
  /\ UNCHANGED <<promised, ownBallot, log, role, prepares, promises, acks, founding, change, chosen>>

Over(b) ==
  /\ prepares[b] /= NotPrepared
  /\ \A c \in Acceptors : promised[c] = b /\ role[c] /= "follower" => MaxSlot \in Proposed(b)

FirstSlot(a, b) == {s \in Proposed(b) :
  /\ log[a][s].ballot /= b
  /\ \/ s > 1 /\ log[a][s - 1].ballot = b
     \/ \A t \in Proposed(b) : t < s => OwnChosen(b, t)}

Ranges(a, b) ==
  IF \A later \in Ballots : later > b => Over(later)
  THEN {{t \in Proposed(b) : t >= s /\ log[a][t].ballot /= b} : s \in FirstSlot(a, b)}
  ELSE {{s} : s \in FirstSlot(a, b)}

Accept(a) == \E b \in {b \in Ballots : promised[a] <= b} : \E range \in Ranges(a, b) :
  \E values \in {f \in [range -> UNION {accepts[b][s] : s \in range}] : \A s \in range : f[s] \in accepts[b][s]} :
  /\ promised' = [promised EXCEPT ![a] = IF Plant = "accept-no-promise" THEN @ ELSE b]
  /\ role' = [role EXCEPT ![a] = IF promised[a] < b THEN "follower" ELSE @]
  /\ log' = [log EXCEPT ![a] = [s \in Slots |-> IF s \in range THEN [ballot |-> b, value |-> values[s]] ELSE @[s]]]
  /\ acks' = [acks EXCEPT ![a] = @ \cup {<<b, s, values[s]>> : s \in range}]
  /\ chosen' = [s \in Slots |->
       IF s \in range /\ HasQuorum({x \in Acceptors : <<b, s, values[s]>> \in acks'[x]}, Governing(b, s))
       THEN chosen[s] \cup {values[s]} ELSE chosen[s]]
  /\ UNCHANGED <<ownBallot, prepares, promises, accepts, founding, change>>

Restart(a) ==
  /\ role[a] /= "follower"
  /\ role' = [role EXCEPT ![a] = "follower"]
  /\ UNCHANGED <<promised, ownBallot, log, prepares, promises, accepts, acks, founding, change, chosen>>

Next ==
  IF \E a \in Acceptors : Elected(a)
  THEN \E a \in Acceptors : Win(a)
  ELSE \E a \in Acceptors : Campaign(a) \/ Promise(a) \/ ProposeChange(a) \/ Extend(a) \/ Accept(a) \/ Restart(a)

Spec == Init /\ [][Next]_vars

Agreement == \A s \in Slots : Cardinality(chosen[s]) <= 1

-----------------------------------------------------------------------------
Bag(f) == LET image == {f[a] : a \in Acceptors} IN [x \in image |-> Cardinality({a \in Acceptors : f[a] = x})]

FullView ==
  <<Bag([a \in Acceptors |->
      <<promised[a], ownBallot[a], log[a], role[a], {b \in Ballots : prepares[b].by = a}, promises[a], acks[a], a \in founding, a \in change>>]),
    [b \in Ballots |-> <<prepares[b].from, prepares[b].configuration>>], accepts, change = {}, chosen>>

LeanView ==
  LET candidate(b) == \E c \in Acceptors : promised[c] = b /\ role[c] = "candidate"
      willing(b) == {x \in Acceptors : promised[x] <= b \/ \E p \in promises[x] : p.ballot = b}
      winnable == {b \in Ballots :
        IF prepares[b] = NotPrepared THEN HasQuorum(willing(b), founding) \/ (change /= {} /\ HasQuorum(willing(b), change))
        ELSE candidate(b) /\ HasQuorum(willing(b), Configuration(prepares[b].configuration))}
      extendable == {b \in Ballots : ChangeSizes /= {} /\ MaxSlot \notin Proposed(b) /\ \E c \in Acceptors : promised[c] = b /\ role[c] = "leader"}
      asking == winnable \cup extendable
      proposing == {b \in Ballots : Proposed(b) /= {}}
      possible(b, s, v) == HasQuorum({x \in Acceptors : promised[x] <= b \/ <<b, s, v>> \in acks[x]}, Governing(b, s))
      open == {m \in UNION {acks[a] : a \in Acceptors} : m[3] \notin chosen[m[2]] /\ possible(m[1], m[2], m[3])}
      live == {b \in proposing : \E a \in Acceptors : promised[a] <= b}
      governs == \E b \in Ballots, i \in 1..(MaxSlot - 1) : Change \in accepts[b][i]
  IN
  <<Bag([a \in Acceptors |->
      <<{b \in winnable \cup proposing : b < promised[a]},
        IF role[a] /= "follower" /\ promised[a] \in asking THEN promised[a] ELSE 0,
        IF \E b \in asking : b > promised[a] \/ (b = promised[a] /\ \A p \in promises[a] : p.ballot /= b)
        THEN log[a] ELSE [s \in Slots |-> IF log[a][s].ballot = promised[a] THEN log[a][s] ELSE Nothing],
        {p \in promises[a] : p.ballot \in asking},
        acks[a] \cap open, a \in founding, governs /\ a \in change>>]),
    winnable,
    [b \in (live \cup asking) |-> <<prepares[b].from, prepares[b].configuration, accepts[b]>>], change = {}, chosen>>

View == IF Plant = "none" THEN LeanView ELSE FullView
=============================================================================
