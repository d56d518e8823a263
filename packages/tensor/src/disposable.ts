/** Gives a class `[Symbol.dispose]` where the engine has that symbol, so that `using` ends its instances. */
export function disposable(owner: { readonly prototype: { dispose(): void } }): void {
  const { dispose } = Symbol as { readonly dispose?: symbol };
  if (dispose === undefined) return;
  const value = owner.prototype.dispose;
  Object.defineProperty(owner.prototype, dispose, { value, configurable: true, writable: true });
}
