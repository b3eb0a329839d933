------------------------------- MODULE Synod -------------------------------
(***************************************************************************)
(* Election, replication and reconfiguration of synod.                     *)
(*                                                                         *)
(* Read it from top to bottom: what there is (constants, variables), then  *)
(* one action per step that a member takes, then the invariant, and at the *)
(* end what the checker may forget.  Rule numbers are those of the table   *)
(* in ../rules-and-tests.md; file names are those of ../../src/paxos.      *)
(* README.md beside this file says what is left out, and why that is safe. *)
(*                                                                         *)
(* Messages are never lost by an action: what was sent stays in the        *)
(* variables that hold it, and whoever may receive it does so whenever it  *)
(* likes, or never, or again.  That covers loss, delay, reordering and     *)
(* repetition.                                                             *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS
  Acceptors,      \* The members; each is an acceptor, in one incarnation.
  MaxBallot,      \* Ballots are 1 to MaxBallot.
  MaxSlot,        \* Slots are 1 to MaxSlot.
  FoundingSizes,  \* How many voters the founding configuration may have.
  ChangeSizes,    \* How many voters the configuration that replaces it may have; {}: no change.
  Gaps,           \* TRUE: an acceptor accepts slots in any order. FALSE: without a gap, as acceptor.ts does.
  Reduced,        \* TRUE: leaves out steps and orders of steps that can make no difference (see "What may be left out").
  Plant           \* The mistake that is planted; "none": the protocol as built.

VARIABLES
  promised,  \* Acceptor -> the highest ballot it promised. Durable.
  log,       \* Acceptor -> slot -> the last entry it accepted there. Durable.
  answers,   \* Acceptor -> its promises that somebody may still count, each with its report (message "promise").
  acks,      \* Acceptor -> its acknowledgements <<ballot, slot, value>> that somebody may still count (message "accepted").
  phase,     \* Ballot -> "open", "leading" or "gone". Volatile: what the member that opened the ballot knows of itself.
  first,     \* Ballot -> the first slot that its leader proposed in; 0 before it leads. Volatile, too.
  accepts,   \* Ballot -> slot -> the values proposed there (message "accept"). A set because of the mistake of rule 5a.
  founding,  \* The voters of the founding configuration.
  change,    \* The voters of the one configuration that may replace it; {} until somebody proposes it.
  chosen,    \* Slot -> the values chosen there, each as <<value, lowest ballot>>. Read by those who were told, and by the invariant.
  turn       \* Only when Reduced: the ballot that took the last step.

vars == <<promised, log, answers, acks, phase, first, accepts, founding, change, chosen, turn>>

Ballots == 1..MaxBallot
Slots == 1..MaxSlot

Max(S) == CHOOSE x \in S : \A y \in S : y <= x
Min(S) == CHOOSE x \in S : \A y \in S : y >= x

-----------------------------------------------------------------------------
(* Values.  A leader's own entries (its barrier first, commands behind it)  *)
(* differ from those of every other ballot.                                 *)
NoOp == 1
Change == 2
Own(b, s) == 10 * b + Cardinality(accepts[b][s])
IsOwn(v, b) == v \div 10 = b

(* An accepted entry (records.ts).                                          *)
Empty == [ballot |-> 0, value |-> NoOp]

-----------------------------------------------------------------------------
(* Quorums and configurations (configuration.ts): the entry at slot i       *)
(* governs the slots above i (rule 16).                                     *)
MajoritiesOf == [C \in SUBSET Acceptors |-> {Q \in SUBSET C : Cardinality(Q) = Cardinality(C) \div 2 + 1}]
HasQuorum(S, C) == 2 * Cardinality(S \cap C) > Cardinality(C)

Proposed(b) == {s \in Slots : accepts[b][s] /= {}}
LastProposed(b) == Max({0} \cup Proposed(b))
ChangeSlots(b) == {s \in Slots : Change \in accepts[b][s]}

(* Whether the leader of b counts slot s by the changed configuration:      *)
(* because it knew the change to be chosen when it began, or because the    *)
(* change is among its own proposals below s.                               *)
Changed(b, s) == first[b] > 1 \/ \E i \in ChangeSlots(b) : i < s
Governing(b, s) == IF Changed(b, s) THEN change ELSE founding

(* Who learns that a slot is chosen promises at least the ballot that its   *)
(* informant has promised; so everybody who knows a value to be chosen has  *)
(* promised a ballot at which it is.  Who acts in ballot b has promised     *)
(* exactly b, and so knows nothing but what is chosen at b or below.  The   *)
(* mistake tells what is chosen without the promise.                        *)
MayKnow(b, c) == c[2] <= b \/ Plant = "learned-without-promise"
KnownAt(b, s) == {c[1] : c \in {c \in chosen[s] : MayKnow(b, c)}}
KnownThrough(b) == Max({0} \cup {s \in Slots : \A t \in 1..s : KnownAt(b, t) /= {}})
(* What the leader of b proposed in s is chosen, and it may know that.      *)
IsChosen(b, s) == accepts[b][s] \cap KnownAt(b, s) /= {}

-----------------------------------------------------------------------------
Init ==
  /\ promised = [a \in Acceptors |-> 0]
  /\ log = [a \in Acceptors |-> [s \in Slots |-> Empty]]
  /\ answers = [a \in Acceptors |-> {}]
  /\ acks = [a \in Acceptors |-> {}]
  /\ phase = [b \in Ballots |-> "open"]
  /\ first = [b \in Ballots |-> 0]
  /\ accepts = [b \in Ballots |-> [s \in Slots |-> {}]]
  /\ founding \in {C \in SUBSET Acceptors : Cardinality(C) \in FoundingSizes}
  /\ change = {}
  /\ chosen = [s \in Slots |-> {}]
  /\ turn = 1

(* When Reduced, ballots take their steps in order (see "What may be left   *)
(* out").  With the mistake above, a lower ballot may follow a higher one.  *)
MayStep(b) == b >= turn \/ Plant = "learned-without-promise"
InOrder(b) == /\ Reduced => MayStep(b)
              /\ turn' = IF Reduced THEN b ELSE turn

-----------------------------------------------------------------------------
(* PHASE 1 (phase-one.ts, Acceptor.answerPrepare in acceptor.ts).           *)

(* A leader that proposed the change asks the new voters for the slots      *)
(* behind it.                                                               *)
Extending(b) == phase[b] = "leading" /\ ChangeSlots(b) /= {} /\ LastProposed(b) < MaxSlot

(* The answers of acceptor a that the candidate of b counts: those to       *)
(* exactly b (rule 2).  The mistake counts what its member was promised for *)
(* a ballot that it gave up; there, one member tries the odd ballots and    *)
(* another one the even ballots.                                            *)
GivenUpFor(b) == IF Plant = "stale-promise" THEN {c \in Ballots : c < b /\ c % 2 = b % 2 /\ phase[c] = "open"} ELSE {}
CountedFor(a, b) == {p \in answers[a] : p.ballot = b \/ p.ballot \in GivenUpFor(b)}
MayPromise(a, b) ==
  \/ promised[a] < b
  \/ promised[a] = b /\ (Extending(b) \/ Plant = "ballot-reused")
Answers(a, b) == CountedFor(a, b) /= {} \/ MayPromise(a, b)
ReportOf(a, b) == IF CountedFor(a, b) /= {} THEN (CHOOSE p \in CountedFor(a, b) : TRUE).report ELSE log[a]

Answer(b, report) == [ballot |-> b, report |-> report]

(* An acceptor promises ballot b and reports its log. It answers everybody; *)
(* answers of members that no quorum of b can need are left out.            *)
Promise(a) == \E b \in Ballots :
  /\ ~Reduced
  /\ \A p \in answers[a] : p.ballot /= b
  /\ \/ phase[b] = "open" /\ a \in founding \cup change
     \/ Extending(b) /\ a \in change
  /\ MayPromise(a, b)
  /\ promised' = [promised EXCEPT ![a] = b]
  /\ answers' = [answers EXCEPT ![a] = @ \cup {Answer(b, log[a])}]
  /\ UNCHANGED <<log, acks, phase, first, accepts, founding, change, chosen, turn>>

(* The members of Q that did not answer b yet do it now.  When Reduced,     *)
(* nobody does it earlier.  Nobody counts the answers to b again.           *)
Gather(b, Q) ==
  /\ promised' = [a \in Acceptors |-> IF a \in Q /\ CountedFor(a, b) = {} THEN b ELSE promised[a]]
  /\ answers' = [a \in Acceptors |-> {p \in answers[a] : p.ballot /= b}]

Reported(b, Q, s) == {ReportOf(a, b)[s] : a \in Q} \ {Empty}

(* Per slot the value of the highest entry reported; a no-op in a gap       *)
(* (rule 3).  The mistake takes any reported value.                         *)
Adoptable(b, Q, s) ==
  LET reported == Reported(b, Q, s) IN
  IF reported = {} THEN {NoOp}
  ELSE {r.value : r \in {r \in reported : Plant = "adopt-any" \/ \A other \in reported : other.ballot <= r.ballot}}

(* What a leader may propose from slot "from" on when the quorum Q has      *)
(* reported: the adopted values up to the first change among them, else all *)
(* of them and entries of its own behind.  These are proposed at once, and  *)
(* delivered in any order: that is the pipelining.  Where it stops short of *)
(* the last slot, it may propose a change next.                             *)
Plans(b, Q, from) ==
  LET last == Max({from - 1} \cup {s \in from..MaxSlot : Reported(b, Q, s) /= {}})
      adoptions == {f \in [from..last -> UNION {Adoptable(b, Q, s) : s \in from..last}] :
                      \A s \in from..last : f[s] \in Adoptable(b, Q, s)}
      stops(f) == {s \in from..last : f[s] = Change}
      room == IF Plant = "wrong-quorum-below" THEN MaxSlot - 1 ELSE MaxSlot - 2
      ends(f) == IF stops(f) /= {} THEN {Min(stops(f))}
                 ELSE {MaxSlot} \cup (IF change = {} /\ ChangeSizes /= {} THEN (last + 1)..room ELSE {})
  IN UNION {{[s \in from..end |-> IF s <= last THEN f[s] ELSE Own(b, s)] : end \in ends(f)} : f \in adoptions}

Propose(b, plan) ==
  accepts' = [accepts EXCEPT ![b] = [s \in Slots |-> IF s \in DOMAIN plan THEN @[s] \cup {plan[s]} ELSE @[s]]]

(* Where a candidate may begin: at the first slot, by the founding          *)
(* configuration; or, when it knows everything up to the change to be       *)
(* chosen, behind the change, by the changed one.  (It asks, and counts, by *)
(* what it knows at the end of its phase 1: it may have learned the change  *)
(* from the reports.)  The mistake of rule 16, trace (b), goes by a change  *)
(* that is chosen although a slot below it is not.                          *)
(* When Reduced, ballot 1 leads at once: nobody can report anything to it,  *)
(* so that it need not ask, nor wait.                                       *)
Begins(b) ==
  (IF Reduced /\ b = 1 /\ \E a \in Acceptors : promised[a] > 0 THEN {} ELSE {1})
  \cup {i + 1 : i \in {i \in 2..(MaxSlot - 1) : i <= KnownThrough(b) /\ Change \in KnownAt(b, i)}}
  \cup (IF Plant = "wrong-quorum-below" /\ \E i \in Slots : i > KnownThrough(b) /\ Change \in KnownAt(b, i)
        THEN {KnownThrough(b) + 1} \ {1} ELSE {})

QuorumsAsked(b, C) == IF Reduced /\ b = 1 THEN {{}} ELSE MajoritiesOf[C]

(* A candidate with a quorum of promises leads. Who it is does not matter.  *)
Lead(b) ==
  /\ phase[b] = "open"
  /\ InOrder(b)
  /\ \E from \in Begins(b) :
       /\ \E Q \in QuorumsAsked(b, IF from = 1 THEN founding ELSE change) :
            /\ \A a \in Q : Answers(a, b)
            /\ \E plan \in Plans(b, Q, from) : Propose(b, plan)
            /\ Gather(b, Q)
       /\ first' = [first EXCEPT ![b] = from]
  /\ phase' = [c \in Ballots |-> IF c = b THEN "leading"
                                 ELSE IF c \in GivenUpFor(b) THEN "gone" ELSE phase[c]]
  /\ UNCHANGED <<log, acks, founding, change, chosen>>

-----------------------------------------------------------------------------
(* RECONFIGURATION (leader.ts; rule 16).                                    *)

(* A leader whose barrier is chosen, with all below it, proposes a change   *)
(* to any other set of voters. There is one change in all.                  *)
ProposeChange(b) ==
  LET next == LastProposed(b) + 1
      own == {s \in Slots : \E v \in accepts[b][s] : IsOwn(v, b)}
  IN
  /\ phase[b] = "leading"
  /\ change = {}
  /\ next < MaxSlot \/ (next = MaxSlot /\ Plant = "wrong-quorum-below")
  /\ own /= {}
  /\ \A s \in Proposed(b) : s <= Min(own) => IsChosen(b, s)
  /\ InOrder(b)
  /\ \E C \in SUBSET Acceptors :
       /\ C /= founding
       /\ Cardinality(C) \in ChangeSizes
       /\ change' = C
  /\ accepts' = [accepts EXCEPT ![b][next] = {Change}]
  /\ UNCHANGED <<promised, log, answers, acks, phase, first, founding, chosen>>

(* The leader goes on behind the change only when everything up to it is    *)
(* chosen and a quorum of the new voters has promised its ballot; it adopts *)
(* what they report.  The mistake of rule 16, trace (a), asks nobody;       *)
(* another one does not wait.                                               *)
Extend(b) ==
  LET i == LastProposed(b) IN
  /\ Extending(b)
  /\ Plant = "beyond-unchosen" \/ \A s \in Proposed(b) : IsChosen(b, s)
  /\ InOrder(b)
  /\ \E Q \in (IF Plant = "no-new-promises" THEN {{}} ELSE QuorumsAsked(b, change)) :
       /\ \A a \in Q : Answers(a, b)
       /\ \E plan \in Plans(b, Q, i + 1) : Propose(b, plan)
       /\ Gather(b, Q)
  /\ UNCHANGED <<log, acks, phase, first, founding, change, chosen>>

-----------------------------------------------------------------------------
(* PHASE 2 (Acceptor.answerAccept in acceptor.ts, Leader in leader.ts).     *)

(* What acceptor a may accept: at a ballot not below its promise, without a *)
(* gap unless Gaps.  It accepts whether it votes in that slot or not; when  *)
(* Reduced, who does not vote accepts only what new voters may be asked     *)
(* for, and nothing is a gap where it does not vote.                        *)
MayAccept(a, b) == promised[a] <= b
Observes(a, b, s) == a \notin Governing(b, s)

WithoutGap(a, b, s) ==
  \/ Gaps
  \/ Reduced /\ s > 1 /\ (Observes(a, b, s) \/ Observes(a, b, s - 1))
  \/ s > 1 /\ log[a][s - 1].ballot = b
  \/ s <= KnownThrough(b) + 1

(* The acceptors of Q accept the values that "picked" names. Accepting      *)
(* promises (rule 1). A slot is chosen when a quorum of the configuration   *)
(* that governs it acknowledged the same value at the same ballot (rule     *)
(* 3a); acknowledgements of what is chosen at their ballot or below are not *)
(* counted again.                                                           *)
AcceptAll(Q, b, picked) ==
  LET votes(a) == {<<b, s, picked[s]>> : s \in {s \in DOMAIN picked : ~Observes(a, b, s)}}
      acked == TLCEval([a \in Acceptors |-> IF a \in Q THEN acks[a] \cup votes(a) ELSE acks[a]])
      voters(s) == {a \in Acceptors : <<b, s, picked[s]>> \in acked[a]}
      isNew(s) == ~\E c \in chosen[s] : c[1] = picked[s] /\ c[2] <= b
      now == TLCEval([s \in Slots |-> IF s \in DOMAIN picked /\ isNew(s) /\ HasQuorum(voters(s), Governing(b, s))
                                      THEN {c \in chosen[s] : c[1] /= picked[s]} \cup {<<picked[s], b>>} ELSE chosen[s]])
  IN
  /\ promised' = [a \in Acceptors |-> IF a \in Q /\ Plant /= "accept-no-promise" THEN b ELSE promised[a]]
  /\ log' = [a \in Acceptors |-> IF a \in Q THEN [s \in Slots |-> IF s \in DOMAIN picked THEN [ballot |-> b, value |-> picked[s]] ELSE log[a][s]] ELSE log[a]]
  /\ chosen' = now
  /\ acks' = [a \in Acceptors |-> {k \in acked[a] : ~\E c \in now[k[2]] : c[1] = k[3] /\ c[2] <= k[1]}]
  /\ UNCHANGED <<answers, phase, first, accepts, founding, change>>

(* One acceptor accepts one slot.                                           *)
Accept(a) == \E b \in (IF Reduced THEN Ballots \ {MaxBallot} ELSE Ballots), s \in Slots :
  /\ accepts[b][s] /= {}
  /\ log[a][s].ballot /= b
  /\ MayAccept(a, b)
  /\ Reduced /\ Observes(a, b, s) => s > 2 /\ ChangeSizes /= {} /\ (change = {} \/ a \in change)
  /\ WithoutGap(a, b, s)
  /\ InOrder(b)
  /\ \E v \in accepts[b][s] : AcceptAll({a}, b, [t \in {s} |-> v])

(* When Reduced, the highest ballot is accepted by a whole quorum at once.  *)
AcceptHighest ==
  LET b == MaxBallot
      open == {s \in Proposed(b) : ~IsChosen(b, s)}
      C == Governing(b, Min(open))
      together == {s \in open : Governing(b, s) = C}
  IN
  /\ Reduced
  /\ open /= {}
  /\ InOrder(b)
  /\ \E Q \in MajoritiesOf[C] :
       /\ \A a \in Q : MayAccept(a, b)
       /\ AcceptAll(Q, b, [s \in together |-> CHOOSE v \in accepts[b][s] : TRUE])

-----------------------------------------------------------------------------
(* RESTART (rule 5a).  The member that opened ballot b starts again with    *)
(* its disk: its promise, its log and its highest round are there, what it  *)
(* proposed and whose promises it had are not, so it never proposes at b    *)
(* again.  The mistake carries on at b.  (An acceptor that restarts has     *)
(* lost nothing that it ever sent: see README.md.)                          *)
Restart(b) ==
  /\ phase[b] = "leading" \/ (~Reduced /\ phase[b] = "open")
  /\ InOrder(b)
  /\ IF Plant = "ballot-reused"
     THEN /\ \A s \in Slots : Cardinality(accepts[b][s]) <= 1
          /\ phase' = [phase EXCEPT ![b] = "open"]
          /\ UNCHANGED answers
     ELSE /\ phase' = [phase EXCEPT ![b] = "gone"]
          /\ answers' = [a \in Acceptors |-> {p \in answers[a] : p.ballot /= b}]
  /\ UNCHANGED <<promised, log, acks, first, accepts, founding, change, chosen>>

-----------------------------------------------------------------------------
Next ==
  \/ \E b \in Ballots : Lead(b) \/ ProposeChange(b) \/ Extend(b) \/ Restart(b)
  \/ \E a \in Acceptors : Promise(a) \/ Accept(a)
  \/ AcceptHighest

Spec == Init /\ [][Next]_vars

(* One value per slot, for ever.                                            *)
Agreement == \A s \in Slots : Cardinality({c[1] : c \in chosen[s]}) <= 1

-----------------------------------------------------------------------------
(* WHAT THE CHECKER MAY FORGET.  Two states count as one when they differ   *)
(* only in which acceptor is which: so the acceptors' states are a bag.     *)
Bag(g) == LET f == TLCEval(g)
              kinds == {f[a] : a \in Acceptors} IN [k \in kinds |-> Cardinality({a \in Acceptors : f[a] = k})]

Everything ==
  <<Bag([a \in Acceptors |-> <<promised[a], log[a], answers[a], acks[a], a \in founding, a \in change>>]),
    phase, first, accepts, change = {}, chosen, turn>>

(* When Reduced, they also count as one when they differ only in what no    *)
(* later step can read.                                                     *)

(* A leader that may yet propose beyond what it proposed.                   *)
MayGoOn(b) == ChangeSizes /= {} /\ phase[b] = "leading" /\ LastProposed(b) < MaxSlot /\ (change = {} \/ ChangeSlots(b) /= {})

(* A candidate that may yet lead.                                           *)
MayBegin(b) == phase[b] = "open" /\ MayStep(b)

(* The change may yet be chosen, or is.                                     *)
SlotsOfChange == {s \in Slots : \E b \in Ballots : Change \in accepts[b][s]}
ChangeMayCome ==
  /\ ChangeSizes /= {}
  /\ IF change = {} THEN \E b \in Ballots : MayBegin(b) \/ (MayGoOn(b) /\ MayStep(b))
     ELSE \E s \in SlotsOfChange : chosen[s] = {} \/ \E c \in chosen[s] : c[1] = Change

(* The slots of which the candidate or leader of b may yet read a report.   *)
Reads(b) ==
  IF MayBegin(b) THEN Slots
  ELSE IF MayGoOn(b) /\ MayStep(b) THEN {s \in Slots : s > LastProposed(b)} ELSE {}

(* TLCEval only makes TLC compute a value once instead of at each use.      *)
WhatMatters ==
  LET changeMayCome == ChangeMayCome
      reads == TLCEval([b \in Ballots |-> Reads(b)])
      readers == {b \in Ballots : reads[b] /= {}}
      \* Anybody may yet accept at b.
      accepting == TLCEval({b \in Ballots : Proposed(b) /= {} /\ MayStep(b)})
      alive == TLCEval(readers \cup accepting)
      \* Only those who may vote in a slot are asked for it.
      voted(a) == {s \in Slots : a \in founding \/ (s > 2 /\ changeMayCome /\ (change = {} \/ a \in change))}
      asks(a) == TLCEval(voted(a) \cap UNION {reads[b] : b \in {b \in readers : promised[a] <= b}})
      mayStillCount(k) == k[1] \in accepting /\
        HasQuorum({a \in Acceptors : promised[a] <= k[1] \/ k \in acks[a]}, Governing(k[1], k[2]))
      \* No entry has the value 0.
      kept(e, a) == [ballot |-> IF e.ballot = promised[a] /\ e.ballot \in accepting THEN e.ballot ELSE 0, value |-> 0]
      entries(a) == LET asked == asks(a) IN [s \in Slots |-> IF s \in asked THEN log[a][s] ELSE kept(log[a][s], a)]
  IN <<Bag([a \in Acceptors |-> <<
          {b \in alive : b < promised[a]},
          entries(a),
          {k \in acks[a] : mayStillCount(k)},
          a \in founding, changeMayCome /\ a \in change>>]),
        [b \in alive |-> <<b \in readers, first[b], accepts[b]>>], change = {}, changeMayCome,
        [s \in Slots |-> {c[1] : c \in chosen[s]}], turn>>

View == IF Reduced THEN WhatMatters ELSE Everything
=============================================================================
