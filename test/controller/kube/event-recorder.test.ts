import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../../../src/controller/kube/client.ts";
import { EventRecorder, type EventText } from "../../../src/controller/kube/event-recorder.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const EVENTS = "/apis/events.k8s.io/v1/namespaces/n/events";
const ABOUT = { apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", namespace: "n", name: "x", uid: "u" };
const TEXT: EventText = { type: "Normal", reason: "Promoted", action: "Promote", message: "x-3 votes now" };

describe("the event recorder", () => {
  let server: FakeApiServer;
  let clock: ManualClock;
  let recorder: EventRecorder;
  let errors: unknown[];
  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new ManualClock();
    errors = [];
    recorder = new EventRecorder({ client: new KubeClient(server.config), clock, identity: "me", onError: (error) => errors.push(error) });
  });
  afterEach(() => server.close());

  const events = (): Record<string, unknown>[] => [...server.objects].filter(([key]) => key.startsWith(EVENTS)).map(([, event]) => event);

  it("writes what kubectl describe shows: with the uid of what it is about, and times that the API server takes", async () => {
    recorder.record(ABOUT, TEXT);
    await recorder.flush();
    expect(events()).toMatchObject([{
      regarding: { uid: "u", kind: "PaxosCluster" }, reason: "Promoted", action: "Promote", type: "Normal", note: "x-3 votes now",
      reportingController: "synod.dev/controller", reportingInstance: "me", eventTime: expect.stringMatching(/\.\d{6}Z$/) as string,
    }]);
  });

  it("counts the same text at its first Event", async () => {
    for (let time = 0; time < 3; time++) {
      recorder.record(ABOUT, TEXT);
      await recorder.flush();
      clock.advance(60_000);
    }
    expect(events()).toMatchObject([{ series: { count: 3 } }]);
  });

  it("writes another Event for another text, another object, and after a while", async () => {
    recorder.record(ABOUT, TEXT);
    recorder.record(ABOUT, { ...TEXT, message: "x-4 votes now" });
    recorder.record({ ...ABOUT, uid: "v" }, TEXT);
    await recorder.flush();
    clock.advance(600_000);
    recorder.record(ABOUT, TEXT);
    await recorder.flush();
    expect(server.writes.map(({ method }) => method)).toEqual(["POST", "POST", "POST", "POST"]);
  });

  it("loses what cannot be written, and what is too much at once, and throws nothing", async () => {
    server.fault = () => ({ status: 403 });
    for (let index = 0; index < 200; index++) recorder.record(ABOUT, { ...TEXT, message: String(index) });
    await recorder.flush();
    expect(errors).toHaveLength(64);
    expect(server.requests).toHaveLength(64);
  });
});
