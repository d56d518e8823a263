import { withBase } from "vitepress";
import { defineComponent, h } from "vue";

/** The study's page inside a page of the documentation, with a way to have it alone. */
export const StudyFrame = defineComponent(() => () => {
  const page = withBase("/demo/index.html");
  return h("figure", { class: "study" }, [
    h("figcaption", h("a", { href: page, target: "_blank" }, "Open the page alone")),
    h("iframe", { src: page, title: "The study", allow: "cross-origin-isolated", loading: "lazy" }),
  ]);
});
