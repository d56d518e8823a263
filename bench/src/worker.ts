// A process that times one contender on one work, told what to do by messages.
import { openContender } from "./contenders.js";
import type { Answers, Reply, Request } from "./messages.js";
import { Unable, type Job } from "./peers/peer.js";
import { works } from "./works/works.js";

let prepared: Job | null = null;

function current(): Job {
  if (prepared === null) throw new Error("bench: expected prepare before anything else");
  return prepared;
}

async function round(calls: number): Promise<number> {
  const job = current();
  await job.reset();
  const start = performance.now();
  await job.run(calls);
  return performance.now() - start;
}

async function answer(request: Request): Promise<Answers[keyof Answers]> {
  switch (request.kind) {
    case "prepare": {
      const work = works.find(({ id }) => id === request.work);
      if (work === undefined) throw new RangeError(`bench: found no work ${request.work}`);
      const peer = await openContender(request.contender, request.settings);
      prepared = await peer.prepare(work);
      return { versions: peer.versions };
    }
    case "values": {
      const milliseconds = await round(request.calls);
      return { values: await current().values(), milliseconds };
    }
    case "warm": {
      const start = performance.now();
      let milliseconds = 0;
      for (let done = 0; done < request.enough; done += request.calls) {
        milliseconds = await round(request.calls);
        if (performance.now() - start >= request.milliseconds) break;
      }
      return { milliseconds };
    }
    case "round":
      return { milliseconds: await round(request.calls) };
    case "memory":
      return { peakBytes: prepared?.peakBytes?.() ?? null, residentBytes: process.resourceUsage().maxRSS * 1024 };
  }
}

process.on("message", (request: Request) => {
  const reply = (message: Reply) => process.send?.(message);
  answer(request).then(
    (answer) => reply({ kind: "done", answer }),
    (error: unknown) => {
      const code = (error as { readonly code?: unknown } | null)?.code;
      const unable = error instanceof Unable || code === "DEVICE_UNAVAILABLE";
      const reason = error instanceof Error ? error.message : String(error);
      reply({ kind: unable ? "unable" : "failed", reason });
    },
  );
});
