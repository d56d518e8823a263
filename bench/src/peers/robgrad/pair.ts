import { fork } from "node:child_process";
import type { Reply, Request } from "../../messages.js";
import type { Work } from "../../work.js";
import { Unable, type Job, type Peer } from "../peer.js";
import { openRobgrad } from "./robgrad.js";

/**
 * Two processes that do half of the calls each, one thread apiece: what two threads could reach at best on this
 * machine. For works whose calls do not depend on one another.
 */
export async function openPair(): Promise<Peer> {
  const own = await openRobgrad("wasm");
  const prepare = async (work: Work): Promise<Job> => {
    if ("rule" in work) throw new Unable("its calls follow from one another");
    if (work.calls < 2) throw new Unable("it is called once in a round, which cannot be halved");
    const other = fork(new URL("./worker.js", import.meta.url), { serialization: "advanced" });
    const ask = (request: Request) =>
      new Promise<void>((resolve, reject) => {
        other.once("message", (reply: Reply) => {
          if (reply.kind === "done") resolve();
          else reject(new Error(reply.reason));
        });
        other.send(request);
      });
    await ask({ kind: "prepare", contender: "robgrad wasm", work: work.id, settings: { threads: 1 } });
    const job = await own.prepare(work);
    return {
      ...job,
      async run(calls) {
        const half = Math.floor(calls / 2);
        const theirs = ask({ kind: "round", calls: half });
        await job.run(calls - half);
        await theirs;
      },
    };
  };
  return { versions: own.versions, prepare };
}
