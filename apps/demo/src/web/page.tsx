import type { ComponentType } from "preact";
import { lazily } from "./controls/lazily.jsx";
import { viewNames, type ViewName } from "./state/address.js";
import { change, dismiss, notices, page } from "./state/store.js";
import { Watch } from "./views/watch.jsx";

interface View {
  readonly title: string;
  readonly component: ComponentType;
}

const views: Readonly<Record<ViewName, View>> = {
  watch: { title: "Watch", component: Watch },
  influence: {
    title: "Influence",
    component: lazily(() => import("./views/influence.jsx").then(({ Influence }) => Influence)),
  },
  "own-rule": {
    title: "Write your own rule",
    component: lazily(() => import("./views/own-rule.jsx").then(({ OwnRule }) => OwnRule)),
  },
  breakdown: {
    title: "Breakdown lab",
    component: lazily(() => import("./views/breakdown.jsx").then(({ Breakdown }) => Breakdown)),
  },
  findings: {
    title: "What the study shows",
    component: lazily(() => import("./views/findings.jsx").then(({ Findings }) => Findings)),
  },
  "own-data": {
    title: "Your own data",
    component: lazily(() => import("./views/own-data.jsx").then(({ OwnData }) => OwnData)),
  },
};

/** Everything that is seen. */
export function Page() {
  const { view } = page.value;
  const Shown = views[view].component;
  return (
    <>
      <header>
        <h1>See robustness happen</h1>
        <nav aria-label="Views">
          {viewNames.map((name) => (
            <a
              key={name}
              href={`#view=${name}`}
              aria-current={name === view ? "page" : undefined}
              onClick={(event) => {
                event.preventDefault();
                change({ view: name });
              }}
            >
              {views[name].title}
            </a>
          ))}
        </nav>
      </header>
      <div class="notices" role="alert">
        {notices.value.map((notice) => (
          <div key={notice.text} class={`notice ${notice.kind}`}>
            <p>{notice.text}</p>
            {notice.action && (
              <button
                type="button"
                onClick={() => {
                  dismiss(notice);
                  notice.action!.run();
                }}
              >
                {notice.action.label}
              </button>
            )}
            <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismiss(notice)}>
              ×
            </button>
          </div>
        ))}
      </div>
      <main>
        <Shown />
      </main>
      <footer>
        <p>Everything is computed here, in your browser, by the same code as the command line. robgrad, MIT.</p>
      </footer>
    </>
  );
}
