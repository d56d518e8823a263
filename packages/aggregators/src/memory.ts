import { codedError, type Cell, type Device, type Tensor } from "@robgrad/tensor";

/** What a rule keeps from one step to the next: cells by name. */
export interface Memory {
  /**
   * The cell of that name, made at the first call.
   *
   * @param initial  Value to start from, or a function that makes it when it is needed.
   * @throws         SHAPE_MISMATCH when the cell exists in another shape than an initial tensor's.
   */
  cell(name: string, initial: Tensor | (() => Tensor)): Cell;
}

/** A map that does not keep objects alive and takes numbers and strings as well. */
class KeyedStore<V> {
  readonly #objects = new WeakMap<object, V>();
  readonly #others = new Map<unknown, V>();

  at(key: unknown, make: () => V): V {
    const map: Pick<Map<unknown, V>, "get" | "set"> = (typeof key === "object" && key !== null) ||
    typeof key === "function"
      ? (this.#objects as unknown as Map<unknown, V>)
      : this.#others;
    let value = map.get(key);
    if (value === undefined) map.set(key, (value = make()));
    return value;
  }
}

class CellMemory implements Memory {
  readonly #label: string;
  readonly #device: Device;
  readonly #cells = new Map<string, Cell>();

  constructor(label: string, device: Device) {
    this.#label = label;
    this.#device = device;
  }

  cell(name: string, initial: Tensor | (() => Tensor)): Cell {
    const known = this.#cells.get(name);
    if (known === undefined) {
      const cell = this.#device.beforeStep(() =>
        this.#device.cell(typeof initial === "function" ? initial() : initial),
      );
      this.#cells.set(name, cell);
      return cell;
    }
    if (typeof initial !== "function" && initial.shape.join() !== known.shape.join()) {
      throw codedError(
        "SHAPE_MISMATCH",
        `rule ${this.#label}: expected its cell "${name}" to keep shape [${known.shape.join(", ")}], found [${initial.shape.join(", ")}]`,
      );
    }
    return known;
  }

  dispose(): void {
    for (const cell of this.#cells.values()) cell.dispose();
  }
}

/** Runs a rule that was called by itself: what it puts into cells is gone afterwards. */
export function withTransientMemory<R>(label: string, device: Device, work: (memory: Memory) => R): R {
  const memory = new CellMemory(label, device);
  try {
    return work(memory);
  } finally {
    memory.dispose();
  }
}

const memoriesKey: unique symbol = Symbol.for("robgrad.memories");
type Memories = KeyedStore<KeyedStore<KeyedStore<CellMemory>>>;

/**
 * The memory of a rule for one group of parameters on a device. It hangs on the rule itself, so that copies of this
 * package agree about it, and ends with the rule, the device or the group's first parameter.
 */
export function memoryOf(
  rule: { readonly label: string },
  device: Device,
  firstParameter: unknown,
  key: unknown,
): Memory {
  const home = rule as { [memoriesKey]?: Memories };
  if (home[memoriesKey] === undefined) Object.defineProperty(home, memoriesKey, { value: new KeyedStore() });
  return (home[memoriesKey] as Memories)
    .at(device, () => new KeyedStore())
    .at(firstParameter, () => new KeyedStore())
    .at(key, () => new CellMemory(rule.label, device));
}
