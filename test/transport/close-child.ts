// Links two members, lets both also dial somebody who is not there, closes all, and must then end by itself.
import { Member, bytes, life, linked } from "./member.ts";

const [a, b] = [await Member.listening({ number: 1 }), await Member.listening({ number: 2 })];
for (const [one, other] of [[a, b], [b, a]] as const) {
  one.addresses.set(other.hello.incarnation, other.info.address);
  one.addresses.set(life(3), "127.0.0.1:1");
  one.transport.start();
  one.transport.setPeers([a.info, b.info, { incarnation: life(3), name: "m3", address: "127.0.0.1:1" }]);
}
await linked(a, b);
process.stdout.write("linked\n");
a.transport.send(b.hello.incarnation, bytes("x"), "urgent");
await Promise.all([a.stop(), b.stop()]);
process.stdout.write("closed\n");
