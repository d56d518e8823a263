import { codedError, hasCode, type ErrorCode } from "@robgrad/tensor";
import { transferHandlers, type TransferHandler } from "comlink";

interface Thrown {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: ErrorCode | null;
}

/** Errors keep their codes on the way from a worker; comlink's own handler has room for name, message and stack only. */
const thrown: TransferHandler<{ readonly value: unknown }, Thrown> = {
  canHandle: transferHandlers.get("throw")!.canHandle as TransferHandler<
    { readonly value: unknown },
    Thrown
  >["canHandle"],
  serialize({ value }) {
    const { message, stack } = value instanceof Error ? value : new Error(String(value));
    return [{ message, stack, code: hasCode(value) ? value.code : null }, []];
  },
  deserialize({ message, stack, code }): never {
    const error = code === null ? new Error(message) : codedError(code, message);
    throw stack === undefined ? error : Object.assign(error, { stack });
  },
};

transferHandlers.set("throw", thrown);
