import { fork, type ChildProcess } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import type { Settings } from "./contenders.js";
import { distance } from "./distance.js";
import type { Answers, Reply, Request } from "./messages.js";
import type { Numbers } from "./peers/peer.js";
import { openPlain } from "./peers/plain/plain.js";
import type { Work } from "./work.js";

/** Steps after which contenders are compared with loops in float64. */
const comparedCalls = 2;
/** Largest relative distance of loss, of every parameter's change, of a product or a chain. */
const tolerance = 2e-3;
/** An engine's optimising compiler has arrived after so many calls, or nothing happens often enough to matter. */
const warmCalls = 3000;
const warmMilliseconds = 3000;
const settleMilliseconds = 500;
/** Who needs longer for an answer is not timed. */
const patienceMilliseconds = 120_000;
const leastRounds = 3;

export interface Schedule extends Settings {
  /** Most rounds. */
  readonly rounds: number;
  /** Roughly how long one contender may be timed on one work. */
  readonly seconds: number;
}

export type Outcome =
  | { readonly kind: "unable" | "failed" | "differs"; readonly contender: string; readonly reason: string }
  | {
      readonly kind: "timed";
      readonly contender: string;
      readonly versions: Readonly<Record<string, string>>;
      /** From loops in float64. */
      readonly distance: number;
      /** Milliseconds a call took, by round; slow contenders sit out the last ones. */
      readonly rounds: readonly number[];
      readonly memory: Answers["memory"];
    };

export interface Comparison {
  readonly work: Work;
  readonly outcomes: readonly Outcome[];
  readonly notes: Readonly<Record<string, number>>;
}

class Contender {
  readonly name: string;
  readonly #process: ChildProcess;

  constructor(name: string) {
    this.name = name;
    this.#process = fork(new URL("./worker.js", import.meta.url), {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }

  /** @throws Failure */
  ask<K extends Request["kind"]>(request: Extract<Request, { kind: K }>): Promise<Answers[K]> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(impatience);
        this.#process.off("exit", onExit).off("message", onMessage);
      };
      const onExit = (code: number | null, signal: string | null) => {
        settle();
        reject(new Failure("failed", `its process ended with ${signal ?? `status ${code}`}`));
      };
      const onMessage = (reply: Reply) => {
        settle();
        if (reply.kind === "done") resolve(reply.answer as Answers[K]);
        else reject(new Failure(reply.kind, reply.reason));
      };
      const impatience = globalThis.setTimeout(() => {
        settle();
        reject(new Failure("unable", `takes more than ${patienceMilliseconds / 1000} s`));
      }, patienceMilliseconds);
      this.#process.on("exit", onExit).on("message", onMessage);
      this.#process.send(request);
    });
  }

  end(): void {
    this.#process.kill();
  }
}

class Failure extends Error {
  readonly kind: "unable" | "failed" | "differs";

  constructor(kind: "unable" | "failed" | "differs", reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/** Compares what contenders compute on a work, then times those that agree in interleaved rounds. */
export async function compare(work: Work, names: readonly string[], schedule: Schedule): Promise<Comparison> {
  const reference = await openPlain(Float64Array).prepare(work);
  await reference.run(comparedCalls);
  const expected = changes(work, await reference.values());
  const contenders = names.map((name) => new Contender(name));
  const outcomes = new Map<string, Outcome>();
  const racing: {
    contender: Contender;
    found: number;
    versions: Answers["prepare"]["versions"];
    rounds: number;
    times: number[];
  }[] = [];
  const guarded = async (contender: Contender, action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      contender.end();
      outcomes.set(contender.name, { kind: error.kind, contender: contender.name, reason: error.message });
    }
  };

  try {
    for (const contender of contenders) {
      await guarded(contender, async () => {
        const { versions } = await contender.ask<"prepare">({
          kind: "prepare",
          contender: contender.name,
          work: work.id,
          settings: { threads: schedule.threads },
        });
        const { values, milliseconds: compared } = await contender.ask<"values">({
          kind: "values",
          calls: comparedCalls,
        });
        const found = distance(changes(work, values), expected);
        if (!(found <= tolerance)) {
          throw new Failure("differs", `is ${found.toPrecision(2)} away from loops in float64, more than ${tolerance}`);
        }
        const milliseconds =
          compared >= warmMilliseconds ? (compared * work.calls) / comparedCalls : await warmed(contender, work);
        const affordable = Math.floor((1000 * schedule.seconds) / milliseconds);
        const rounds = Math.min(schedule.rounds, Math.max(leastRounds, affordable));
        racing.push({ contender, found, versions, rounds, times: [] });
      });
    }
    await setTimeout(settleMilliseconds);
    for (let round = 0; round < schedule.rounds; round++) {
      for (const { contender, rounds, times } of racing) {
        if (round >= rounds || outcomes.has(contender.name)) continue;
        await guarded(contender, async () => {
          const { milliseconds } = await contender.ask<"round">({ kind: "round", calls: work.calls });
          times.push(milliseconds / work.calls);
        });
      }
    }
    for (const { contender, found, versions, times } of racing) {
      if (outcomes.has(contender.name)) continue;
      await guarded(contender, async () => {
        const memory = await contender.ask<"memory">({ kind: "memory" });
        outcomes.set(contender.name, {
          kind: "timed",
          contender: contender.name,
          versions,
          distance: found,
          rounds: times,
          memory,
        });
      });
    }
  } finally {
    for (const contender of contenders) contender.end();
  }
  return { work, outcomes: names.map((name) => outcomes.get(name) as Outcome), notes: reference.notes?.() ?? {} };
}

/** What a round takes in the end. */
async function warmed(contender: Contender, { calls }: Work): Promise<number> {
  const request = { kind: "warm", calls, enough: warmCalls, milliseconds: warmMilliseconds } as const;
  return (await contender.ask<"warm">(request)).milliseconds;
}

/** Parameters as their change since the start, which is what a step computes; everything else as it is. */
function changes(work: Work, values: readonly Numbers[]): readonly Numbers[] {
  if (work.kind !== "training" && work.kind !== "convolution") return values;
  const [loss, ...parameters] = values as readonly [Numbers, ...Numbers[]];
  const initial = work.data().layers.flatMap(({ W, b }) => [W, b]);
  return [
    loss,
    ...parameters.map((parameter, k) =>
      Float64Array.from(parameter, (value, i) => value - ((initial[k] as Float64Array)[i] as number)),
    ),
  ];
}
