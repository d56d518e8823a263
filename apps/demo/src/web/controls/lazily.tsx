import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { notify } from "../state/store.js";

/**
 * A view whose code is loaded when it is first seen.
 *
 * @example  const Findings = lazily(() => import("./views/findings.jsx").then(({ Findings }) => Findings));
 */
export function lazily(load: () => Promise<ComponentType>): ComponentType {
  let loaded: ComponentType | null = null;
  return function Lazy() {
    const [, setLoaded] = useState(loaded !== null);
    useEffect(() => {
      if (loaded !== null) return;
      load().then(
        (component) => {
          loaded = component;
          setLoaded(true);
        },
        (error: unknown) =>
          notify({
            kind: "error",
            text: `This view could not be loaded. ${(error as Error).message}`,
            action: { label: "Load the page again", run: () => location.reload() },
          }),
      );
    }, []);
    const Loaded = loaded;
    return Loaded === null ? <p role="status">Loading …</p> : <Loaded />;
  };
}
